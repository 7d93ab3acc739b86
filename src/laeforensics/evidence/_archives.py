"""The members of an archive, in its own order; none leads out of it."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from laeforensics.evidence import _unpack
from laeforensics.evidence._unpack import LARGEST_FILE, LARGEST_RATIO, LARGEST_WHOLE, MOST_MEMBERS, RATIO_FROM, Damaged

_NAME = re.compile(r".*\.(?:zip|tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst))", re.IGNORECASE | re.DOTALL)
_CUT = "it is cut off or damaged at byte {}; what comes before was read"
_ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive: its place in it (from 0), its name as a clean POSIX path, why it is left out, if so."""

    index: int
    name: str
    size: int
    problem: str | None = None


@dataclass(slots=True, kw_only=True)
class Listing:
    """The members of an archive; `problem` if they are not all."""

    members: list[Member]
    problem: str | None = None


def is_archive_name(name: str) -> bool:
    """True for `.zip`, `.tar`, `.tar.gz` and the like."""
    return _NAME.fullmatch(name) is not None


def is_archive(raw: BinaryIO) -> bool:
    """True if the file is a zip file or a (compressed) tar file, whatever it is called."""
    head = raw.read(512)
    raw.seek(0)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return True
    suffix = _unpack.packing(head)
    if suffix is not None:
        with contextlib.suppress(Damaged):
            head = _unpack.Forward(_unpack.stream(raw, suffix), raw.tell).read(512)
        raw.seek(0)
    return head[257:262] == b"ustar"


def listing(raw: BinaryIO) -> Listing:
    """Every member of an archive, without unpacking any.

    A member is left out that is a link or a device, is too large, is itself an archive, or whose name leads out of the
    archive; of two with one name, the first. An archive that unpacks to too much gives no member at all.
    """
    found = Listing(members=[])
    try:
        members = _list_zip(raw) if _is_zip(raw) else _list_tar(raw, found)
        for member in members:
            found.members.append(member)
            if len(found.members) > MOST_MEMBERS:
                raise Damaged(f"it holds more than {MOST_MEMBERS} files")
    except Damaged as error:
        return Listing(members=[], problem=f"{error}; nothing of it was read")
    except _ZIP_ERRORS as error:
        found.problem = f"it is no archive that can be read ({type(error).__name__})"
    found.members = list(_last_of_each_name(found.members))
    return found


def contents(raw: BinaryIO, wanted: Collection[int]) -> Iterator[tuple[int, bytes, str | None]]:
    """The bytes of the wanted members (by their index), in the archive's order; a problem where they are not whole."""
    if _is_zip(raw):
        yield from _read_zip(raw, wanted)
    else:
        yield from _read_tar(raw, wanted)


def _last_of_each_name(members: list[Member]) -> Iterator[Member]:
    last = {member.name: member.index for member in members if member.problem is None}
    for member in members:
        if member.problem is None and last[member.name] != member.index:
            earlier = f"{member.name} (earlier)"
            problem = "the archive holds a later file of the same name"
            yield Member(index=member.index, name=earlier, size=member.size, problem=problem)
        else:
            yield member


def _member(index: int, name: str, size: int, problem: str | None) -> Member:
    clean = "/".join(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in name.split("/") or "\0" in name or re.match("[A-Za-z]:", name) or not clean:
        problem = "its name leads out of the archive"
    elif size > LARGEST_FILE:
        problem = problem or f"{size} bytes is more than this software reads ({LARGEST_FILE})"
    elif is_archive_name(clean):
        problem = problem or "an archive inside an archive is not unpacked"
    return Member(index=index, name=clean or "(no name)", size=size, problem=problem)


# -- zip -------------------------------------------------------------------------------------------------


def _is_zip(raw: BinaryIO) -> bool:
    head = raw.read(4)
    raw.seek(0)
    return head.startswith(b"PK")


def _list_zip(raw: BinaryIO) -> Iterator[Member]:
    packed_size = raw.seek(0, io.SEEK_END)
    infos = zipfile.ZipFile(raw).infolist()
    whole = sum(info.file_size for info in infos)
    if whole > LARGEST_WHOLE:
        raise Damaged(f"it unpacks to more than {LARGEST_WHOLE} bytes")
    if whole > RATIO_FROM and whole > LARGEST_RATIO * packed_size:
        raise Damaged(f"it unpacks to more than {LARGEST_RATIO} times its size")
    for index, info in enumerate(infos):
        if not info.is_dir() and not stat.S_ISDIR(info.external_attr >> 16):
            # Some programs of Windows write backslashes where the format asks for slashes.
            name = info.filename if "/" in info.filename else "/".join(info.filename.split("\\"))
            yield _member(index, name, info.file_size, _zip_problem(info))


def _zip_problem(info: zipfile.ZipInfo) -> str | None:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "it is a link or a device"
    if info.flag_bits & 1:
        return "it is locked with a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"it is compressed by a method that this software does not read ({info.compress_type})"
    return None


def _read_zip(raw: BinaryIO, wanted: Collection[int]) -> Iterator[tuple[int, bytes, str | None]]:
    with contextlib.suppress(*_ZIP_ERRORS):
        archive = zipfile.ZipFile(raw)
        for index, info in enumerate(archive.infolist()):
            if index in wanted:
                try:
                    yield index, archive.read(info), None
                except _ZIP_ERRORS:
                    yield index, b"", "it is damaged: its checksum or its structure is wrong; nothing of it was read"


# -- tar -------------------------------------------------------------------------------------------------


def _forward(raw: BinaryIO) -> _unpack.Forward:
    suffix = _unpack.packing(raw.read(8))
    raw.seek(0)
    return _unpack.Forward(raw if suffix is None else _unpack.stream(raw, suffix), raw.tell)


def _tar(forward: _unpack.Forward) -> Iterator[tuple[int, tarfile.TarInfo]]:
    archive = tarfile.TarFile(fileobj=forward, mode="r", errors="surrogateescape")  # type: ignore[arg-type]
    index = 0
    while (info := archive.next()) is not None:
        yield index, info
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep every one
        index += 1


def _list_tar(raw: BinaryIO, found: Listing) -> Iterator[Member]:
    forward = _forward(raw)
    try:
        for index, info in _tar(forward):
            if not info.isdir():
                problem = None if info.isreg() and not info.issparse() else "it is a link, a device or a sparse file"
                yield _member(index, info.name, info.size, problem)
        if forward.last != bytes(512):
            found.problem = _CUT.format(forward.tell())
    except tarfile.TarError:
        found.problem = _CUT.format(forward.tell())
    forward.drain()
    found.problem = found.problem or forward.problem


def _read_tar(raw: BinaryIO, wanted: Collection[int]) -> Iterator[tuple[int, bytes, str | None]]:
    forward = _forward(raw)
    with contextlib.suppress(Damaged, tarfile.TarError):
        for index, info in _tar(forward):
            if index in wanted:
                yield index, *_read_member(forward, info)


def _read_member(forward: _unpack.Forward, info: tarfile.TarInfo) -> tuple[bytes, str | None]:
    cut = "the archive is cut off or damaged inside this file"
    try:
        forward.seek(info.offset_data)
        data = forward.read(info.size)
    except Damaged:
        return b"", cut
    return data, None if len(data) == info.size else cut
