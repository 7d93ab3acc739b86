"""Locator, Fact, Residue: what was read, and where it stands."""

from __future__ import annotations

from typing import NamedTuple

from laeforensics.fields import FIELDS
from laerecover.manifest import Secret

# Channels, best first. How far each is believed is said in `standing`.
OWN = "own"  # printed by the program, or written by it into a file of its own
CERTIFIED = "certified"  # relayed, but a hash proves it: a certificate that is the TubID the program printed
TESTIMONY = "testimony"  # remote output of a re-record run, whose very purpose was to read it out
PAIRED = "paired"  # relayed, and a second relayed value vouches for it: the storage certificate and its node id
SITE = "site"  # written by the web site or the operator: csv rows, the stripe file
FORM = "form"  # typed into the web form by anybody
REMOTE = "remote"  # relayed from a host
STRAY = "stray"  # a line without the announcement that should introduce it
ERROR = "error"  # inside or after an error message
BROKEN_KEY = "broken"  # a node.pem whose private key does not fit its own certificate
FOREIGN = "foreign"  # of a second signup in the same file
DAMAGED = "damaged"  # a character or two overwritten: other witnesses tell the value whole

STANDING = {
    OWN: 1,
    CERTIFIED: 1,
    TESTIMONY: 1,
    SITE: 2,
    PAIRED: 3,
    FORM: 3,
    REMOTE: 4,
    STRAY: 4,
    ERROR: 4,
    BROKEN_KEY: 4,
    FOREIGN: 4,
    DAMAGED: 4,
}
LAST_ASSERTING_STANDING = 3


class Locator(NamedTuple):
    """A place in a file of the evidence: bytes [start, end) of line `line` (from 1)."""

    evidence: str
    line: int
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.evidence}:{self.line} [{self.start}:{self.end})"


class Fact(NamedTuple):
    """One value of one field at one place. (A tuple, because there are many: the rest of the house uses dataclasses.)"""

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
