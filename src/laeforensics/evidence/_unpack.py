"""Compressed bytes unpacked as a stream, never past a limit."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from laeforensics.evidence.hindrances import Hindrance, hindrance

#: No single file of more bytes than this is parsed (it is hashed all the same): a log has some 100 kB.
LARGEST_FILE = 64 << 20
#: All files of one archive together.
LARGEST_WHOLE = 16 << 30
#: Files in one archive.
MOST_MEMBERS = 200_000
#: Archives inside an archive that are gone into, each twice; or zip files one after another.
MOST_INSIDE = 1000
#: Unpacked bytes for one packed byte, once RATIO_FROM bytes are unpacked. Real logs reach 20, repeated ones 200.
LARGEST_RATIO = 1000
RATIO_FROM = 64 << 20
MOST_LAYERS = 4
"""So many times one file is unpacked out of another."""

_MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_MAGICS = tuple(_MAGIC)
_SKIPPABLE = b"\x2a\x4d\x18"
"""Behind a first byte 0x50 to 0x5f: a frame of zstd that holds no data, and that others follow."""
_XZ_MEMORY = 192 << 20
_CHUNK = 1 << 18
_MOST_CHUNKS = 256
_SMALL = 1 << 12


Read = Callable[[int], bytes]
"""What reads a stream from front to back, as `Readable.read`."""


class Readable(Protocol):
    """A stream that is read from front to back."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` of them; none at the end."""
        ...


class Damaged(Exception):
    """Packed bytes that are not what was packed, or that nobody should unpack; `problem` says why."""

    def __init__(self, problem: Hindrance) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Unpacked(NamedTuple):
    """What came out.

    `problem` says why it is not all there, or why none of it can be believed (then `data` is empty).
    """

    data: bytes
    problem: Hindrance | None


def packing(head: bytes) -> str | None:
    """The suffix that belongs to bytes which begin with `head`, None if they are not compressed: names may lie."""
    if head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F:
        return ".zst"
    if not head.startswith(_MAGICS):
        return None
    return next(suffix for magic, suffix in _MAGIC.items() if head.startswith(magic))


def stream(packed: Readable, suffix: str) -> Read:
    """What reads a packed stream unpacked, which must stand at its beginning: of one that is cut, what is before that.

    Reading it raises EOFError (cut), OSError, zlib.error, lzma.LZMAError (damaged).
    """
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=packed, mode="rb").read1  # type: ignore[call-overload,no-any-return]
    if suffix == ".bz2":
        return bz2.BZ2File(packed).read1  # type: ignore[call-overload,no-any-return]
    if suffix == ".xz":
        return _Xz(packed).read
    import pyarrow

    source = pyarrow.CompressedInputStream(pyarrow.PythonFile(_Lent(packed), "r"), "zstd")
    return lambda size: bytes(source.read(min(size, _SMALL)))


class _Lent:
    """A stream that its borrower cannot close."""

    closed = False

    def __init__(self, lender: Readable) -> None:
        self.read = lender.read

    def close(self) -> None:
        """The lender closes it."""


