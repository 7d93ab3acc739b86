"""The members of an archive, in its own order, those of archives inside it too; none leads out of it."""

from __future__ import annotations

import contextlib
import io
import lzma
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from laeforensics.evidence import _tars, _unpack, _zips
from laeforensics.evidence._members import Body, Index, Member, Slice
from laeforensics.evidence._unpack import (
    LARGEST_FILE,
    MOST_INSIDE,
    MOST_LAYERS,
    MOST_MEMBERS,
    Damaged,
    Forward,
    packing,
)
from laeforensics.evidence.hindrances import Hindrance, hindrance

_NAME = re.compile(
    r".*\.(?:zip|tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst))(?: ?\([0-9]+\)|~)?", re.IGNORECASE | re.DOTALL
)
_HEAD = 1 << 16
_LAYER = 1 << 17
"""So much of a packing is looked into for the next one: bzip2 gives nothing before its first block is whole."""
_PROGRAMS = (b"MZ", b"#!", b"\x7fELF")
"""How an archive begins that unpacks itself."""
_READ_ERRORS = (*_zips.ERRORS, lzma.LZMAError)

Found = tuple[Member, Body] | Hindrance


@dataclass(slots=True)
class _Spent:
    """What going through one archive has taken so far."""

    members: int = 0
    archives: int = 0

    def take(self, *, is_archive: bool = False) -> None:
        """One more. Raises Damaged: it is more than any evidence holds."""
        self.members += 1
        self.archives += is_archive
        if self.members > MOST_MEMBERS or self.archives > MOST_INSIDE:
            raise Damaged(hindrance("bomb", f"{MOST_INSIDE} archives" if is_archive else f"{MOST_MEMBERS} files"))


def is_archive_name(name: str) -> bool:
    """True for `.zip`, `.tar`, `.tar.gz` and the like."""
    return _NAME.fullmatch(name) is not None


def is_archive(head: bytes) -> bool:
    """True if these are the first bytes of a zip file or of a (compressed) tar file, whatever it is called."""
    with contextlib.suppress(Damaged, *_READ_ERRORS):
        for _ in range(MOST_LAYERS):
            if head[:4] in _zips.MAGIC or _tars.is_header(head):
                return True
            suffix = packing(head)
            if suffix is None:
                return False
            packed = io.BytesIO(head)
            head = Forward(_unpack.stream(packed, suffix), packed.tell).read(_LAYER)
    return False


def ends_as_zip(raw: BinaryIO) -> bool:
    """True for a zip file with something before it: one that unpacks itself, or a mail that brought it."""
    return _zips.ends_as_one(raw, raw.seek(0, io.SEEK_END))


def members(raw: BinaryIO) -> Iterator[Found]:
    """Every file of an archive with its bytes as they come, and what is wrong with the archive, wherever that is seen.

    An archive inside it comes behind its own members, whose names begin with its name. Raises Damaged: then nothing of
    it is to be believed.
    """
    yield from _members(raw, 0, _Spent())


def contents(raw: BinaryIO, wanted: Collection[Index]) -> Iterator[tuple[Index, bytes, Hindrance | None]]:
    """The bytes of the wanted members (by their index), in the archive's order; a problem where they are not whole."""
    with contextlib.suppress(Damaged):
        for found in _members(raw, 0, _Spent()):
            if not isinstance(found, Hindrance) and found[0].index in wanted:
                yield found[0].index, *_whole(*found)


def _whole(member: Member, body: Body) -> tuple[bytes, Hindrance | None]:
    try:
        data = body.whole()
    except Damaged:
        return b"", hindrance("member")
    except _READ_ERRORS:
        return b"", hindrance("checksum")
    return data, None if len(data) == member.size else hindrance("member")


def _members(raw: BinaryIO, depth: int, spent: _Spent) -> Iterator[Found]:
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    forward = Forward(raw.read, raw.tell)
    for _ in range(MOST_LAYERS + 1):
        head = forward.read(_tars.BLOCK)
        forward.push(head)
        suffix = packing(head)
        if suffix is None:
            break
        forward = Forward(_unpack.stream(forward, suffix), raw.tell)
        size = -1
    else:
        raise Damaged(hindrance("layers", MOST_LAYERS))
    is_tar = head[:4] not in _zips.MAGIC and (_tars.is_header(head) or size < 0 or not _zips.ends_as_one(raw, size))
    if is_tar:
        if size >= 0:
            raw.seek(0)
            forward = Forward(raw.read, raw.tell)
        found: Iterator[Found | Slice] = _tars.members(forward)
    elif size >= 0:
        found = _zips.members(raw, size)
    else:
        data = forward.read(LARGEST_FILE)
        if forward.read(1):
            raise Damaged(hindrance("bomb", f"{LARGEST_FILE} bytes, which is more than this software reads"))
        found = _zips.members(io.BytesIO(data), len(data))
    outside = 0
    for one in found:
        if isinstance(one, Slice):
            outside += 1
            yield from _outside(one, -outside, depth, spent)
        elif isinstance(one, Hindrance):
            yield one
        else:
            spent.take()
            yield from _inside(*one, depth, spent)


def _outside(stretch: Slice, place: int, depth: int, spent: _Spent) -> Iterator[Found]:
    """What stands before or behind a zip file: another archive, or something that is told."""
    raw = io.BufferedReader(stretch)
    head = raw.peek(_HEAD)[:_HEAD]
    if is_archive(head) and depth >= MOST_LAYERS:
        yield hindrance("layers", MOST_LAYERS)
    elif is_archive(head):
        for found in _members(raw, depth + 1, spent):
            if isinstance(found, Hindrance):
                yield found
            else:
                yield replace(found[0], index=(place, *found[0].index)), found[1]
    elif not head.startswith(_PROGRAMS):
        raw.seek(0)
        held = raw.read(LARGEST_FILE)
        if held.strip(b"\0"):
            yield hindrance("before" if stretch.starts_file else "behind", len(held), do=(len(held),))


def _inside(member: Member, body: Body, depth: int, spent: _Spent) -> Iterator[Found]:
    """A member; if it is an archive itself, its members first."""
    if member.problem is not None or member.link is not None or not _is_archive(body):
        yield member, body
        return
    data, wrong = _whole(member, body)
    if wrong is None and depth >= MOST_LAYERS:
        wrong = hindrance("layers", MOST_LAYERS)
    if wrong is None:
        spent.take(is_archive=True)
        try:
            for _ in _members(io.BytesIO(data), depth + 1, spent):
                pass
        except Damaged as error:
            wrong = error.problem
    if wrong is None:
        for found in _members(io.BytesIO(data), depth + 1, spent):
            if isinstance(found, Hindrance):
                wrong = wrong or found
            else:
                inner = found[0]
                name = f"{member.name}/{inner.name}"
                link = None if inner.link is None else f"{member.name}/{inner.link}"
                yield replace(inner, index=(*member.index, *inner.index), name=name, link=link), found[1]
    yield replace(member, problem=wrong, is_archive=True), Body(io.BytesIO(data).read)


def _is_archive(body: Body) -> bool:
    try:
        head = body.head(_tars.BLOCK)
        return is_archive(body.head(_HEAD) if packing(head) is not None else head)
    except (Damaged, *_READ_ERRORS):
        return False  # whoever reads it is told
