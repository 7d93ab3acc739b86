"""One signup log becomes facts with their places, the announcements of how far it came, and tiles for every byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from laeforensics import dialects, parsing, pythonrepr
from laeforensics.facts import ERROR, FOREIGN, OWN, REMOTE, STRAY, TESTIMONY, Fact, Locator, Residue, Tile
from laeforensics.fields import FIELDS
from laeforensics.identities import certify
from laeforensics.stages import STAGE_OF_ITEM, is_order_broken, stage_of_announcement

# The grammar names a rule after its field; these few say the same field in other words.
_FIELD_OF_RULE = {
    "s4_access_key_id": "user_access_key_id",
    "s4_secret_key": "user_secret_key",
    "deployed_bucket": "bucket_name",
}
# A block's announcement opens it; its lines are the program's own word only while it is open.
_BLOCK_OF_ITEM = {
    "activating": "activation_key",
    "credentials": "credentials",
    "poll": "bucket",
    "bucket": "bucket",
    "deployment": "deployment",
    "instance": "instance",
}
_FIELD_OF_FILE = {
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
_KIND_OF_TERMINAL = {
    "RELAYED": "remote",
    "RELAYED_MARKED": "remote",
    "CAT": "remote",
    "OUTPUT": "remote",
    "BLANK": "blank",
    "LOCAL": "local",
    "FAILURE_DUMP": "failure",
    "FAILURE_SUMMARY": "failure",
    "ERROR_TEXT": "failure",
    "OTHER": "residue",
    "TORN": "residue",
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
_MARKS: dict[str, tuple[tuple[str, str], ...]] = {
    "RELAYED_MARKED": (("", "marked stream"),),
    "STARTED": (("entering", "s4"),),
    "CREATING_BUCKET": (("region", "region"),),
    "SETTINGS_HEAD": (("", "settings"),),
    "INSTANCE_NAME": (("", "e-mail"),),
    "MAIL_TO": (("", "e-mail"),),
    "CAT": (("introducer/private/introducer.furl", "s4 furl"), ("node.privkey", "node.privkey")),
    "LOCAL": (
        (">The ssh public key", "fingerprint told"),
        ("The ssh public key", "fingerprint unmarked"),
        ("Signup done.", "Signup done."),
        ("d is a", "debug prints"),
        ("Do we get here", "debug prints"),
    ),
}
_CARRY_ON = frozenset({"LOCAL", "BLANK"})


@dataclass(slots=True, kw_only=True)
class SignupLog:
    """What one log says. `stages` are those announced, in order, each with its line; `segments` counts signups in the file."""

    evidence: str
    dialect: str = ""
    size: int = 0
    facts: list[Fact] = field(default_factory=list)
    residue: list[Residue] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    stages: list[tuple[str, int]] = field(default_factory=list)
    announcements: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    """Terminals and words that tell a dialect."""
    segments: int = 1
    failed: bool = False
    failure: str | None = None
    bucket_failed: bool = False
    torn: list[tuple[str, Locator]] = field(default_factory=list)


def read_log(data: bytes, evidence: str) -> SignupLog:
    """Read one log of any dialect. Pure; never fails: what it cannot read is residue."""
    reader = _Reader(evidence)
    for rule, pieces in parsing.items("signup_log", data):
        reader.take(rule, pieces)
    return reader.finish(len(data))


class _Reader:
    """Follows the items of one file: which block is open, which signup of the file it is, whether it failed before."""

    def __init__(self, evidence: str) -> None:
        self.log = SignupLog(evidence=evidence)
        self.block = "*"  # a lost head: the first lines may be of any block
        self.segment_of_fact: list[int] = []
        self.ranks: set[str] = set()

    def take(self, rule: str, pieces: list[parsing.Piece]) -> None:
        stage = STAGE_OF_ITEM.get(rule)
        if stage is not None:
            if is_order_broken(rule, self.ranks):
                self.log.segments += 1
                self.ranks.clear()
            self.ranks.add(rule)
            if not self.log.failed:
                self.log.stages.append((stage, pieces[0].line))
        if rule == "stray":
            self._facts(rule, pieces, OWN if self._is_open(pieces[0].rule) else STRAY)
            return
        if rule == "noise":
            self._noise(pieces)
            return
        self.block = _BLOCK_OF_ITEM.get(rule, "")
        if rule == "cat_output":
            self._cat(pieces)
        elif rule == "announcement":
            self._announcement(pieces[0])
        elif rule == "failure":
            self._failure(pieces)
        elif rule == "residue":
            if not self.log.tiles:
                self.block = "*"  # the rest of a line whose beginning is lost
            self._tiles(pieces)
        else:
            self._facts(rule, pieces, OWN)

    # -- items ---------------------------------------------------------------------------------------

    def _facts(self, rule: str, pieces: list[parsing.Piece], channel: str) -> None:
        for piece in pieces:
            if piece.terminal == "TORN" and piece.rule in FIELDS | _FIELD_OF_RULE.keys():
                self.log.torn.append(
                    (_FIELD_OF_RULE.get(piece.rule, piece.rule), self._locator(piece, piece.start, piece.end))
                )
            value = _value(piece)
            if value is not None:
                name, text, start = value
                self._fact(name, text, self._locator(piece, start, start + len(text)), rule, channel)
        self._tiles(pieces)

    def _noise(self, pieces: list[parsing.Piece]) -> None:
        if pieces[0].terminal not in _CARRY_ON:
            self.block = ""
        self._tiles(pieces)

    def _announcement(self, piece: parsing.Piece) -> None:
        text = piece.text.strip(">'\n ")
        self.log.announcements.add(text)
        if text.startswith("Waiting 75 seconds"):
            self.log.marks.add("75 seconds")
        elif text == "Setting up monitoring..." and self.log.stages and self.log.stages[-1][0] == "mail_sent":
            self.log.marks.add("monitoring after mail")
        if text == "S3 bucket creation failed.":
            self.log.bucket_failed = True
        stage = stage_of_announcement(text)
        if stage is not None and not self.log.failed:
            self.log.stages.append((stage, piece.line))
        self._tiles([piece])

    def _failure(self, pieces: list[parsing.Piece]) -> None:
        first = pieces[0]
        # The S4 program prints that its bucket could not be made, then goes on as if it had been.
        if not (self.log.bucket_failed and not self.log.failed and first.terminal == "FAILURE_DUMP"):
            self.log.failed = True
        self.log.failure = first.text.split("\n", 1)[0].lstrip(">[")[:160]
        self._tiles(pieces)

    def _cat(self, pieces: list[parsing.Piece]) -> None:
        self._tiles(pieces)
        if len(pieces) < 2:
            return
        command, output = pieces
        path = command.text.split("/home/customer/", 1)[1].split(None, 1)[0].rstrip("-")
        lines = _output_lines(output)
        if path == "storageserver/tahoe.cfg":
            self.log.announcements.add("tahoe.cfg read out")
            self._tahoe_cfg(lines, output)
            return
        name = _FIELD_OF_FILE.get(path)
        while lines and not lines[-1][0]:
            lines.pop()
        if name is None or not lines:
            return
        if path.startswith("storageserver/private/s3"):
            self.log.announcements.add("secrets read out")
        text = "\n".join(content for content, _ in lines)
        start, end = lines[0][1], lines[-1][1] + len(lines[-1][0])
        self._fact(name, text, self._locator(output, start, end), "cat_output", REMOTE)

    def _tahoe_cfg(self, lines: list[tuple[str, int]], output: parsing.Piece) -> None:
        for content, start in lines:
            for rule, pieces in parsing.items("tahoe_cfg", content.encode("latin-1")):
                for piece in pieces:
                    if piece.terminal in ("VALUE", "HOST"):
                        where = start + piece.start
                        self._fact(
                            rule, piece.text, self._locator(output, where, where + len(piece.text)), "tahoe_cfg", REMOTE
                        )

    # -- helpers ---------------------------------------------------------------------------------------

    def _is_open(self, rule: str) -> bool:
        return self.block == "*" or _BLOCKS.get(rule) == self.block

    def _fact(self, name: str, value: str, locator: Locator, rule: str, channel: str) -> None:
        if not FIELDS[name].fits(value):
            if value:
                self.log.torn.append((name, locator))
            return
        if self.log.failed:
            channel = ERROR
        self.log.facts.append(Fact(name, value, locator, rule, channel))
        self.segment_of_fact.append(self.log.segments)

    def _locator(self, piece: parsing.Piece, start: int, end: int) -> Locator:
        line = (
            piece.line + piece.text.count("\n", 0, start - piece.start)
            if "\n" in piece.text[: start - piece.start]
            else piece.line
        )
        return Locator(self.log.evidence, line, start, end)

    def _tiles(self, pieces: Iterable[parsing.Piece]) -> None:
        tiles = self.log.tiles
        for piece in pieces:
            kind = _KIND_OF_TERMINAL.get(piece.terminal, "fact")
            if kind == "residue":
                if self.log.failed:
                    kind = "failure"
                else:
                    self.log.residue.append(
                        Residue(self.log.evidence, piece.line, piece.start, piece.end, piece.text[:120])
                    )
            self._mark(piece)
            if tiles and tiles[-1].kind == kind:
                tiles[-1] = Tile(tiles[-1].start, piece.end, kind)
            else:
                tiles.append(Tile(piece.start, piece.end, kind))

    def _mark(self, piece: parsing.Piece) -> None:
        for word, mark in _MARKS.get(piece.terminal, ()):
            if word in piece.text:
                self.log.marks.add(mark)

    def finish(self, size: int) -> SignupLog:
        log = self.log
        log.size = size
        if log.segments > 1:
            _keep_own_segment(log, self.segment_of_fact)
        if {"Reading secrets...", "secrets read out"} & log.announcements and not any(
            s == "activated" for s, _ in log.stages
        ):
            log.facts = [f._replace(channel=TESTIMONY) if f.channel == REMOTE else f for f in log.facts]
        else:
            certify(log.facts)
        log.dialect = dialects.recognise(log)
        return log


_BLOCKS = {
    "activation_key": "activation_key",
    "user_access_key_id": "credentials",
    "user_secret_key": "credentials",
    "user_token": "credentials",
    "bucket_name": "bucket",
    "s4_access_key_id": "bucket",
    "s4_secret_key": "bucket",
    "ami_image_id": "deployment",
    "instance_size": "deployment",
    "deployed_bucket": "deployment",
    "customer_email": "deployment",
    "instance_id": "instance",
    "private_host": "instance",
    "launch_time": "instance",
}


def _value(piece: parsing.Piece) -> tuple[str, str, int] | None:
    """Field, value and start of the value that a piece holds, if it holds one."""
    text = piece.text
    match piece.terminal:
        case "REPR":
            return _FIELD_OF_RULE.get(piece.rule, piece.rule), text[1 : text.rindex("'")], piece.start + 1
        case "REPR_ESCAPED":
            decoded = pythonrepr.decode(text.rstrip("\n").removesuffix("-"))
            return None if decoded is None else (_FIELD_OF_RULE.get(piece.rule, piece.rule), decoded, piece.start)
        case "FURL":
            return "introducer_furl", text[:-1], piece.start
        case "FURL_SENTENCE" | "ADDRESS":
            start = text.rindex(" '") + 2
            name = "public_host" if piece.terminal == "ADDRESS" else "introducer_furl"
            return name, text[start : text.rindex("'")], piece.start + start
        case "MAIL_TO":
            start = text.index("<") + 1
            return "customer_email", text[start : text.rindex(">...>")], piece.start + start
        case "SIGNING_UP":
            start = len(">Signing up customer for ")
            return "full_name", text[start : text.rindex("...>")], piece.start + start
    return None


def _output_lines(output: parsing.Piece) -> list[tuple[str, int]]:
    """What a host printed, line by line, each with its offset in the file; blank physical lines left out."""
    lines: list[tuple[str, int]] = []
    position = output.start
    for line in output.text.split("\n"):
        if line:
            mark = line.index("] out:") + len("] out:")
            if line.startswith(" ", mark):
                mark += 1
            lines.append((line[mark:], position + mark))
        position += len(line) + 1
    return lines


def _keep_own_segment(log: SignupLog, segments: list[int]) -> None:
    """Of several signups in one file, the ones whose bucket bears the file's seed count; else the first one."""
    seed = log.evidence.rsplit("/", 1)[-1].rpartition("-")[2]
    own = {
        number
        for fact, number in zip(log.facts, segments, strict=True)
        if fact.field == "bucket_name" and fact.channel == OWN and seed and fact.value.endswith("-" + seed)
    } or {1}
    log.facts = [
        fact if number in own or fact.channel != OWN else fact._replace(channel=FOREIGN)
        for fact, number in zip(log.facts, segments, strict=True)
    ]
