"""What the grammar's terminals mean: the field of a piece, its value, the block it opens, the kind of its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from laeforensics.facts.fields import FIELDS
from laeforensics.parsing import _python_repr, parser
from laeforensics.parsing.parser import Piece

# A block's announcement opens it; its lines are the program's own word only while it is open.
BLOCK_OF_ITEM = {
    "activating": "activating",
    "credentials": "credentials",
    "poll": "credentials",
    "bucket": "bucket",
    "deployment": "deployment",
    "instance": "instance",
}
BLOCKS_OF_TERMINAL = {
    "ACTIVATION_KEY": {"activating"},
    "USER_ACCESS_KEY_ID": {"credentials", "bucket"},
    "USER_SECRET_KEY": {"credentials", "bucket"},
    "USER_TOKEN": {"credentials", "bucket"},
    "BUCKET_NAME": {"bucket", "deployment"},
    "AMI_IMAGE_ID": {"deployment"},
    "INSTANCE_SIZE": {"deployment"},
    "CUSTOMER_EMAIL": {"deployment"},
    "INSTANCE_ID": {"instance"},
    "PRIVATE_HOST": {"instance"},
    "LAUNCH_TIME": {"instance"},
}
# Whose lines stand in a print of many lines, none of which can be missing.
PRINTED = {
    "DEPLOYMENT_OTHER": "deployment",
    "AMI_IMAGE_ID": "deployment",
    "INSTANCE_SIZE": "deployment",
    "BUCKET_NAME": "deployment",
    "CUSTOMER_EMAIL": "deployment",
    "INSTANCE_OTHER": "instance",
    "INSTANCE_ID": "instance",
    "PRIVATE_HOST": "instance",
    "LAUNCH_TIME": "instance",
}
FIELD_OF_FILE = {
    "introducer/introducer.furl": "internal_introducer_furl",
    "introducer/private/introducer.furl": "internal_introducer_furl",
    "introducer/private/node.pem": "introducer_node_pem",
    "introducer/my_nodeid": "introducer_nodeid",
    "storageserver/private/node.pem": "server_node_pem",
    "storageserver/my_nodeid": "server_nodeid",
    "storageserver/private/node.privkey": "server_node_privkey",
    "storageserver/private/s3secret": "user_secret_key",
    "storageserver/private/s3usertoken": "user_token",
    "storageserver/private/s3producttoken": "product_token",
}
FIELD_OF_TERMINAL = {
    **{name.upper(): name for name in FIELDS},
    "MAIL_TO": "customer_email",
    "POLL": "user_token",
}
# What a print goes on with. A value whose line is followed by another line stands at a seam: a hole may have joined the
# head of one line to the tail of another, so it is not sure.
FOLLOWERS: dict[str, frozenset[str]] = {
    "ACTIVATION_KEY": frozenset({"LICENSE_ACTIVATED"}),
    "USER_ACCESS_KEY_ID": frozenset({"USER_SECRET_KEY", "USER_TOKEN"}),
    "USER_SECRET_KEY": frozenset({"USER_TOKEN", "BLANK", "VERIFYING", "POLL"}),
    "USER_TOKEN": frozenset({"VERIFYING", "POLL", "BUCKET_NAME", "POLL_ANSWER"}),
    "BUCKET_NAME": frozenset({"LOCATION", "DEPLOYMENT_OTHER"}),
    "AMI_IMAGE_ID": frozenset({"INSTANCE_SIZE"}),
    "INSTANCE_SIZE": frozenset({"BUCKET_NAME"}),
    "CUSTOMER_EMAIL": frozenset({"BLANK"}),
}
# Where the block tells more: a token of the credentials that the bucket's name follows is two prints joined by a hole.
FOLLOWERS_IN: dict[tuple[str, str], frozenset[str]] = {
    ("credentials", "USER_TOKEN"): frozenset({"VERIFYING", "POLL"}),
    ("bucket", "USER_TOKEN"): frozenset({"BUCKET_NAME"}),
}
ALWAYS_FOLLOW = frozenset({"MALFORMED", "LOCAL", "FAILURE_DUMP", "FAILURE_SUMMARY"})
KIND_OF_TERMINAL = {
    "RELAYED": "remote",
    "RELAYED_MARKED": "remote",
    "CAT_OUTPUT": "remote",
    "BLANK": "blank",
    "LOCAL": "local",
    "FAILURE_DUMP": "failure",
    "FAILURE_SUMMARY": "failure",
    "ERROR_TEXT": "failure",
    "OTHER": "residue",
    "MALFORMED": "residue",
    "ANNOUNCEMENT": "announcement",
    "STARTED": "announcement",
    "LICENSE_ACTIVATED": "announcement",
    "VERIFYING": "announcement",
    "ACTIVATING": "announcement",
    "CREATING_BUCKET": "announcement",
    "DEPLOYING": "announcement",
    "INSTANCE_STARTED": "announcement",
}
# Words in a terminal's text that tell a dialect ("" is in every text).
MARKS: dict[str, tuple[tuple[str, str], ...]] = {
    "RELAYED_MARKED": (("", "marked stream"),),
    "STARTED": (("entering", "s4"),),
    "CREATING_BUCKET": (("region", "region"),),
    "INTRODUCER_FURL": (("The settings", "settings"),),
    "CUSTOMER_EMAIL": (("", "e-mail"),),
    "MAIL_TO": (("", "e-mail"), (">Notifying", "key info")),
    "CAT_OUTPUT": (("introducer/private/introducer.furl", "s4 furl"), ("node.privkey", "node.privkey")),
    "LOCAL": (
        (">The ssh public key", "fingerprint told"),
        ("The ssh public key", "fingerprint unmarked"),
        ("Signup done.", "Signup done."),
        ("d is a", "debug prints"),
        ("Do we get here", "debug prints"),
        ("Warning: missing field for", "field missing"),
    ),
}
CARRY_ON = frozenset({"LOCAL", "BLANK"})
FIELD_OF_KEY = {
    "activationkey": "activation_key",
    "access_key_id": "user_access_key_id",
    "accesskeyid": "user_access_key_id",
    "secret_key": "user_secret_key",
    "secretkey": "user_secret_key",
    "usertoken": "user_token",
    "bucketname": "bucket_name",
    "instance_name": "customer_email",
    "private_dns_name": "private_host",
}


_QUOTED_IN_SENTENCE = frozenset({"PUBLIC_HOST", "INTRODUCER_FURL"})


def value(piece: Piece) -> tuple[str, str, int] | None:
    """Field, value and offset of the value that a piece holds, if it holds one."""
    name = FIELD_OF_TERMINAL.get(piece.type)
    if name is None:
        return None
    text = str(piece)
    if piece.type == "MAIL_TO":
        start = text.index("<") + 1
        return name, text[start : text.rindex(">...>")], piece.start_pos + start
    if piece.type == "FULL_NAME":
        start = len(">Signing up customer for ")
        return name, text[start : text.rindex("...>")], piece.start_pos + start
    if piece.type in _QUOTED_IN_SENTENCE and not text.startswith(">\nThe settings"):
        start = text.rindex(" '") + 2
        return name, text[start : text.rindex("'")], piece.start_pos + start
    start = text.rindex(" = ") + 3 if piece.type == "INTRODUCER_FURL" else text.index(" = ") + 3
    end = text.find("\n", start)
    written = text[start : end if end >= 0 else None].removesuffix("-")
    if piece.type == "INTRODUCER_FURL":
        return name, written, piece.start_pos + start
    if written.startswith("'") and "\\" not in written:
        return name, written[1:-1], piece.start_pos + start + 1
    decoded = None if written == "None" else _python_repr.decode(written)
    return None if decoded is None else (name, decoded, piece.start_pos + start)


_KEY = re.compile(r"^-?(?:  )?([a-z_]+) = ", re.MULTILINE)


def keys(piece: Piece) -> Iterator[tuple[str, int]]:
    """The keys of the lines `key = ..` of a print, each with the offset of its line."""
    return ((found[1], piece.start_pos + found.start()) for found in _KEY.finditer(str(piece)))


def hosts(piece: Piece) -> Iterator[tuple[str, int]]:
    """Whom fabric's marks name, `user@host`, with the offset of its line: the first, then wherever the host changes."""
    text = str(piece).removeprefix("-")
    cut = len(str(piece)) - len(text)
    position = 0
    while True:
        mark = text[position + 1 : text.index("]", position)]
        yield mark, piece.start_pos + cut + position
        other = _other_host(mark.partition("@")[2]).search(text, position)
        if other is None:
            return
        position = other.end() - 1


