"""The members of zip files, with what stands around them."""

from __future__ import annotations

import functools
import itertools
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from laeforensics.evidence import _unpack
from laeforensics.evidence._members import Body, Member, Slice, beside, clean, member
from laeforensics.evidence._unpack import LARGEST_RATIO, LARGEST_WHOLE, MOST_INSIDE, Damaged, Read
from laeforensics.evidence.hindrances import Hindrance, hindrance

ERRORS = (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError, zlib.error)
MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_END, _END_SIZE = b"PK\x05\x06", 22
_LONGEST_END = _END_SIZE + (1 << 16)
_PART = b"PK\x07\x08"
"""How the first part of a divided zip file begins."""
_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_AES, _LONGEST_LINK = 99, 4096
_DAMAGED = hindrance("no archive", "its list of members is damaged")


def members(raw: BinaryIO, size: int) -> Iterator[tuple[Member, Body] | Hindrance | Slice]:
    """Each file with its bytes, what is wrong with the archive, and the stretches outside, to be read apart.

    Several zip files may lie in it, one after another. Raises Damaged.
    """
    found: list[tuple[zipfile.ZipFile, int, int]] = []
    before: Hindrance | Slice | None = None
    upto = size
    while upto and before is None:  # the last one is found first
        last = _last(raw, upto)
        if isinstance(last, Hindrance):
            before = last
            break
        archive, end = last
        found.append((archive, end, upto))
        if len(found) > MOST_INSIDE:
            raise Damaged(hindrance("bomb", f"{MOST_INSIDE} archives"))
        begin = min((info.header_offset for info in archive.infolist()), default=0)
        if not 0 <= begin < end:
            before = _DAMAGED
        elif begin:
            raw.seek(0)
            before = None if raw.read(4) in MAGIC else Slice(raw, 0, begin)
        upto = begin
    if before is not None:
        yield before
    numbers = itertools.count()
    for archive, end, upto in reversed(found):
        for info, index in zip(archive.infolist(), numbers, strict=False):
            if not info.is_dir() and not stat.S_ISDIR(info.external_attr >> 16):
                yield _member(index, info, archive)
        if end < upto:
            yield Slice(raw, end, upto)


def _last(raw: BinaryIO, size: int) -> tuple[zipfile.ZipFile, int] | Hindrance:
    """The last zip file within the first bytes, so many, with its end; or why it cannot be read. Raises Damaged."""
    found = _end_of(raw, size)
    if found is None:
        raw.seek(0)
        is_part = raw.read(len(_PART)) == _PART
        return hindrance("split") if is_part else hindrance("no archive", "its list of members is lost")
    end, disk = found
    if disk not in (b"\0\0", b"\xff\xff"):  # the end record says that other parts come before
        return hindrance("split")
    try:
        archive = zipfile.ZipFile(Slice(raw, 0, end))
    except ERRORS as error:
        return hindrance("split") if "disk" in str(error) else _DAMAGED
    _refuse_bombs(archive.infolist(), size)
    return archive, end


def ends_as_one(raw: BinaryIO, size: int) -> bool:
    """True if a zip file's end stands at the end of a file, and its list of members before it."""
    raw.seek(max(0, size - _LONGEST_END))
    tail = raw.read(_LONGEST_END)
    at = tail.rfind(_END)
    if not 0 <= at <= len(tail) - _END_SIZE:
        return False
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    raw.seek(max(0, size - len(tail) + at - length))
    return length > 0 and raw.read(4) == b"PK\x01\x02"


def _end_of(raw: BinaryIO, size: int) -> tuple[int, bytes] | None:
    """Where the last zip file ends in a file: behind its end record and its comment; None if there is none.

    With it the number of its part, as the record has it.
    """
    behind = size
    while behind > 0:
        start = max(0, behind - _CHUNK)
        raw.seek(start)
        window = raw.read(min(size, behind + _END_SIZE) - start)
        at = window.rfind(_END)
        if at >= 0:
            raw.seek(start + at)
            record = raw.read(_END_SIZE)
            end = start + at + _END_SIZE + int.from_bytes(record[20:22], "little")
            return (min(end, size), record[4:6]) if start + at + _END_SIZE <= size else None
        behind = start
    return None


def _refuse_bombs(infos: list[zipfile.ZipInfo], packed: int) -> None:
    whole = sum(info.file_size for info in infos)
    if whole > LARGEST_WHOLE:
        raise Damaged(hindrance("bomb", f"{LARGEST_WHOLE} bytes"))
    if whole > _unpack.RATIO_FROM and whole > LARGEST_RATIO * packed:
        raise Damaged(hindrance("bomb", f"{LARGEST_RATIO} times its size"))


def _member(index: int, info: zipfile.ZipInfo, archive: zipfile.ZipFile) -> tuple[Member, Body]:
    found, link = _problem(info), None
    if found is None and stat.S_ISLNK(info.external_attr >> 16):
        target = _late(archive, info)(_LONGEST_LINK).decode("utf-8", "replace")
        link = beside(clean(info.filename), target)
    told = member(index, info.filename, info.file_size, found, link=link)
    return told, Body(_late(archive, info)) if told.problem is None and link is None else Body()


def _late(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Read:
    """What reads a member, which is opened when it is first read. Reading it raises one of ERRORS."""
    opened = functools.cache(lambda: archive.open(info))
    return lambda size: opened().read(size)


def _problem(info: zipfile.ZipInfo) -> Hindrance | None:
    if info.flag_bits & 1 or info.compress_type == _AES:
        return hindrance("locked")
    if info.compress_type not in _METHODS:
        names: dict[int, str] = zipfile.compressor_names  # type: ignore[attr-defined]
        return hindrance("method", names.get(info.compress_type, info.compress_type))
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFLNK):
        return hindrance("device")
    return None
