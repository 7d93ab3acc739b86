"""Bytes of the evidence, with their hashes; the only module that opens a file of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from laeforensics.evidence import _archives, _unpack
from laeforensics.evidence.recognise import (
    ARCHIVE,
    LEFT_OUT,
    OTHER,
    EvidenceFile,
)

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The unpacked bytes of one file, the SHA-256 of the file as it lies, what kept us from reading it, if anything."""

    data: bytes
    sha256: str
    problem: str | None = None
    code: str = "unreadable-file"
    """The code of the finding about the problem."""
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
            yield file, Content(data=b"", sha256="", problem=file.problem, code="left-out")
        elif file.kind == ARCHIVE:
            yield from _archive(file, members.pop(file.path, []))
        else:
            yield file, read(file) if here else None


def _archive(archive: EvidenceFile, members: list[EvidenceFile]) -> Iterator[tuple[EvidenceFile, Content]]:
    wanted = {file.member: file for file in members if file.problem is None}
    for file in members:
        if file.problem is not None:
            yield file, Content(data=b"", sha256="", problem=file.problem, code="left-out")
    digest = ""
    problem = archive.problem
    try:
        with opened(archive.path) as raw:
            for index, data, why in _archives.contents(raw, {n for n in wanted if n is not None}):
                yield wanted.pop(index), _content(data, hashlib.sha256(data).hexdigest(), why)
            raw.seek(0)
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
    except OSError as error:
        problem = error.strerror or type(error).__name__
    for file in wanted.values():
        why = "it could not be reached: the archive is cut off or damaged before it"
        yield file, Content(data=b"", sha256="", problem=why, code="damaged-archive")
    yield archive, Content(data=b"", sha256=digest, problem=problem, code="damaged-archive")


def read(file: EvidenceFile) -> Content:
    """The bytes of a file that lies in a folder. An unreadable file gives no bytes and says why; it never raises."""
    try:
        with opened(file.path) as raw:
            if file.kind == OTHER or file.size > _unpack.LARGEST_FILE:
                return _only_hashed(file, raw)
            data = raw.read()
    except OSError as error:
        return Content(data=b"", sha256="", problem=error.strerror or type(error).__name__)
    return _content(data, hashlib.sha256(data).hexdigest(), None)


def _only_hashed(file: EvidenceFile, raw: io.BufferedReader) -> Content:
    digest = hashlib.file_digest(raw, "sha256").hexdigest()
    too_large = f"{file.size} bytes is more than this software reads ({_unpack.LARGEST_FILE})"
    return Content(data=b"", sha256=digest, problem=None if file.kind == OTHER else too_large)


def _content(data: bytes, sha256: str, problem: str | None) -> Content:
    suffix = _unpack.packing(data)
    if suffix is not None:
        data, why = _unpack.unpack(io.BytesIO(data), suffix)
        problem = problem or why
    return Content(data=data, sha256=sha256, problem=problem, code="damaged-archive")


def opened(path: Path) -> contextlib.closing[io.BufferedReader]:
    """The file, opened for reading bytes. Raises OSError."""
    return contextlib.closing(io.BufferedReader(io.FileIO(path), _CHUNK))


def read_beside(path: Path) -> bytes:
    """The bytes of a file that is named by itself: a saved inventory, a monthly product token file. Raises OSError."""
    return path.read_bytes()
