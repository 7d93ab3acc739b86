"""How shares lie in a bucket of 2011 to 2014: told from names, sizes, the first bytes of a share.

Servers of from May 2014 on cut a share into pieces of 524,288 bytes: `shares/AB/INDEX/N`, `N.1`, `N.2`. AB are the
first two characters of the storage index, N is the number of the share. What the servers of before wrote is one
object, `N`.

Runs on the runner, and is sent to hosts as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

PIECE = 524_288
"""Bytes of a piece, unless piece 0 is larger: then all are as long as that."""
SHARES, RECOVERED = "shares/", "recovered/"
COMPLETE = f"{RECOVERED}COMPLETE"
"""Stands in a bucket whose shares were joined, once and for all: from then on a node serves `recovered/`."""
JOINING = f"{RECOVERED}JOINING"
"""Stands there while they are being joined: the digest of what they are made of."""
HEAD = 512
"""So many bytes of a share tell how long it is, but for the length of an immutable one's last part."""

_INDEX = re.compile(r"shares/(?P<two>[a-z2-7]{2})/(?P=two)[a-z2-7]{23}[aeimquy4]/")
_NAME = re.compile(_INDEX.pattern + r"(?P<number>0|[1-9][0-9]{0,2})(?:\.(?P<piece>[1-9][0-9]{0,6}))?")
_MUTABLE = b"Tahoe mutable container v1\n\x75\x09\x44\x03\x8e"
_LENGTH, _LEASES_AT, _DATA = slice(84, 92), slice(92, 100), 468
_NO_LEASES = bytes(4)
_CONTAINERS = (1, 2)
"""Versions of an immutable share's container.

Servers of that time wrote 1, later ones 2, which differ in their leases alone.
"""
_HEADER, _LEASE = 12, 72
_LAST_PART = {1: (0x20, 4), 2: (0x3C, 8)}
"""Version of an immutable share's data -> where they tell the place of their last part (the URI extension block),
and the width of that number and of the one that stands in that place, the length of the part.
"""


class Listed(NamedTuple):
    """One object, as a listing of the store tells of it: when it was written (ISO 8601, UTC), its storage class.

    Both are empty where nobody asks for them.
    """

    name: str
    size: int
    etag: str
    modified: str = ""
    storage: str = ""

    @property
    def unreadable(self) -> bool:
        """Whether it cannot be read, unless its owner has brought it back meanwhile, which no listing tells."""
        return self.storage in ("GLACIER", "DEEP_ARCHIVE")


class Share(NamedTuple):
    """Objects that are one share by their names: number of the piece -> object. `name` is that of piece 0."""

    name: str
    pieces: Mapping[int, Listed]

    @property
    def called(self) -> str:
        """Storage index and number: as people are told of it."""
        return "/".join(self.name.split("/")[-2:])

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(piece.size for piece in self.pieces.values())

    @property
    def kind(self) -> str:
        """By sizes alone. `whole`: one object; `empty`: that, and nothing in it.

        `cut`: in pieces, or perhaps the first of several; `incomplete`: surely so.

        A gap behind pieces that are all full is no end, so the share goes on where nothing is. Behind a short piece
        lies what a server forgot when it made a mutable share shorter.
        """
        first = self.pieces[0].size if 0 in self.pieces else 0
        if len(self.pieces) == 1 and 0 in self.pieces and first != PIECE:
            return "whole" if first else "empty"
        run = next(number for number in itertools.count() if number not in self.pieces)
        full = first >= PIECE and all(self.pieces[number].size == first for number in range(run))
        return "incomplete" if first == 0 or (full and run < len(self.pieces)) else "cut"


def shares_in(listing: Iterable[Listed]) -> Iterator[Share | Listed]:
    """Shares, and as they are the objects that are none.

    A listing in the order of names has all of a storage index together, whatever else has a name between its pieces.

    What only looks like a share is none: another base32, a number with a zero in front, a piece 0 that is called so.
    """

    def folder_of(entry: Listed) -> str:
        found = _INDEX.match(entry.name)
        return found[0] if found else ""

    for folder, entries in itertools.groupby(listing, folder_of):
        if not folder:
            yield from entries
            continue
        shares: dict[str, dict[int, Listed]] = {}
        for entry in entries:
            if found := _NAME.fullmatch(entry.name):
                shares.setdefault(found["number"], {})[int(found["piece"] or 0)] = entry
            else:
                yield entry
        yield from (Share(folder + number, pieces) for number, pieces in shares.items())


class Digest:
    """SHA-256 over a line for each object, in the order of the listing.

    Name, size and ETag as a list in JSON, without spaces.
    """

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, entry: Listed) -> None:
        """One object more."""
        line = json.dumps(list(entry[:3]), ensure_ascii=False, separators=(",", ":"))
        self._sum.update(line.encode("utf-8", "surrogatepass") + b"\n")

    @property
    def text(self) -> str:
        """As hexadecimal digits."""
        return self._sum.hexdigest()


