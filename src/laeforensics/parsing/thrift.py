"""What a file told, kept in little memory: facts packed, tiles in arrays, equal words once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from sys import intern
from typing import cast, overload

from laeforensics.facts.fact import Fact, Locator, Residue, Tile
from laeforensics.facts.packed import Facts
from laeforensics.parsing.logs import SignupLog


class Tiles(Sequence[Tile]):
    """The tiles of a file, which follow each other without a gap, at five bytes each."""

    __slots__ = ("_ends", "_kinds", "_names", "_start")

    def __init__(self, tiles: Iterable[Tile]) -> None:
        self._ends = array("L")
        kinds: dict[str, int] = {}
        numbers = bytearray()
        self._start: int | None = None
        for tile in tiles:
            if self._start is None:
                self._start = tile.start
            elif tile.start != self._ends[-1]:
                raise ValueError(f"a gap between the tiles at byte {tile.start}")
            self._ends.append(tile.end)
            numbers.append(kinds.setdefault(tile.kind, len(kinds)))
        if self._ends and self._ends[-1] < 1 << 32:
            self._ends = array("I", self._ends)
        self._kinds = bytes(numbers)
        self._names = _shared_names(tuple(intern(kind) for kind in kinds))

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
        start = self._ends[place - 1] if place else self._start or 0
        return Tile(start, self._ends[place], self._names[self._kinds[place]])

    def __iter__(self) -> Iterator[Tile]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Stages(Sequence[tuple[str, int]]):
    """The stages of a log with their lines: logs of one dialect share the names."""

    __slots__ = ("_lines", "_names")

    def __init__(self, stages: Iterable[tuple[str, int]]) -> None:
        told = list(stages)
        self._names = _shared_names(tuple(intern(name) for name, _ in told))
        self._lines = array("L", (line for _, line in told)).tobytes()

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        return list(self)[index]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return zip(self._names, memoryview(self._lines).cast("L"), strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@lru_cache(maxsize=1024)
def _shared_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """What many logs tell alike is kept once."""
    return names


def log(full: SignupLog) -> SignupLog:
    """The same log, kept in little memory; nothing may be added to it any more."""
    full.facts = cast("list[Fact]", Facts(full.facts))
    full.tiles = cast("list[Tile]", Tiles(full.tiles))
    full.residue = cast("list[Residue]", tuple(full.residue))
    full.announcements = cast("set[str]", _shared(frozenset(map(intern, full.announcements))))
    full.marks = cast("set[str]", _shared(frozenset(map(intern, full.marks))))
    full.stages = cast("list[tuple[str, int]]", Stages(full.stages))
    full.torn = cast("list[tuple[str, Locator]]", tuple(full.torn))
    return full


@lru_cache(maxsize=4096)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """Logs of one dialect announce the same: they share one set."""
    return words
