"""SignupLog: what one log says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from laeforensics.companions.products import Product
from laeforensics.facts.damage import is_blacked_out
from laeforensics.facts.fact import Fact, Locator, Residue

MOST_RESIDUE = 1000
"""So many lines of residue are told apart in one log."""
MOST_DAMAGED = 1000
"""So many damaged values are told of one log."""
HOLE = "hole"
"""The rule of a line that zeros have overwritten: they moved nothing, and brought nothing of another's."""

BLACKED = "blacked out"
"""The rule of a value that somebody blacked out: nothing was moved by that, and nothing of another's was brought."""


class DamagedValue(NamedTuple):
    """A line that should tell a value of a field, and cannot be right; `value` is what could be read of it."""

    field: str
    locator: Locator
    print: int
    value: str = ""
    rule: str = ""


class Event(NamedTuple):
    """Something in the order of a file that tells of its runs: see `course`.

    `kind` is one of `item stage key host served cut unread part monitoring failure bucket_failed
    reading`; `fact` the number of
    the fact that it is about.
    """

    kind: str
    start: int
    line: int
    word: str = ""
    more: str = ""
    fact: int = -1


@dataclass(slots=True, kw_only=True)
class SignupLog:
    """What one log says: its facts as they came, without any doubt; what of its bytes was understood."""

    evidence: str
    dialect: str = ""
    size: int = 0
    facts: list[Fact] = field(default_factory=list)
    unannounced: set[int] = field(default_factory=set)
    """The numbers of the prints that stand without the announcement that introduces them."""
    residue: list[Residue] = field(default_factory=list)
    sizes: Counter[str] = field(default_factory=Counter)
    """How many bytes each kind claimed: fact, announcement, remote, failure, blank, local or residue."""
    announcements: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    """Words that tell a dialect."""
    damaged_values: list[DamagedValue] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    """What x02 printed of the config."""

    def claim(self, start: int, end: int, kind: str) -> None:
        """The next bytes of the file are of this kind. Raises ValueError: there is a gap, or they were claimed."""
        if start != self.size or end < start:
            raise ValueError(f"{self.evidence}: bytes {start} to {end} do not follow byte {self.size}")
        self.size = end
        self.sizes[kind] += end - start

    def leave(self, residue: Residue) -> None:
        """Line by line; of a file of nothing else, which may hold millions, the later neighbours become one stretch."""
        if len(self.residue) > MOST_RESIDUE and self.residue[-1].end == residue.start:
            self.residue[-1] = self.residue[-1]._replace(end=residue.end)
        else:
            self.residue.append(residue)

    def add_damaged(self, value: DamagedValue) -> None:
        """A value that cannot be right stands here."""
        if len(self.damaged_values) < MOST_DAMAGED:
            self.damaged_values.append(value._replace(rule=BLACKED) if is_blacked_out(value.value) else value)