def digest_of(listing: Iterable[Listed]) -> str:
    """See Digest."""
    digest = Digest()
    for entry in listing:
        digest.add(entry)
    return digest.text


class Unfit(Exception):
    """Why a share cannot be joined."""


class Joined(NamedTuple):
    """What becomes one object of `size` bytes.

    These pieces in order, but for what comes in place of the bytes 92 to 99, if anything does, and of the last
    bytes.
    """

    pieces: tuple[Listed, ...]
    size: int
    mend: bytes = b""
    end: bytes = b""


Read = Callable[[Listed, int, int], bytes]
"""Object, first byte, how many: the bytes, fewer at the end of the object."""


def joined(share: Share, read: Read) -> Joined:
    """How the share is joined; one of a single object becomes what it is. Raises Unfit, and whatever `read` raises."""
    if 0 not in share.pieces:
        raise Unfit("its first piece is missing")
    first = share.pieces[0]
    head = read(first, 0, HEAD)
    if head.startswith(_MUTABLE):
        made = _mutable(share, head)
    elif int.from_bytes(head[:4], "big") in _CONTAINERS and len(head) >= _HEADER + 4:
        made = _immutable(share, head, read)
    elif len(share.pieces) == 1 and first.size > 0:
        return Joined((first,), first.size)
    else:
        raise Unfit("its pieces are of no share that anybody knows")
    return made if len(share.pieces) > 1 else Joined((first,), first.size)


def _mutable(share: Share, head: bytes) -> Joined:
    """As long as its header says. What lies behind that was forgotten there when the share became shorter."""
    if len(head) < _DATA:
        raise Unfit("it ends within its header")
    end_of_data = _DATA + int.from_bytes(head[_LENGTH], "big")
    size = end_of_data + len(_NO_LEASES)
    pieces = _in_order(share, (size - 1) // share.pieces[0].size + 1)
    there = sum(piece.size for piece in pieces)
    if there < size:
        raise Unfit("it ends before its data do")
    if _may_have_grown(share, len(pieces), there - size):
        raise Unfit("its first piece has another length than it had: something was put behind it")
    return Joined(pieces, size, end_of_data.to_bytes(8, "big"), _NO_LEASES)


def _may_have_grown(share: Share, used: int, behind: int) -> bool:
    """Whether piece 0 may have been given bytes in place of later ones, as today's nodes put leases and data there.

    It is longer than `PIECE` only where it held a whole share of the first kind, and then all pieces are as long, and
    nothing lies behind the end. `used`: so many pieces are needed; `behind`: bytes in these behind the share's end.
    """
    first, several = share.pieces[0].size, len(share.pieces) > 1
    return several and ((first > PIECE and (behind > 0 or used == 1)) or (first < PIECE and behind > 0 and used > 1))


def _immutable(share: Share, head: bytes, read: Read) -> Joined:
    """As long as all its pieces; its own data tell whether that is all of it."""
    version = int.from_bytes(head[_HEADER : _HEADER + 4], "big")
    if version not in _LAST_PART:
        raise Unfit(f"its data are of version {version}, which nobody knows")
    where, width = _LAST_PART[version]
    at = _HEADER + where
    if len(head) < at + width:
        raise Unfit("it ends within its header")
    pieces = _in_order(share, max(share.pieces) + 1)
    last = _HEADER + int.from_bytes(head[at : at + width], "big")
    length = int.from_bytes(_across(pieces, read, last, width), "big")
    size = last + width + length + _LEASE * int.from_bytes(head[8:12], "big")
    there = sum(piece.size for piece in pieces)
    if there != size:
        raise Unfit(f"{there:,} of its {size:,} bytes are there: the upload broke off")
    return Joined(pieces, size)


def _in_order(share: Share, count: int) -> tuple[Listed, ...]:
    """The first pieces, so many of them. Raises Unfit: a gap, or one that is not as long as it must be."""
    missing = next((number for number in range(count) if number not in share.pieces), None)
    if missing is not None:
        raise Unfit(f"piece {missing:,} is missing")
    pieces = tuple(share.pieces[number] for number in range(count))
    if any(piece.size != pieces[0].size for piece in pieces[:-1]) or pieces[-1].size > pieces[0].size:
        raise Unfit("its pieces do not fit together")
    return pieces


def _across(pieces: tuple[Listed, ...], read: Read, start: int, count: int) -> bytes:
    """Bytes of the joined share, which may lie in two of its pieces. Raises Unfit."""
    found, size = b"", pieces[0].size
    while len(found) < count:
        number, offset = divmod(start + len(found), size)
        got = read(pieces[number], offset, count - len(found)) if number < len(pieces) else b""
        if not got:
            raise Unfit("it ends before its last part: the upload broke off")
        found += got
    return found