class _Xz:
    """An .xz stream whose dictionary is kept within bounds (the library's own file object has no limit)."""

    def __init__(self, packed: Readable) -> None:
        self._packed = packed
        self._decoder = self._begin()
        self._rest = b""
        self._begun = False

    def _begin(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        while True:
            if self._decoder.eof:
                self._rest = (self._decoder.unused_data or self._packed.read(_CHUNK)).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._decoder = self._begin()
            elif self._decoder.needs_input and not self._rest:
                self._rest = self._packed.read(_CHUNK)
                if not self._rest:
                    raise EOFError("the compressed file ends too early")
            fed, self._rest = self._rest, b""
            data = self._decoder.decompress(fed, size)
            if data:
                return data


def unpack(packed: Readable, suffix: str, *, limit: int = LARGEST_FILE) -> Unpacked:
    """All bytes of a packed stream.

    A stream that is cut gives what came before; one whose checksum is wrong gives nothing.
    """
    chunks: list[bytes] = []
    size = 0
    found = None
    try:
        read = stream(packed, suffix)
        while chunk := read(_CHUNK):
            size += len(chunk)
            if size > limit:
                return Unpacked(b"", hindrance("bomb", f"{limit} bytes, which is more than this software reads"))
            chunks.append(chunk)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        found = hindrance_of(error)
        if not is_cut(error):
            chunks.clear()
    return Unpacked(b"".join(chunks), found)


def unwrapped(data: bytes) -> Unpacked:
    """A file's bytes out of as many packings as they were put in, one after the other."""
    for _ in range(MOST_LAYERS):
        suffix = packing(data)
        if suffix is None:
            return Unpacked(data, None)
        data, found = unpack(io.BytesIO(data), suffix)
        if found is not None:
            return Unpacked(data if packing(data) is None else b"", found)
    return Unpacked(data, None) if packing(data) is None else Unpacked(b"", hindrance("layers", MOST_LAYERS))


def unwrapped_head(data: bytes) -> bytes:
    """What the first bytes of a file unpack to, as far as they go; themselves, if they are not packed."""
    for _ in range(MOST_LAYERS):
        suffix = packing(data)
        if suffix is None:
            break
        chunks: list[bytes] = []
        with contextlib.suppress(EOFError, OSError, zlib.error, lzma.LZMAError):
            read = stream(io.BytesIO(data), suffix)
            while len(chunks) < _MOST_CHUNKS and (chunk := read(_CHUNK)):
                chunks.append(chunk)
        data = b"".join(chunks)
    return data


def is_cut(error: Exception) -> bool:
    """True if what was unpacked before the error is whole: the stream ended too early, or something follows it."""
    return isinstance(error, EOFError) or any(
        words in str(error) for words in ("Truncated", "Not a gzipped file", "Unknown frame descriptor")
    )


def hindrance_of(error: Exception) -> Hindrance:
    """An unpacking error as one of the known reasons."""
    if isinstance(error, EOFError) or "Truncated" in str(error):
        return hindrance("cut stream")
    if is_cut(error):
        return hindrance("behind stream")
    if isinstance(error, lzma.LZMAError) and "limit" in str(error).lower():
        return hindrance("memory", f"{_XZ_MEMORY >> 20} MiB", do=("xz -d --memlimit=MAX",))
    if "too much memory" in str(error):
        return hindrance("memory", "a window of 128 MiB", do=("zstd -d --long=31",))
    return hindrance("damaged stream")


class Forward:
    """A stream that can only go forward, counts what it gives, and refuses to give too much.

    It has the face of a file, so that the library that reads archives can skip in it.
    Raises Damaged where a limit is passed.
    """

    def __init__(self, source: Read, packed_so_far: Callable[[], int]) -> None:
        self._source = source
        self._packed_so_far = packed_so_far
        self._position = 0
        self._ahead = b""
        self.last = b""
        """The last bytes given: by them one sees how an archive ended."""
        self.problem: Hindrance | None = None
        """Why the stream ended where it did, if it did not end well."""

    def tell(self) -> int:
        """How many bytes were given or skipped."""
        return self._position

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Skip to `position`, which must lie ahead."""
        if whence != io.SEEK_SET or position < self._position:
            raise Damaged(hindrance("no archive", "its members overlap"))
        while self._position < position and self._take(min(_CHUNK, position - self._position)):
            pass
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        if not 0 <= size <= LARGEST_FILE:
            raise Damaged(hindrance("no archive", f"a header of {size} bytes"))
        chunks = []
        while size > 0 and (chunk := self._take(min(_CHUNK, size))):
            chunks.append(chunk)
            size -= len(chunk)
        self.last = b"".join(chunks)
        return self.last

    def push(self, data: bytes) -> None:
        """Take back the bytes that were read last: they come again."""
        self._ahead = data + self._ahead
        self._position -= len(data)

    def _take(self, size: int) -> bytes:
        try:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            data = data or self._source(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if not is_cut(error):
                raise Damaged(hindrance_of(error)) from None
            self.problem = hindrance_of(error)
            return b""
        self._position += len(data)
        if self._position > LARGEST_WHOLE:
            raise Damaged(hindrance("bomb", f"{LARGEST_WHOLE} bytes"))
        if self._position > RATIO_FROM and self._position > LARGEST_RATIO * max(1, self._packed_so_far()):
            raise Damaged(hindrance("bomb", f"{LARGEST_RATIO} times its size"))
        return data
