"""The account's bucket, asked before its nodes start: the bucket alone decides whether its shares must be joined."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from laerecover.errors import StepFailed
from laerecover.hosts.bucket_layout import BucketLayout, layout_of
from laerecover.hosts.programs.bucket_shares import COMPLETE
from laerecover.hosts.recipes.recipe import Recipe
from laerecover.ports.compute import Store
from laerecover.runbook.work import Work

T = TypeVar("T")
_LEFT_OUT_SHOWN = 200
"""So many shares that could not be joined are told by name; all of them stand in the bucket."""
_SLOWER = 10.0
"""Joining may take so many times what is expected."""
_TELL_EACH = 10_000


def look(work: Work, recipe: Recipe) -> BucketLayout | None:
    """What one complete listing tells; None in a world without buckets. Fails: `data_unreachable`, `bucket_served`."""
    store = work.world.store
    if store is None:
        return None
    layout = _ask(work, lambda: layout_of(_counted(work, store)), "its bucket")
    if layout.serves_nothing:
        message = f"none of the {layout.incomplete:,} shares in its bucket is whole, or has all its pieces"
        raise StepFailed(message, kind="data_unreachable")
    if (layout.to_be_joined or layout.complete) and not recipe.joins:
        message = "its shares are cut into pieces, which this recipe cannot join; choose the recipe tahoe"
        raise StepFailed(message, kind="data_unreachable")
    if layout.strange:
        message = f"{layout.strange!r} is in its bucket, where nothing but joined shares must be; find out whose it is"
        raise StepFailed(message, kind="bucket_served")
    return layout


def seconds_to_join(work: Work, layout: BucketLayout) -> float:
    """How long joining may take: it grows with what was counted."""
    return work.settings.waits.command_deadline + _SLOWER * layout.seconds


def what_was_joined(work: Work) -> Mapping[str, Any]:
    """What `recovered/COMPLETE` tells. Fails: `not_joined`, for without it no node of such a bucket starts."""
    store = work.world.store
    text = None if store is None else _ask(work, lambda: store.read(work.account, COMPLETE), COMPLETE)
    try:
        told = json.loads(text or b"")
        left_out = dict(told["left_out"])
        return {
            **{name: str(told[name]) for name in ("at", "of")},
            **{name: int(told[name]) for name in ("joined", "copied", "bytes")},
            "left_out": len(left_out),
            "left_out_shares": dict(sorted(left_out.items())[:_LEFT_OUT_SHOWN]),
        }
    except (ValueError, KeyError, TypeError):
        raise StepFailed(
            f"{COMPLETE} is not in its bucket, or nothing that joining wrote: without it no node may serve the bucket. "
            "On the host, remove /var/lib/lae-recovery/join-shares, then run again",
            kind="not_joined",
        ) from None


def _counted(work: Work, store: Store) -> Iterator[tuple[str, int, str, str]]:
    for number, row in enumerate(store.listing(work.account), start=1):
        if number % _TELL_EACH == 0:
            work.waiting(f"its bucket: {number:,} objects listed", work.settings.waits.command_deadline)
        yield row


def _ask(work: Work, question: Callable[[], T], what: str) -> T:
    within = work.settings.waits.command_deadline
    return work.ensure(lambda: (question(),), lambda: None, within=within, what=what)[0]
