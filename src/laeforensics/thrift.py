"""What a file told, kept in little memory: facts packed, tiles in arrays, residue in bounded number."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import cast, overload

from laeforensics.facts import Fact, Residue, Tile
from laeforensics.packedfacts import Facts
from laeforensics.signuplogs import SignupLog

#: From this many residue lines on, those that follow each other become one stretch: a hostile file may hold millions.
MOST_RESIDUE = 1000


class Tiles(Sequence[Tile]):
    """The tiles of a file, at nine bytes each."""

    __slots__ = ("_kinds", "_names", "_places")

    def __init__(self, tiles: Iterable[Tile]) -> None:
        self._places = array("Q")
        kinds: dict[str, int] = {}
        numbers = bytearray()
        for tile in tiles:
            self._places.append(tile.start)
            self._places.append(tile.end)
            numbers.append(kinds.setdefault(tile.kind, len(kinds)))
        self._kinds = bytes(numbers)
        self._names = tuple(intern(kind) for kind in kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, index: int) -> Tile: ...
    @overload
    def __getitem__(self, index: slice) -> list[Tile]: ...
    def __getitem__(self, index: int | slice) -> Tile | list[Tile]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return Tile(self._places[2 * place], self._places[2 * place + 1], self._names[self._kinds[place]])

    def __iter__(self) -> Iterator[Tile]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def log(full: SignupLog) -> SignupLog:
    """The same log, kept in little memory; nothing may be added to it any more."""
    full.facts = cast("list[Fact]", Facts(full.facts))
    full.tiles = cast("list[Tile]", Tiles(full.tiles))
    full.residue = list(residue(full.residue))
    full.announcements = cast("set[str]", _shared(frozenset(map(intern, full.announcements))))
    full.marks = cast("set[str]", _shared(frozenset(map(intern, full.marks))))
    full.stages = cast("list[tuple[str, int]]", tuple(full.stages))
    return full


@lru_cache(maxsize=4096)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """Logs of one dialect announce the same: they share one set."""
    return words


def residue(lines: Sequence[Residue]) -> Iterator[Residue]:
    """The same bytes: line by line up to MOST_RESIDUE lines, then stretches of neighbours with the first line's excerpt."""
    yield from lines[:MOST_RESIDUE]
    stretch: Residue | None = None
    for line in lines[MOST_RESIDUE:]:
        if stretch is not None and stretch.end == line.start:
            stretch = stretch._replace(end=line.end)
        else:
            if stretch is not None:
                yield stretch
            stretch = line
    if stretch is not None:
        yield stretch
