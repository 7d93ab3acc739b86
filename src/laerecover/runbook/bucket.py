"""The account's bucket, asked before its nodes start: the bucket alone decides whether its shares must be joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from laerecover.errors import StepFailed
from laerecover.hosts.bucket_layout import BucketLayout, layout_of
from laerecover.hosts.programs.below import BRING_BACK, LARGEST, read_mark
from laerecover.hosts.programs.bucket_shares import COMPLETE
from laerecover.hosts.recipes.recipe import Recipe
from laerecover.ports.compute import Store
from laerecover.runbook.work import Work

_LEFT_OUT_SHOWN = 200
"""So many shares that could not be joined are told by name; all of them stand in the bucket."""
_SLOWER = 10.0
"""Joining may take so many times what is expected."""
_TELL_EACH = 10_000


def look(work: Work, recipe: Recipe) -> BucketLayout | None:
    """What one complete listing tells; None in a world without buckets.

    Fails: `data_unreachable`, `bucket_served`; `not_joined`, where COMPLETE stands and is not believed.
    """
    store = work.world.store
    if store is None:
        return None
    layout = work.ask(lambda: layout_of(_counted(work, store)), "its bucket")
    if layout.serves_nothing:
        lost = layout.incomplete + layout.empty
        message = f"none of the {lost:,} shares in its bucket is whole, or has all its pieces"
        raise StepFailed(message, kind="data_unreachable")
    if (layout.to_be_joined or layout.complete) and not recipe.joins:
        message = "its shares are cut into pieces, which this recipe cannot join; choose the recipe tahoe"
        raise StepFailed(message, kind="data_unreachable")
    if layout.strange:
        message = f"{layout.strange!r} is in its bucket, where nothing but joined shares must be; find out whose it is"
        raise StepFailed(message, kind="bucket_served")
    if layout.complete:
        what_was_joined(work, layout)
    return layout


def seconds_to_join(work: Work, layout: BucketLayout) -> float:
    """How long joining may take: it grows with what was counted."""
    return work.deadline + _SLOWER * layout.seconds


def what_was_joined(work: Work, layout: BucketLayout) -> Mapping[str, Any]:
    """What `recovered/COMPLETE` tells. `layout`: what was listed last, before joining or after it.

    Fails: `not_joined`, where it is not believed, for then no node of such a bucket starts; `bucket_changed`, where
    other objects were joined than had been listed.
    """
    store = work.world.store
    if store is None:
        raise StepFailed("in a world without buckets nothing is joined", kind="not_joined")
    text = work.ask(lambda: store.read(work.account, COMPLETE, LARGEST), COMPLETE)
    try:
        told = layout.mark(text) if layout.complete else read_mark(text or b"")
    except ValueError as error:
        raise StepFailed(
            f"{COMPLETE} in its bucket is not believed: {error}. No node may serve the bucket so: {BRING_BACK}. Where "
            "it was never joined, remove /var/lib/lae-recovery/join-shares on the host, then run again",
            kind="not_joined",
        ) from None
    if not layout.complete and told.of != layout.digest:
        raise StepFailed(
            "other objects were joined than had been listed: somebody else writes to its bucket; find out who, and "
            "stop them; then run again",
            kind="bucket_changed",
        )
    left_out = dict(sorted(told.left_out.items())[:_LEFT_OUT_SHOWN])
    versioned = work.ask(lambda: store.versioned(work.account), "whether versioning is on")
    return {
        **told._asdict(),
        "left_out": len(told.left_out),
        "left_out_shares": left_out,
        "versioned": versioned,
    }


def _counted(work: Work, store: Store) -> Iterator[tuple[str, int, str, str, str]]:
    for number, row in enumerate(store.listing(work.account), start=1):
        if number % _TELL_EACH == 0:
            work.waiting(f"its bucket: {number:,} objects listed", work.deadline)
        yield row
