"""SignupLog: what one log says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from laeforensics.companions.products import Product
from laeforensics.facts.channels import DAMAGED
from laeforensics.facts.fact import Fact, Locator, Residue, Tile
from laeforensics.facts.packed import Facts

MOST_RESIDUE = 1000
"""So many lines of residue are told apart in one log."""
MOST_TORN = 1000
"""So many damaged values are told of one log."""


@dataclass(slots=True, kw_only=True)
class SignupLog:
    """What one log says.

    `segments` counts the signups in the file; stages, failure and the facts believed are of the kept ones.
    """

    evidence: str
    dialect: str = ""
    size: int = 0
    facts: list[Fact] = field(default_factory=list)
    residue: list[Residue] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    stages: list[tuple[str, int]] = field(default_factory=list)
    announcements: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    """Words that tell a dialect."""
    segments: int = 1
    seam: str | None = None
    """The field by which two signups glued into one were told apart."""
    failed: bool = False
    failure: str | None = None
    bucket_failed: bool = False
    torn: list[tuple[str, Locator]] = field(default_factory=list)
    torn_names: list[Fact] = field(default_factory=list)
    """Prints of the bucket's name with characters that no name has: they assert nothing."""
    products: list[Product] = field(default_factory=list)
    """What x02 printed of the config."""

    def has_channel(self, channel: str) -> bool:
        """True if a fact of this log came by this channel."""
        facts: Sequence[Fact] = self.facts
        return facts.has_channel(channel) if isinstance(facts, Facts) else any(f.channel == channel for f in facts)

    def claim(self, start: int, end: int, kind: str) -> None:
        """The next bytes of the file are of this kind."""
        tiles = self.tiles
        if tiles and tiles[-1].kind == kind:
            tiles[-1] = Tile(tiles[-1].start, end, kind)
        else:
            tiles.append(Tile(start, end, kind))

    def leave(self, residue: Residue) -> None:
        """Line by line; of a file of nothing else, which may hold millions, the later neighbours become one stretch."""
        if len(self.residue) > MOST_RESIDUE and self.residue[-1].end == residue.start:
            self.residue[-1] = self.residue[-1]._replace(end=residue.end)
        else:
            self.residue.append(residue)

    def tear(self, name: str, locator: Locator, written: str = "", rule: str = "") -> None:
        """A value that cannot be right stands here."""
        if len(self.torn) < MOST_TORN:
            self.torn.append((name, locator))
            if written and name == "bucket_name":
                self.torn_names.append(Fact(name, written, locator, rule, DAMAGED))
