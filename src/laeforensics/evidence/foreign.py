"""Why a file that is no evidence of a known kind was not read, by its first bytes or its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from laeforensics.evidence.hindrances import Hindrance, hindrance

_PREFIXED = (b">Automation script started.>", b">Deploying EC2 instance...>", b">Reading secrets...>")
_FIRST_BYTES: tuple[tuple[bytes, str, str, tuple[str, ...]], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "packing", "a 7z archive", ()),
    (b"Rar!\x1a\x07", "packing", "a rar archive", ()),
    (b"MSCF", "packing", "a cabinet of Windows", ()),
    (b"LZIP", "packing", "lzip", ()),
    (b"\x04\x22\x4d\x18", "packing", "lz4", ()),
    (b"\x89LZO\0", "packing", "lzop", ()),
    (b"\x1f\x9d", "packing", "compress (.Z)", ()),
    (b"]\0\0", "packing", "lzma", ()),
    (b"\xfd7zXZ", "packing", "xz", ()),
    (b"xar!", "packing", "a xar archive", ()),
    (b"!<arch>\n", "packing", "an ar archive (or a Debian package)", ()),
    (b"\xed\xab\xee\xdb", "packing", "a package of rpm", ()),
    (b"070701", "packing", "a cpio archive", ()),
    (b"070707", "packing", "a cpio archive", ()),
    (b"hsqs", "packing", "a squashfs image", ()),
    (b"QFI\xfb", "packing", "a qcow2 image", ()),
    (b"KDMV", "packing", "a vmdk image", ()),
    (b"conectix", "packing", "a vhd image", ()),
    (b"PK\1\2", "no archive", "a damaged zip archive", ()),
    (b"PK\3\4", "no archive", "a damaged zip archive", ()),
    (b"PK\5\6", "no archive", "a damaged zip archive", ()),
    (b"PK\7\x08", "no archive", "a damaged zip archive", ()),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted", "PGP", ()),
    (b"age-encryption.org/", "encrypted", "age", ()),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted", "age", ()),
    (b"Salted__", "encrypted", "openssl enc", ()),
    (b"LUKS\xba\xbe", "encrypted", "LUKS", ()),
    (b"VimCrypt~", "encrypted", "vim", ()),
    (b"version https://git-lfs.github.com/spec/", "pointer", "Git LFS", ("git lfs pull",)),
    (b"L\0\0\0\1\x14\2\0", "pointer", "Windows (a shortcut)", ("open it, and copy what it leads to",)),
    (b"[InternetShortcut]", "pointer", "a browser", ("open it, and save what it leads to",)),
    (b"IntxLNK\1", "pointer", "cygwin or CIFS (a link)", ("copy what it leads to",)),
    (b"!<symlink>", "pointer", "cygwin (a link)", ("copy what it leads to",)),
    (b"%PDF-", "document", "a PDF document", ()),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", "an old document of Office", ()),
    (b"{\\rtf", "document", "an RTF document", ()),
    (b"SQLite format 3\0", "document", "a data base of SQLite", ()),
    (b"b0VIM ", "edited", "what vim left of an editing session (vim -r recovers it)", ()),
    (b"!BDN", "document", "a mailbox of Outlook", ()),
)
"""How a file begins, why it is not read, what it is, what helps."""
_BEGINNINGS = tuple(magic for magic, _, _, _ in _FIRST_BYTES)
_PGP_PACKETS = frozenset({0x84, 0x85, 0x86, 0x8C, 0x8D, 0x8E, 0xA3, 0xC1, 0xC3, 0xD2})
_PLACEHOLDER = re.compile(rb"bplist00.{0,200}NSURL", re.DOTALL)


_PART = re.compile(
    r".+\.(?:zip|7z|rar|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst)\.(?:[0-9]{3}|(?!bz)[a-c][a-z]|part[0-9]+)"
    r"|.+\.part[0-9]+\.rar|.+\.[zr][0-9]{2}",
    re.IGNORECASE | re.DOTALL,
)


def is_document(head: bytes) -> bool:
    """True for a document of an office program, which is a zip file of parts that are none by themselves."""
    return head.startswith(b"PK\3\4") and (
        b"[Content_Types].xml" in head or head[30:].startswith(b"mimetypeapplication/")
    )


def is_part_name(name: str) -> bool:
    """True for the name of one of the files that a divided archive lies in: `X.zip.001`, `X.tar.gz.aa`, `X.z01`."""
    return _PART.fullmatch(name) is not None


def why_unread(head: bytes, base: str) -> Hindrance | None:
    """Why a file of no known kind cannot be read, by its first bytes and its own name; None if they do not tell."""
    if is_part_name(base):
        return hindrance("split")
    if is_document(head):
        return hindrance("document", "a document of an office program")
    for magic, reason, name, how in _FIRST_BYTES if head.startswith(_BEGINNINGS) else ():
        if head.startswith(magic):
            return hindrance(reason, name, do=how)
    if head[257:262] == b"ustar":
        return hindrance("no archive", "a damaged tar archive")
    if base.lower().endswith((".gpg", ".pgp", ".asc")) and head[:1] and head[0] in _PGP_PACKETS:
        return hindrance("encrypted", "PGP")
    if b"/annex/objects/" in head[:512]:
        return hindrance("pointer", "git-annex", do=("git annex get",))
    if _PLACEHOLDER.match(head):
        return hindrance("pointer", "iCloud", do=("open it once on that Mac",))
    return None


_LONGEST_PREFIX = 200
_MOST_SHOWN = 20
"""A longer prefix is told by its length: what it holds may be a secret."""


def why_prefixed(data: bytes) -> Hindrance | None:
    """Why a text whose lines are a log's, but for what each begins with, was not read; None if it is no such text."""
    for line in _PREFIXED:
        at = data.find(line)
        start = data.rfind(b"\n", 0, max(at, 0)) + 1
        prefix = data[start:at]
        width = len(prefix)
        lines = [text for text in data[start:].split(b"\n")[:40] if text]
        if at < 0 or not 0 < width <= _LONGEST_PREFIX or len(lines) < 2:
            continue  # of one long line nothing stands before others: what stands there may be anything, keys as well
        if width <= _MOST_SHOWN and sum(text.startswith(prefix) for text in lines) * 2 > len(lines):
            shown = prefix.decode("ascii", "replace").replace("{", "(").replace("}", ")")
            return hindrance("prefixed", f"{shown!r}", do=(f"cut -b {width + 1}- FILE",))
        if _share_alike(lines, prefix) > 0.5:
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
