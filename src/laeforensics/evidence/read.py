"""Bytes of the evidence, with their hashes; the only module that opens a file of it."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, overload

from laeforensics.evidence import _archives, _unpack, convert
from laeforensics.evidence._members import Index
from laeforensics.evidence.hindrances import Hindrance, hindrance
from laeforensics.evidence.names import NOBODY, Named, accounts_named
from laeforensics.evidence.recognise import (
    ARCHIVE,
    LEFT_OUT,
    LISTING,
    OTHER,
    EvidenceFile,
)

_CHUNK = 1 << 20
_OVERLAP = 1 << 8
"""No name of an account is longer."""
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The unpacked bytes of one file, the SHA-256 of the file as it lies, what kept us from reading it, if anything."""

    data: bytes
    sha256: str
    problem: Hindrance | None = None
    code: str = "unreadable-file"
    """The code of the finding about the problem."""
    also: tuple[Hindrance, ...] = ()
    """What else is wrong, of an archive."""
    named: Named = NOBODY
    """Who is named in it, where it is no evidence of a known kind, or could not be read."""
    back: Callable[[int], int] | None = None
    """From an offset in `data` to the offset in the file, where the two differ."""


@overload
def contents(files: Iterable[EvidenceFile]) -> Iterator[tuple[EvidenceFile, Content]]: ...


@overload
def contents(files: Iterable[EvidenceFile], *, here: bool) -> Iterator[tuple[EvidenceFile, Content | None]]: ...


def contents(files: Iterable[EvidenceFile], *, here: bool = True) -> Iterator[tuple[EvidenceFile, Content | None]]:
    """Each file with its bytes, one at a time; an archive is gone through once, its members come in its own order.

    Unless `here`, files that lie in a folder come without: whoever gets them reads them with `read`.
    Nothing is raised: an unreadable file gives no bytes and says why.
    """
    members: dict[Path, list[EvidenceFile]] = defaultdict(list)
    alone: list[EvidenceFile] = []
    for file in files:
        (alone if file.member is None else members[file.path]).append(file)
    for file in alone:
        if file.kind == LEFT_OUT:
            yield file, _left_out(file)
        elif file.kind == ARCHIVE:
            yield from _archive(file, members.pop(file.path, []))
        else:
            yield file, read(file) if here else None


def _left_out(file: EvidenceFile) -> Content:
    unreadable = file.problem is not None and file.problem.reason in ("folder", "unreadable")
    code = "unreadable-file" if unreadable else "left-out"
    return Content(data=b"", sha256="", problem=file.problem, code=code)


def _archive(archive: EvidenceFile, members: list[EvidenceFile]) -> Iterator[tuple[EvidenceFile, Content]]:
    wanted: dict[Index, list[EvidenceFile]] = defaultdict(list)
    for file in members:
        if file.kind == LEFT_OUT:
            yield file, _left_out(file)
        elif file.member is not None:
            wanted[file.member].append(file)
    digest = ""
    found = archive.problem
    named = NOBODY
    try:
        with opened(archive.path) as raw:
            for index, data, why in _archives.contents(raw, wanted.keys()):
                for file in wanted.pop(index):
                    yield file, _member(file, data, why)
            raw.seek(0)
            digest, named = _hashed(raw, is_searched=found is not None and not members)
    except OSError as error:
        found = hindrance("unreadable", error.strerror or type(error).__name__)
    for file in (file for files in wanted.values() for file in files):
        yield file, Content(data=b"", sha256="", problem=hindrance("before member"), code="damaged-archive")
    yield (
        archive,
        Content(data=b"", sha256=digest, problem=found, code="damaged-archive", also=archive.also, named=named),
    )


def _member(file: EvidenceFile, data: bytes, why: Hindrance | None) -> Content:
    digest = hashlib.sha256(data).hexdigest()
    if file.kind == ARCHIVE:
        named = _named(data) if file.problem is not None else NOBODY
        return Content(data=b"", sha256=digest, problem=file.problem or why, code="damaged-archive", named=named)
    return _content(file, data, digest, why)


def read(file: EvidenceFile) -> Content:
    """The bytes of a file that lies in a folder. An unreadable file gives no bytes and says why; it never raises."""
    try:
        with opened(file.path, buffer=io.DEFAULT_BUFFER_SIZE) as raw:  # it is read at once, or in pieces of a megabyte
            if file.size > _unpack.LARGEST_FILE:
                digest, named = _hashed(raw, is_searched=file.kind != LISTING)
                too_large = hindrance("too large", file.size, _unpack.LARGEST_FILE)
                is_lost = named.surely or file.kind not in (OTHER, LISTING)
                return Content(data=b"", sha256=digest, problem=too_large if is_lost else None, named=named)
            data = raw.read()
    except OSError as error:
        return Content(data=b"", sha256="", problem=hindrance("unreadable", error.strerror or type(error).__name__))
    return _content(file, data, hashlib.sha256(data).hexdigest(), None)


def _hashed(raw: io.BufferedReader, *, is_searched: bool) -> tuple[str, Named]:
    """The SHA-256 of a file, and the accounts named in it, if it is searched for them."""
    digest, before = hashlib.sha256(), b""
    named = NOBODY
    while chunk := raw.read(_CHUNK):
        digest.update(chunk)
        if is_searched:
            named |= _named(before + chunk)
            before = chunk[-_OVERLAP:]
    return digest.hexdigest(), named


def _named(data: bytes) -> Named:
    return accounts_named(data.decode("latin-1"))


def _content(file: EvidenceFile, data: bytes, sha256: str, found: Hindrance | None) -> Content:
    unpacked, why = _unpack.unwrapped(data)
    found = found or why
    if file.kind in (OTHER, LISTING) or not unpacked:
        conversion = convert.undo(unpacked)
        named = _named(conversion.data if conversion is not None else unpacked or _unpack.unwrapped_head(data))
    else:
        named = NOBODY
    code = "unread-file" if file.kind == OTHER else "damaged-archive"
    return Content(data=unpacked, sha256=sha256, problem=found, code=code, named=named)


def peek(path: Path, size: int) -> bytes:
    """The first bytes of a file. Raises OSError."""
    with opened(path, buffer=size) as raw:
        return raw.read(size)


def opened(path: Path, *, buffer: int = _CHUNK) -> io.BufferedReader:
    """The file, opened for reading bytes, so many at a time. Raises OSError."""
    return io.BufferedReader(io.FileIO(path), buffer)


def read_beside(path: Path) -> bytes:
    """The bytes of a file that is named by itself: a saved inventory, a monthly product token file. Raises OSError."""
    return path.read_bytes()


def lines_beside(
    path: Path, make: Callable[[dict[str, Any]], _Made | None], refused: Callable[[int], Exception]
) -> Iterator[_Made]:
    """What is made of each JSON object of a file that is named by itself, one a line; nothing without such a file.

    Raises what `refused` makes of the number (from 1) of a line that is no object, or of which nothing can be made;
    OSError.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for number, line in enumerate(text.split("\n"), start=1):
        if line:
            try:
                made = make({**json.loads(line)})
            except (ValueError, RecursionError, TypeError, AttributeError):
                raise refused(number) from None
            if made is not None:
                yield made
