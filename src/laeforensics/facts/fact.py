"""Fact, with its place: what was read, where it stands, how it came, together with what."""

from __future__ import annotations

from typing import NamedTuple

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
    """One value of one field at one place. It never changes: what is thought of it is a `Doubt` or a `Warrant`.

    `channel` tells how it came. Facts of one file with the same `print` (a number) were told together: in one print
    of a log, in one secrets file, in one csv row. (A tuple, because there are many: the rest of the house uses
    dataclasses.)
    """

    field: str
    value: str
    locator: Locator
    rule: str
    channel: str
    print: int = 0

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
