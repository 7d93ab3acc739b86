"""How evidence breaks, as hypothesis strategies: runs of the generator, and damage done to their bytes."""

from __future__ import annotations

from typing import NamedTuple

from hostile_lab import Signup, signup
from hypothesis import strategies as st

from evidence_writer.dialects import SIGNUP_DIALECTS
from evidence_writer.signup import failures_of


class Drawn(NamedTuple):
    """A signup by its dialect, its number and where it failed: short to print, and the same bytes every time."""

    dialect: str
    number: int
    fail_at: str | None

    @property
    def run(self) -> Signup:
        """The signup itself."""
        if self.fail_at is None:
            return signup(self.dialect, self.number)
        return signup(self.dialect, self.number, fail_at=self.fail_at)


@st.composite
def signups(draw: st.DrawFn, *, failed: bool = True, dialects: tuple[str, ...] = SIGNUP_DIALECTS) -> Drawn:
    """One small signup of any dialect, complete or failed somewhere, from a seed."""
    dialect = draw(st.sampled_from(dialects))
    fail_at = draw(st.sampled_from((None, None, *failures_of(dialect)))) if failed else None
    return Drawn(dialect, draw(st.integers(0, 300)), fail_at)


@st.composite
def places(draw: st.DrawFn, size: int) -> int:
    """A byte of a file, by its share of the length, so that it shrinks towards the head."""
    return min(size, draw(st.integers(0, 9999)) * size // 9999)


@st.composite
def holes(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes gone, zeroed, or overwritten by 0xff."""
    start, length = draw(places(len(data))), draw(st.integers(1, 2000))
    gone = data[start : start + length]
    return data[:start] + draw(st.sampled_from((b"", b"\0" * len(gone), b"\xff" * len(gone)))) + data[start + length :]


@st.composite
def flipped(draw: st.DrawFn, data: bytes) -> bytes:
    """A few bits turned over."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 8))):
        if found:
            found[min(draw(places(len(found))), len(found) - 1)] ^= 1 << draw(st.integers(0, 7))
    return bytes(found)


@st.composite
def shuffled(draw: st.DrawFn, data: bytes) -> bytes:
    """A chunk removed, doubled, or put elsewhere."""
    a, b, c = sorted(draw(places(len(data))) for _ in range(3))
    kind = draw(st.sampled_from(("removed", "doubled", "moved", "reversed")))
    if kind == "removed":
        return data[:a] + data[b:]
    if kind == "doubled":
        return data[:b] + data[a:]
    return data[:a] + (data[b:c] + data[a:b] if kind == "moved" else data[a:c][::-1]) + data[c:]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Several kinds of damage after one another."""
    for kind in draw(st.lists(st.sampled_from((holes, flipped, shuffled)), min_size=1, max_size=4)):
        data = draw(kind(data))
    return data
