"""Undo what mail, editors or other systems do to a whole text file, keeping the places of the original."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from laeforensics.evidence import prefixed

_CRLF = re.compile(rb"\r\n")
_NO_BREAK = re.compile(rb"\xc2\xa0")
_UTF8_BOM = b"\xef\xbb\xbf"
_STRIDE = 1 << 10
"""Of so many characters one is known by its place in both texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """`data` as the program wrote it, `what` was undone, and `back` from its offsets to those of the file."""

    data: bytes
    what: str
    back: Callable[[int], int]


def undo(data: bytes) -> Conversion | None:
    """The conversion that a file went through as a whole, None if it went through none.

    UTF-16 (either order, with or without its mark), a UTF-8 byte order mark, CRLF line ends; or several of them. Where
    only some lines end with CRLF, one carriage return before each line feed is dropped: that ends no line and begins
    none, so no remote text becomes a line of its own by it. Where all lines end with one more, as in a file that was
    sent as text twice, that goes, too. Every other carriage return stays. Last, no-break spaces for all blanks, and
    what stands before every line of a log.
    """
    found: list[Conversion] = []
    for step in (_utf16, _bom, _crlf, _crlf_again, _no_break, _prefixed):
        done = step(data)
        if done is not None:
            found.append(done)
            data = done.data
    if not found:
        return None

    def back(offset: int) -> int:
        for conversion in reversed(found):
            offset = conversion.back(offset)
        return offset

    return Conversion(data=data, what=", ".join(c.what for c in found), back=back)


def _utf16(data: bytes) -> Conversion | None:
    head = data[:64]
    if head.startswith(b"\xff\xfe"):
        codec, mark = "utf-16-le", 2
    elif head.startswith(b"\xfe\xff"):
        codec, mark = "utf-16-be", 2
    elif len(head) >= 16 and not any(head[1::2]) and all(head[0::2]):
        codec, mark = "utf-16-le", 0
    elif len(head) >= 16 and not any(head[0::2]) and all(head[1::2]):
        codec, mark = "utf-16-be", 0
    else:
        return None
    try:
        text = data[mark : len(data) - (len(data) - mark) % 2].decode(codec)
    except UnicodeDecodeError:
        return None
    if text.isascii() or max(text) <= "\xff":
        return Conversion(data=text.encode("latin-1"), what="UTF-16", back=lambda offset: mark + 2 * offset)
    view = text.encode("utf-8")
    there, here = array("q", [0]), array("q", [mark])
    for start in range(0, len(text), _STRIDE):
        some = text[start : start + _STRIDE]
        there.append(there[-1] + len(some.encode("utf-8")))
        here.append(here[-1] + len(some.encode(codec)))

    def back(offset: int) -> int:
        at = bisect_right(there, offset) - 1
        return here[at] + len(view[there[at] : offset].decode("utf-8", "ignore").encode(codec))

    return Conversion(data=view, what="UTF-16", back=back)


def _bom(data: bytes) -> Conversion | None:
    if not data.startswith(_UTF8_BOM):
        return None
    return Conversion(data=data[3:], what="a byte order mark", back=lambda offset: offset + 3)


def _crlf(data: bytes) -> Conversion | None:
    # One byte is searched for fastest; for two, an expression does it several times as fast as bytes do.
    if b"\r" not in data or _CRLF.search(data) is None:
        return None
    dropped = array("q", (match.start() - number for number, match in enumerate(_CRLF.finditer(data))))
    return Conversion(
        data=data.replace(b"\r\n", b"\n"),
        what="CRLF line ends" if len(dropped) == data.count(b"\n") else "CRLF at some line ends",
        back=lambda offset: offset + bisect_left(dropped, offset),
    )


def _crlf_again(data: bytes) -> Conversion | None:
    return _crlf(data) if b"\r" in data and data.count(b"\r\n") == data.count(b"\n") else None


def _no_break(data: bytes) -> Conversion | None:
    if b" " in data or _NO_BREAK.search(data) is None:
        return None
    dropped = array("q", (match.start() - number for number, match in enumerate(_NO_BREAK.finditer(data))))
    return Conversion(
        data=data.replace(b"\xc2\xa0", b" "),
        what="no-break spaces for blanks",
        back=lambda offset: offset + bisect_left(dropped, offset),
    )


def _prefixed(data: bytes) -> Conversion | None:
    done = prefixed.undo(data)
    return None if done is None else Conversion(data=done.data, what="a prefix before every line", back=done.back)
