"""What one complete listing tells of a bucket: how its shares lie there, what it was as it was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from laerecover.hosts.programs.below import LARGEST, Below, JoinedMark, doubt, read_mark
from laerecover.hosts.programs.bucket_shares import Digest, Listed, Share, shares_in
from laerecover.hosts.programs.progress import EACH

_BYTES_A_SECOND = 40e6
"""What joining is expected to move; a share counts as `EACH` bytes more.

Estimated for a small instance beside the store.
"""


Content = bytes | None
"""Of an object; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLayout:
    """`whole`, `cut`, `incomplete`, `empty`: shares, by their listing; `others`: objects that are none.

    What lies below `recovered/` is not counted among them: joining put it there, or a node that has served it since.

    `bytes`: of all counted objects, `cut_bytes`: of the shares in pieces. `newest`: when anything was last written
    that joining did not write (ISO 8601, UTC), or "". `digest`: see `Digest`, over the counted objects.
    """

    objects: int
    bytes: int
    newest: str
    digest: str
    whole: int = 0
    cut: int = 0
    incomplete: int = 0
    empty: int = 0
    others: int = 0
    cold: int = 0
    """Objects that cannot be read as they lie: see `Listed.unreadable`."""
    cut_bytes: int = 0
    share_bytes: int = 0
    complete: bool = False
    """`recovered/COMPLETE` stands: its shares were joined, and are served from there, if it is believed."""
    begun: bool = False
    """`recovered/JOINING` stands, and COMPLETE does not."""
    there: int = 0
    there_bytes: int = 0
    missing: int = 0
    """Shares below `recovered/`, their bytes; old shares that are not there."""
    strange: str = ""
    """A name below `recovered/` that nobody can have put there who is still joining."""

    @property
    def to_be_joined(self) -> bool:
        """Whether a node must not serve it as it is: it has pieces, or joining them was begun."""
        return not self.complete and (self.begun or self.cut + self.incomplete > 0)

    @property
    def serves_nothing(self) -> bool:
        """There are shares, and none that could be whole."""
        return not self.complete and self.incomplete + self.empty > 0 and self.whole + self.cut == 0

    @property
    def shares(self) -> int:
        """Those that joining did not make."""
        return self.whole + self.cut + self.incomplete + self.empty

    @property
    def seconds(self) -> float:
        """How long joining is expected to take."""
        return (self.share_bytes + EACH * self.shares) / _BYTES_A_SECOND

    def mark(self, text: Content) -> JoinedMark:
        """What COMPLETE tells, of which this is the content, if it is believed of this bucket.

        Raises ValueError, with the reason.
        """
        if text is None or len(text) > LARGEST:
            raise ValueError("it is not there" if text is None else "it is longer than anything that joining wrote")
        told = read_mark(text)
        if why := doubt(told, there=self.there, missing=self.missing):
            raise ValueError(why)
        return told

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return asdict(self)


def layout_of(listing: Iterable[tuple[str, int, str, str] | tuple[str, int, str, str, str]]) -> BucketLayout:
    """Of a complete listing in the order of the names' bytes: see `Listed`, whose last may be left out.

    What lies below `recovered/` comes before the shares, by its name.
    """
    below, digest, counts, sizes = Below(), Digest(), Counter[str](), Counter[str]()
    newest = ""

    def old() -> Iterator[Listed]:
        nonlocal newest
        for entry in (Listed(*row) for row in listing):
            counts["cold"] += entry.unreadable
            if not below.take(entry):
                digest.add(entry)
                counts["objects"] += 1
                counts["bytes"] += entry.size
                newest = max(newest, entry.modified)
                yield entry

    kinds = Counter[str]()
    for each in shares_in(old()):
        kind = each.kind if isinstance(each, Share) else "others"
        kinds[kind] += 1
        sizes[kind] += each.size
        if isinstance(each, Share):
            below.find(each)
    complete = bool(below.complete)
    return BucketLayout(
        objects=counts["objects"],
        bytes=counts["bytes"],
        newest=max(newest, below.newest) if complete and below.newest > below.complete else newest,
        digest=digest.text,
        **kinds,
        cold=counts["cold"],
        cut_bytes=sizes["cut"] + sizes["incomplete"],
        share_bytes=sizes["whole"] + sizes["cut"] + sizes["incomplete"],
        complete=complete,
        begun=bool(below.joining) and not complete,
        there=below.there,
        there_bytes=below.bytes,
        missing=below.missing,
        strange=below.foreign(joins=kinds["cut"] + kinds["incomplete"] > 0),
    )
