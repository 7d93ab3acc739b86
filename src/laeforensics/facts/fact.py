"""Fact, with its place: what was read, where it stands, what several of them say together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from laeforensics.facts.channels import LAST_ASSERTING_STANDING, STANDING
from laeforensics.facts.fields import FIELDS
from laerecover.manifest import Secret


class Locator(NamedTuple):
    """A place in a file of the evidence: bytes [start, end) of line `line` (from 1)."""

    evidence: str
    line: int
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.evidence}:{self.line} [{self.start}:{self.end})"


class Fact(NamedTuple):
    """One value of one field at one place.

    (A tuple, because there are many: the rest of the house uses dataclasses.)
    """

    field: str
    value: str
    locator: Locator
    rule: str
    channel: str

    @property
    def standing(self) -> int:
        """1 is the program's own word; above `LAST_ASSERTING_STANDING` a fact asserts nothing."""
        return STANDING[self.channel]

    @property
    def shown(self) -> Secret | str:
        """The value as it may be shown ("" where a witness says that there is none)."""
        return Secret(self.value) if FIELDS[self.field].secret else self.value

    def __repr__(self) -> str:
        return f"Fact({self.field}={self.shown!r}, {self.locator}, {self.rule}, {self.channel})"


class Residue(NamedTuple):
    """Bytes that no rule claimed."""

    evidence: str
    line: int
    start: int
    end: int
    excerpt: str
    """The first 120 characters as they stand: shown only through `masking.excerpt`."""

    def __repr__(self) -> str:
        return f"Residue({self.evidence}:{self.line} [{self.start}:{self.end}))"


class Tile(NamedTuple):
    """A stretch of a file, by what claimed it: fact, announcement, remote, failure, blank, local or residue."""

    start: int
    end: int
    kind: str


def weigh(facts: Iterable[Fact]) -> tuple[str | None, bool]:
    """What the witnesses of the best standing present say, and whether they contradict each other.

    A fact whose standing asserts nothing (relayed, stray, from an error message) has no say.
    """
    best: int = LAST_ASSERTING_STANDING
    values: set[str] = set()
    for fact in facts:
        if fact.standing < best:
            best, values = fact.standing, {fact.value}
        elif fact.standing == best:
            values.add(fact.value)
    if len(values) == 1:
        return values.pop(), False
    return None, len(values) > 1
