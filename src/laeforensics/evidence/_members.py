"""One member of an archive, whatever the archive: its place, its clean name, its bytes as they come."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from laeforensics.evidence._unpack import LARGEST_FILE, Read
from laeforensics.evidence.hindrances import Hindrance, hindrance

Index = tuple[int, ...]
"""A member's place in its archive, from 0; of an archive inside an archive, with the place of that before it."""

_DRIVE = re.compile("[A-Za-z]:")
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive: its place, its name as a clean POSIX path, why it is left out, if so."""

    index: Index
    name: str
    size: int
    problem: Hindrance | None = None
    link: str | None = None
    """The clean name of the member that it stands for; its bytes are that one's."""
    is_archive: bool = False
    """True for an archive inside the archive; its members stand before it."""


@dataclass(slots=True)
class Body:
    """The bytes of a member, from front to back; only until the next member is asked for."""

    read: Read = lambda size: b""
    _begun: bytes = field(default=b"", init=False)

    def head(self, size: int) -> bytes:
        """The first bytes, which stay there to be read."""
        while len(self._begun) < size and (chunk := self.read(size - len(self._begun))):
            self._begun += chunk
        return self._begun[:size]

    def whole(self) -> bytes:
        """All bytes."""
        chunks = [self._begun]
        while chunk := self.read(_CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)


def portion(read: Read, left: int) -> Read:
    """What reads so many bytes of a stream that only goes forward; fewer where the stream ends before them."""

    def some(size: int) -> bytes:
        nonlocal left
        data = read(min(size, left)) if left else b""
        left = left - len(data) if data else 0
        return data

    return some


class Slice(io.RawIOBase):
    """The bytes of a file from `start` to `end`, as a file of their own that can be sought in."""

    def __init__(self, raw: BinaryIO, start: int, end: int) -> None:
        self._raw, self._start, self._size = raw, start, end - start
        self._at = 0
        self.starts_file = start == 0
        """True if it is what stands before something."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = max(0, min(len(buffer), self._size - self._at))
        self._raw.seek(self._start + self._at)
        data = self._raw.read(size)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def clean(name: str) -> str:
    """A member's name as tar would unpack it here: drives, leading slashes and `..` are taken off, `\\` is `/`."""
    parts = name.replace("\\", "/").removeprefix("//?/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)).strip("\0")


def member(index: int, name: str, size: int, found: Hindrance | None, *, link: str | None = None) -> Member:
    """A member as it is listed; one without a name, or too large, has that as its problem."""
    called = clean(_DRIVE.sub("", name, count=1) if _DRIVE.match(name) else name)
    if not called:
        found = hindrance("no name")
    elif found is None and size > LARGEST_FILE:
        found = hindrance("too large", size, LARGEST_FILE)
    return Member(index=(index,), name=called or "(no name)", size=size, problem=found, link=link)


def beside(name: str, target: str) -> str:
    """The clean name of what a symbolic link leads to, from the clean name of the link."""
    if target.startswith(("/", "\\")) or _DRIVE.match(target):
        return clean(target)
    parts = name.split("/")[:-1]
    for part in target.replace("\\", "/").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
