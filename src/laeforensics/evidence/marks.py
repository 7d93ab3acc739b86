"""The marks by which the content of a file tells its kind: its first bytes are enough, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable

from laeforensics.evidence import convert, resaved
from laeforensics.evidence.foreign import why_unread
from laeforensics.evidence.prefixed import LOG_LINES
from laeforensics.evidence.recognise import (
    ACTIVATION_REQUESTS,
    COMPLETIONS,
    CONFIG,
    LISTING,
    LOG,
    SECRETS,
    SERVERINFO,
    SIGNUPS,
    STRIPE,
)

FIRST_LOOK = 1 << 12
SECOND_LOOK = 1 << 17
"""So many bytes are looked at where the first look tells nothing."""

_SECRETS_KEYS = re.compile(
    rb'"(access_key_id|secret_key|user_token|product_token|bucket_name|public_?host|private_?host'
    rb'|(?:introducer|server)_node(?:_pem|id|_privkey)|(?:external|internal)_introducer_furl)"\s*:'
)
_CONFIG_KEYS = re.compile(rb'"(products|product_code|plan_ID|full_name|product_token|ami_image_id|instance_size)"\s*:')
_STRIPE = re.compile(rb'\s*\[\s*"[^"@]*@[^"]*"\s*,.*"(?:cus|sub)_', re.DOTALL)
_TIME = rb"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z"
_CSV: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (SIGNUPS, re.compile(_TIME + rb",(?:success|failure),[A-Z0-9]{10,40},[^,]*,[^,]*,[^,]*,[^,]*")),
    (SERVERINFO, re.compile(_TIME + rb",[0-9-]{10}T[0-9:.]{8,12}Z,i-[0-9a-f]{8,17},[^,]+(?:,[^,]*)?")),
    (ACTIVATION_REQUESTS, re.compile(_TIME + rb",[A-Z0-9]{10,40},[^,]*,[^,]*,[^,]*,[^,]*")),
    (COMPLETIONS, re.compile(_TIME + rb",[A-Z0-9]{10,40},[0-9A-Z]{4,16}")),
)
# A line that names a file and no more: of sha256sum, find, ls, tree, du, tar, unzip. No value of an account is one.
_HASHED = re.compile(rb"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56,128})[ \t]+[ *]?\S.*|SHA[0-9]+ \(.*\) = [0-9a-f]+")
_WORD = rb"[^\s/\\:=,;\"'{}<>]"
_PATH = rb"(?:[A-Za-z]:)?[./\\]*(?:%b+[/\\])*(?:%b*\.[A-Za-z0-9~_-]{1,16}|%b{0,40}|%b{50,90})" % ((_WORD,) * 4)
_LISTED = re.compile(
    rb"(?:total|insgesamt) [0-9.,]+[KMGT]?"
    rb"|[-bcdlps][-rwxsStT]{9}[.+@]? .*"
    rb"|(?:[0-9.,]+[KMGT]?[ \t]+|[ 0-9]+[0-9-]{10} [0-9]{2}:[0-9]{2} +|[| `\x80-\xff-]+[ \xa0])?"
    rb"(?![A-Z0-9]{16,}$|[A-Za-z0-9/+]{40}$)" + _PATH + rb"[/:*@]?"
    rb"|[- ]+|Archive: .*|Zip file size: .*| +Length +Date +Time +Name|[ 0-9]+ files?(?:,.*)?"
    rb"|[0-9]+ director(?:y|ies), [0-9]+ files?"
)
_NAMED = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9]{6}z-[a-z2-7]{8}", re.IGNORECASE)
_WRITTEN_BESIDE = (
    b"\0\0\0\1Bud1",  # .DS_Store
    b"\0\5\x16\7",  # what macOS puts beside a file that it cannot keep whole: ._NAME
    b"DIRC",  # git's index
    b"PARE",  # a manifest of this software
    b'{"root": ',  # the register of a case
    b'{"account_id": ',  # its decisions
    b'{"statement": "laeforensics audit"',
)
_AUDIT_PAGE = b"<title>Audit of "


def _is_log(head: bytes) -> bool:
    return any(head.startswith(line) or b"\n" + line in head for line in LOG_LINES)


def _is_secrets(head: bytes) -> bool:
    return len({match[1] for match in _SECRETS_KEYS.finditer(head)}) > 1


def begins_as_object(text: bytes) -> bool:
    """True if the text begins as a JSON object does."""
    return text.lstrip(b" \t\r\n")[:1] == b"{"


def _is_config(head: bytes) -> bool:
    told = {match[1] for match in _CONFIG_KEYS.finditer(head)}
    return len(told) > 1 and bool(told & {b"products", b"product_code", b"plan_ID"})


def _is_listing(head: bytes) -> bool:
    return is_written_beside(head) or is_listed(head.rpartition(b"\n")[0])


def is_written_beside(head: bytes) -> bool:
    """True for what a system or this software writes beside evidence, by its first bytes."""
    return head.startswith(_WRITTEN_BESIDE) or _AUDIT_PAGE in head[:1024]


def is_listed(text: bytes) -> bool:
    """True if every line of a text names a file, and no more, and several of them a run's."""
    lines = [line for line in text.split(b"\n") if line and not line.isspace()]
    if not lines or not all(_LISTED.fullmatch(line.rstrip()) or _HASHED.fullmatch(line.rstrip()) for line in lines):
        return False
    return len(_NAMED.findall(text)) > 1 or all(_HASHED.fullmatch(line.rstrip()) for line in lines)


def csv_kind(head: bytes) -> str | None:
    """The kind of csv file whose rows most of these lines are; None if hardly any is one."""
    lines = [line for line in _first_lines(head).split(b"\n") if line.strip()]
    best, most = None, 0
    for kind, row in _CSV:
        count = sum(row.fullmatch(line) is not None for line in lines)
        if count > most:
            best, most = kind, count
    return best if most * 3 >= len(lines) else None


def _first_lines(head: bytes) -> bytes:
    """The whole lines among the first forty; the first alone, if it is all there is."""
    lines = head.split(b"\n")
    return b"\n".join(lines[:-1][:40] or lines)


_MARKS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    (LISTING, _is_listing),
    (CONFIG, _is_config),
    (SECRETS, lambda head: begins_as_object(head) and _is_secrets(head)),
    (STRIPE, lambda head: _STRIPE.match(head) is not None),
    (LOG, _is_log),
    (SECRETS, _is_secrets),  # its beginning is lost, or another file's
)
"""The first that holds for a file's first bytes decides. Then it may still be a csv file: see `csv_kind`."""


def kind_of(head: bytes) -> str | None:
    """The kind that a file's first bytes (unpacked) tell, None if they tell none; conversions are undone here."""
    conversion = convert.undo(head)
    text = head if conversion is None else conversion.data
    if why_unread(text, "") is not None:
        return None  # whatever stands in it, it is no text
    found = next((kind for kind, holds in _MARKS if holds(text)), None)
    if found is None and text[:1].isascii():
        lines = _first_lines(text) + b"\n"
        saved = resaved.undo(lines)
        found = csv_kind(lines if saved is None else saved.data)
    return found
