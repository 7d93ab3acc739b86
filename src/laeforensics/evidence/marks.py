"""The marks by which the content of a file tells its kind: its first bytes are enough, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from laeforensics.evidence import convert, resaved
from laeforensics.evidence.hindrances import Hindrance, hindrance
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

# A log is known by lines that the programs alone print; each stands at the beginning of its line.
_LOG_LINES = (
    b">Automation script started.",
    b"On separate lines: Activation key, Product code, Name, Email, Key info",
    b"Received all fields, thanks.",
    b">Signing up customer for ",
    b">Activating license...",
    b">License activated.",
    b">Verifying subscription...",
    b"DevPay License subscription active?",
    b">Creating S3 bucket",
    b">S3 bucket created.",
    b">Deploying EC2 instance...",
    b">EC2 instance started.",
    b"<txaws.ec2.model.Instance object at ",
    b">The server's public address is ",
    b">Installing dependencies...",
    b">Finished server installation.",
    b">Starting introducer...",
    b">The introducer and storage server are running.",
    b">The settings for your gateway's tahoe.cfg are:",
    b"The settings for your gateway's tahoe.cfg are:",
    b">Restoring introducer identity...",
    b">Reading secrets...",
    b">Sending confirmation e-mail to <",
    b">Notifying one of our staff",
    b"activationkey = '",
    b"-activationkey = '",
    b"entering activate_subscribed_service call.",
    b"[ubuntu@",
    b"[customer@",
    b"[monitor@",
    b"-[ubuntu@",
    b"-[customer@",
)
_PREFIXED = (b">Automation script started.>", b">Deploying EC2 instance...>", b">Reading secrets...>")
_SECRETS_KEYS = re.compile(
    rb'"(access_key_id|secret_key|user_token|product_token|bucket_name|public_?host|private_?host'
    rb'|(?:introducer|server)_node(?:_pem|id|_privkey)|(?:external|internal)_introducer_furl)"\s*:'
)
_CONFIG_KEYS = re.compile(rb'"(products|product_code|plan_ID|full_name|product_token|ami_image_id|instance_size)"\s*:')
_STRIPE = re.compile(rb'\s*\[\s*"[^"]*@[^"]*"\s*,.*"(?:cus|sub)_', re.DOTALL)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row of the table: `holds` tells from a file's first bytes whether it is of the kind."""

    kind: str
    holds: Callable[[bytes], bool]


def _is_log(head: bytes) -> bool:
    return any(head.startswith(line) or b"\n" + line in head for line in _LOG_LINES)


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
    lines = [line.rstrip() for line in text.split(b"\n") if line.strip()]
    if len(_NAMED.findall(text)) > 1 and all(_LISTED.fullmatch(line) or _HASHED.fullmatch(line) for line in lines):
        return True
    return bool(lines) and all(_HASHED.fullmatch(line) for line in lines)


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


MARKS: tuple[Mark, ...] = (
    Mark(kind=LISTING, holds=_is_listing),
    Mark(kind=CONFIG, holds=_is_config),
    Mark(kind=SECRETS, holds=lambda head: begins_as_object(head) and _is_secrets(head)),
    Mark(kind=STRIPE, holds=lambda head: _STRIPE.match(head) is not None),
    Mark(kind=LOG, holds=_is_log),
    Mark(kind=SECRETS, holds=_is_secrets),  # its beginning is lost, or another file's
)
"""The first that holds decides. Then a file may still be a csv file: see `csv_kind`."""


def kind_of(head: bytes) -> str | None:
    """The kind that a file's first bytes (unpacked) tell, None if they tell none; conversions are undone here."""
    conversion = convert.undo(head)
    text = head if conversion is None else conversion.data
    found = next((mark.kind for mark in MARKS if mark.holds(text)), None)
    if found is None and text[:1].isascii():
        lines = _first_lines(text) + b"\n"
        saved = resaved.undo(lines)
        found = csv_kind(lines if saved is None else saved.data)
    return found


