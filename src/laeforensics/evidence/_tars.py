"""The members of tar files, of several in one stream too, with what lies between them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import cast

from laeforensics.evidence._members import Body, Member, beside, clean, member, portion
from laeforensics.evidence._unpack import LARGEST_FILE, Damaged, Forward
from laeforensics.evidence.hindrances import Hindrance, hindrance

BLOCK = tarfile.BLOCKSIZE


def is_header(block: bytes) -> bool:
    """True if a tar file could begin with these bytes: their checksum is right, and zeros fill what is left."""
    if b"\0" not in block[:BLOCK]:
        return False
    try:
        tarfile.TarInfo.frombuf(block[:BLOCK], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def members(forward: Forward) -> Iterator[tuple[Member, Body] | Hindrance]:
    """Each file with its bytes, then what is wrong with the archive, if something is.

    Behind an archive's end, and behind damage, it goes on where the next header stands. Raises Damaged.
    """
    index = -1
    while True:
        try:
            for info in _infos(forward):
                index += 1
                if not info.isdir() and info.type != b"V":
                    yield _member(index, info, forward)
        except tarfile.TarError:
            pass
        ended, at = forward.last == bytes(BLOCK), forward.tell()
        skipped = _to_next_header(forward)
        if forward.problem is not None:
            yield forward.problem
            return
        if skipped is None:  # nothing but zeros, or nothing at all
            if not ended:
                yield hindrance("cut", at)
            return
        count, has_more = skipped
        if not ended:
            yield hindrance("gap" if has_more else "cut", at)
        elif count:
            yield hindrance("behind", count, do=(count,))
        if not has_more:
            return


def _infos(forward: Forward) -> Iterator[tarfile.TarInfo]:
    archive = tarfile.TarFile(fileobj=forward, mode="r", errors="surrogateescape")  # type: ignore[arg-type]
    while (info := archive.next()) is not None:
        yield info
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep every one


def _to_next_header(forward: Forward) -> tuple[int, bool] | None:
    """How many bytes stand before the next header that are neither zeros nor a header, and whether there is one."""
    count = 0
    if any(forward.last) and len(forward.last) == BLOCK:
        forward.push(forward.last)  # it ended on this block: it may be a header, seen from here
        forward.last = b""
        block = forward.read(BLOCK)
        count += len(block)
    while block := forward.read(BLOCK):
        if is_header(block):
            forward.push(block)
            return count, True
        if any(block):
            count += len(block)
    return (count, False) if count else None


def _member(index: int, info: tarfile.TarInfo, forward: Forward) -> tuple[Member, Body]:
    called = clean(info.name)
    if info.islnk() or info.issym():
        link = clean(info.linkname) if info.islnk() else beside(called, info.linkname)
        return member(index, info.name, 0, None, link=link), Body()
    if not info.isreg():
        found = hindrance("split") if info.type == b"M" else hindrance("device")
        return member(index, info.name, 0, found), Body()
    told = member(index, info.name, info.size, None)
    if not info.issparse():
        forward.seek(info.offset_data)
        return told, Body(portion(forward.read, info.size))
    return told, Body(io.BytesIO(_spread(info, forward) if told.problem is None else b"").read)


def _spread(info: tarfile.TarInfo, forward: Forward) -> bytes:
    """A sparse member as the file that it was."""
    whole = bytearray(info.size)
    forward.seek(info.offset_data)
    for start, size in cast("list[tuple[int, int]]", info.sparse or []):
        if not 0 <= start <= start + size <= info.size <= LARGEST_FILE:
            raise Damaged(hindrance("no archive", "a sparse file's map leads out of it"))
        whole[start : start + size] = forward.read(size)
    return bytes(whole)