@lru_cache(maxsize=256)
def _other_host(host: str) -> re.Pattern[str]:
    # The monitoring host is no customer's; it is only told apart from the first mark.
    return re.compile(
        rf"\n-?\[(?!(?:[a-z0-9._-]+@{re.escape(host)}|zenoss@[a-z0-9._-]+)\] )(?=[a-z0-9._-]+@[^\]\n]+\] )"
    )


def output_lines(piece: Piece) -> list[tuple[str, int]]:
    """What a host printed after a command, line by line, each with its offset in the file; blank lines left out."""
    lines: list[tuple[str, int]] = []
    command, *rest = str(piece).split("\n")
    position = piece.start_pos + len(command) + 1
    for line in rest:
        if line:
            mark = line.index("] out:") + len("] out:")
            if line.startswith(" ", mark):
                mark += 1
            lines.append((line[mark:], position + mark))
        position += len(line) + 1
    return lines


def setting(rule: str, piece: Piece) -> str | None:
    """The field whose value a piece of a tahoe.cfg line is, None for a piece that is no value."""
    if piece.type == "VALUE":
        return rule
    return piece.type.lower() if piece.type in ("PUBLIC_HOST", "PRIVATE_HOST") else None


def settings(lines: Iterable[tuple[str, int]]) -> Iterator[tuple[str, str, int]]:
    """Field, value and start of the value of each setting in the lines of a tahoe.cfg (text, start)."""
    for content, start in lines:
        for rule, pieces in parser.items("tahoe_cfg", content.encode("latin-1")):
            for piece in pieces:
                name = setting(rule, piece)
                if name is not None:
                    yield name, str(piece), start + piece.start_pos