# What is known and not read: its first bytes, its name, what to do.
_PACKINGS: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"MSCF", "a cabinet of Windows"),
    (b"LZIP", "lzip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x89LZO\0", "lzop"),
    (b"\x1f\x9d", "compress (.Z)"),
    (b"]\0\0", "lzma"),
    (b"\xfd7zXZ", "xz"),
    (b"xar!", "a xar archive"),
    (b"!<arch>\n", "an ar archive (or a Debian package)"),
    (b"\xed\xab\xee\xdb", "a package of rpm"),
    (b"070701", "a cpio archive"),
    (b"070707", "a cpio archive"),
    (b"hsqs", "a squashfs image"),
    (b"QFI\xfb", "a qcow2 image"),
    (b"KDMV", "a vmdk image"),
    (b"conectix", "a vhd image"),
    (b"PK", "a damaged zip archive"),
)
_ENCRYPTED: tuple[tuple[bytes, str], ...] = (
    (b"-----BEGIN PGP MESSAGE-----", "PGP"),
    (b"age-encryption.org/", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (b"Salted__", "openssl enc"),
    (b"LUKS\xba\xbe", "LUKS"),
    (b"VimCrypt~", "vim"),
)
_POINTERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "Git LFS", "git lfs pull"),
    (b"/annex/objects/", "git-annex", "git annex get"),
    (b"L\0\0\0\1\x14\2\0", "Windows (a shortcut)", "open it, and copy what it leads to"),
    (b"[InternetShortcut]", "a browser", "open it, and save what it leads to"),
    (b"IntxLNK\1", "cygwin or CIFS (a link)", "copy what it leads to"),
    (b"!<symlink>", "cygwin (a link)", "copy what it leads to"),
)
_DOCUMENTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old document of Office"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\0", "a data base of SQLite"),
    (b"b0VIM ", "what vim left of an editing session (vim -r recovers it)"),
    (b"!BDN", "a mailbox of Outlook"),
)
_PGP_PACKETS = frozenset({0x84, 0x85, 0x86, 0x8C, 0x8D, 0x8E, 0xA3, 0xC1, 0xC3, 0xD2})
_PLACEHOLDER = re.compile(rb"bplist00.{0,200}NSURL", re.DOTALL)


_PART = re.compile(
    r".+\.(?:zip|7z|rar|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst)\.(?:[0-9]{3}|(?!bz)[a-c][a-z]|part[0-9]+)"
    r"|.+\.part[0-9]+\.rar|.+\.[zr][0-9]{2}",
    re.IGNORECASE | re.DOTALL,
)


def is_part_name(name: str) -> bool:
    """True for the name of one of the files that a divided archive lies in: `X.zip.001`, `X.tar.gz.aa`, `X.z01`."""
    return _PART.fullmatch(name) is not None


def why_unread(head: bytes, base: str) -> Hindrance | None:
    """Why a file of no known kind cannot be read, by its first bytes and its own name; None if they do not tell."""
    if is_part_name(base):
        return hindrance("split")
    for magic, name in _PACKINGS:
        if head.startswith(magic):
            if magic == b"PK":
                return hindrance("no archive", name) if head[2:4] in (b"\1\2", b"\3\4", b"\5\6", b"\7\x08") else None
            return hindrance("packing", name)
    if head[257:262] == b"ustar":
        return hindrance("no archive", "a damaged tar archive")
    for magic, name in _ENCRYPTED:
        if head.startswith(magic):
            return hindrance("encrypted", name)
    if base.lower().endswith((".gpg", ".pgp", ".asc")) and head[:1] and head[0] in _PGP_PACKETS:
        return hindrance("encrypted", "PGP")
    for magic, name, how in _POINTERS:
        if head.startswith(magic) or (magic.startswith(b"/annex") and magic in head[:512]):
            return hindrance("pointer", name, do=(how,))
    if _PLACEHOLDER.match(head):
        return hindrance("pointer", "iCloud", do=("open it once on that Mac",))
    return next((hindrance("document", name) for magic, name in _DOCUMENTS if head.startswith(magic)), None)


def why_prefixed(data: bytes) -> Hindrance | None:
    """Why a text whose lines are a log's, but for what each begins with, was not read; None if it is no such text."""
    for line in _PREFIXED:
        at = data.find(line)
        start = data.rfind(b"\n", 0, max(at, 0)) + 1
        prefix = data[start:at]
        if at < 0 or not prefix:
            continue
        width = len(prefix)
        lines = [text for text in data[start:].split(b"\n")[:40] if text]
        if sum(text.startswith(prefix) for text in lines) * 2 > len(lines):
            shown = prefix.decode("ascii", "replace").replace("{", "(").replace("}", ")")
            return hindrance("prefixed", f"{shown!r}", do=(f"cut -b {width + 1}- FILE",))
        if len(lines) > 1 and _share_alike(lines, prefix) > 0.5:
            return hindrance("prefixed", f"{width} other characters", do=(f"cut -b {width + 1}- FILE",))
    return None


def _share_alike(lines: Iterable[bytes], prefix: bytes) -> float:
    """How many of the lines begin like the prefix, but for digits: numbers of lines, times."""
    shape = re.sub(rb"[0-9]", b"0", prefix)
    told = [re.sub(rb"[0-9]", b"0", line[: len(prefix)]) for line in lines]
    alike = sum(_blanked(text) == _blanked(shape) for text in told)
    return alike / len(told)


def _blanked(text: bytes) -> bytes:
    return text.replace(b" ", b"0")
