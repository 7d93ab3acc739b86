"""What one complete listing tells of a bucket: how its shares lie there, what it was as it was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, RECOVERED, Digest, Listed, Share, shares_in
from laerecover.hosts.programs.joining import EACH

_BYTES_A_SECOND = 40e6
"""What joining is expected to move; a share counts as `EACH` bytes more.

Estimated for a small instance beside the store.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLayout:
    """`whole`, `cut`, `incomplete`: shares, by their listing; `others`: objects that are none.

    What lies below `recovered/` is not counted: joining put it there, or a node that has served it since.

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
    others: int = 0
    cut_bytes: int = 0
    share_bytes: int = 0
    complete: bool = False
    """`recovered/COMPLETE` stands: its shares were joined, and are served from there."""
    strange: str = ""
    """A name below `recovered/` that joining did not put there, though it has not ended."""

    @property
    def to_be_joined(self) -> bool:
        """Whether a node must not serve it as it is."""
        return not self.complete and self.cut + self.incomplete > 0

    @property
    def serves_nothing(self) -> bool:
        """There are shares, and none that could be whole."""
        return not self.complete and self.incomplete > 0 and self.whole + self.cut == 0

    @property
    def seconds(self) -> float:
        """How long joining is expected to take."""
        return (self.share_bytes + EACH * (self.whole + self.cut + self.incomplete)) / _BYTES_A_SECOND

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values, for the ledger."""
        return asdict(self)


@dataclass(slots=True)
class _Old:
    """The objects that joining did not put there, counted as they come."""

    listing: Iterable[tuple[str, int, str, str]]
    digest: Digest = field(default_factory=Digest)
    objects: int = 0
    bytes: int = 0
    newest: str = ""
    completed: str = ""
    strange: str = ""

    def __iter__(self) -> Iterator[Listed]:
        for entry in map(Listed._make, self.listing):
            if entry.name.startswith(RECOVERED):
                self._below(entry)
                continue
            self.digest.add(entry)
            self.objects, self.bytes = self.objects + 1, self.bytes + entry.size
            self.newest = max(self.newest, entry.modified)
            yield entry

    def _below(self, entry: Listed) -> None:
        """COMPLETE comes before the shares: what a node wrote is newer."""
        if entry.name == COMPLETE:
            self.completed = entry.modified or "-"
        elif self.completed and entry.modified > self.completed:
            self.newest = max(self.newest, entry.modified)
        elif not self.completed and entry.name != JOINING:
            (old,) = shares_in([entry._replace(name=entry.name[len(RECOVERED) :])])
            if not (isinstance(old, Share) and 0 in old.pieces) and not entry.name.endswith("/"):
                self.strange = self.strange or entry.name


def layout_of(listing: Iterable[tuple[str, int, str, str]]) -> BucketLayout:
    """Of a complete listing in the order of the names' bytes: name, bytes, ETag, when it was written."""
    old, kinds, sizes = _Old(listing), Counter[str](), Counter[str]()
    for each in shares_in(old):
        kind = each.kind if isinstance(each, Share) else "others"
        kinds[kind] += 1
        sizes[kind] += each.size
    return BucketLayout(
        objects=old.objects,
        bytes=old.bytes,
        newest=old.newest,
        digest=old.digest.text,
        **kinds,
        cut_bytes=sizes["cut"] + sizes["incomplete"],
        share_bytes=sizes["whole"] + sizes["cut"] + sizes["incomplete"],
        complete=bool(old.completed),
        strange=old.strange,
    )
