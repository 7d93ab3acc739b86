"""Runs on a host, as its customer: joins the shares of the bucket into `recovered/`, once for all times.

Shares that are whole are copied by the store itself; those in pieces are read in order and put as one object each,
which is there as a whole or not at all. What cannot be joined is left out. The old objects are read, never written.
Killed and started again it goes on. When all is there it puts `recovered/COMPLETE`, which tells what was done; where
that stands nothing is done.

It prints a line every few seconds, and ends by itself when nothing moves. `s3_joining` begins it. Sent as it stands:
Python 3.9 will do.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Protocol

from laerecover.hosts.programs.bucket_shares import (
    COMPLETE,
    JOINING,
    PIECE,
    RECOVERED,
    Joined,
    Listed,
    Share,
    Unfit,
    digest_of,
    joined,
    shares_in,
)

STALLED, CHANGED, REFUSED, SERVED = 88, 89, 90, 91
STATUS = (STALLED, CHANGED, REFUSED, SERVED)
"""Nothing moved any more; the old objects are changed by somebody; the store says no.

A node has run in `recovered/`.
"""
AT_A_TIME = 8
CHUNK = 4 << 20
"""Bytes of an object that are asked for at once."""
PATIENCE = 600.0
"""Seconds without anything done after which nobody waits any longer."""
EACH = 256 << 10
"""A share takes about as long as so many bytes more."""
TELL = 5.0
"""Seconds between two lines."""
_NAMED = 5


class Ended(Exception):
    """Nothing further can be done; `status` is the program's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Changed(Exception):
    """An old object is not what the listing said."""


class Bucket(Protocol):
    """The customer's bucket. Raises Ended where the store says no."""

    def listing(self) -> Iterable[Listed]:
        """All objects, in the order of their names."""

    def read(self, entry: Listed, start: int, count: int) -> bytes:
        """Bytes of that very object, fewer at its end. Raises Changed."""

    def copy(self, entry: Listed, name: str) -> None:
        """The same object under another name, by the store itself. Raises Changed."""

    def put(self, name: str, chunks: Iterator[bytes], size: int) -> None:
        """One object of these bytes, there as a whole or not at all."""

    def forget_unfinished(self) -> None:
        """Drop what an earlier attempt had sent of objects that never came to be."""

    def remove(self, name: str) -> None:
        """An object of our own is not wanted any more."""


class Target(NamedTuple):
    """What one share becomes."""

    share: Share
    name: str

    @property
    def whole(self) -> bool:
        """Nothing more need be known of it: it is one object, too small to be the first of several."""
        return self.share.kind == "whole" and self.share.size < PIECE


class Progress:
    """What is done of what is to be done; told every few seconds, and whether anything moves at all."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.shares, self.bytes = len(targets), sum(target.share.size for target in targets)
        self.done, self.moved, self.begun = 0, 0, time.monotonic()
        self._lock, self._ended, self._last = threading.Lock(), threading.Event(), time.monotonic()
        threading.Thread(target=self._tell, daemon=True).start()

    def move(self, count: int, *, shares: int = 0) -> None:
        """So many bytes, so many shares more."""
        with self._lock:
            self.moved, self.done, self._last = self.moved + count, self.done + shares, time.monotonic()

    def end(self) -> None:
        """Tell nothing more."""
        self._ended.set()

    @property
    def text(self) -> str:
        """As people read it."""
        moved = min(self.moved, self.bytes)
        told = f"joining: {self.done:,} of {self.shares:,} shares, {moved / 1e9:.2f} of {self.bytes / 1e9:.2f} GB"
        spent = time.monotonic() - self.begun
        work, done = self.bytes + EACH * self.shares, moved + EACH * self.done
        if done == 0:
            return told
        end = datetime.now(timezone.utc) + timedelta(seconds=spent * (work - done) / done)
        return f"{told}, expected end {end:%Y-%m-%d %H:%M:%S} UTC"

    def _tell(self) -> None:
        while not self._ended.wait(TELL):
            say(self.text)
            if time.monotonic() - self._last > PATIENCE:
                say(f"nothing was done for {PATIENCE:.0f} s: the store does not answer")
                os._exit(STALLED)


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def join(bucket: Bucket) -> str:
    """Have everything joined; one line that tells what was done. Raises Ended."""
    listing = list(bucket.listing())
    if any(entry.name == COMPLETE for entry in listing):
        return "joined before: nothing was done"
    old, there = _old(listing), {entry.name: entry.size for entry in listing if entry.name.startswith(RECOVERED)}
    targets = [Target(each, RECOVERED + each.name) for each in shares_in(old) if isinstance(each, Share)]
    _refuse_what_a_node_wrote(there, targets)
    if not _begun(bucket, listing, digest_of(old)):
        there = {}
    bucket.forget_unfinished()
    outcomes = _all(bucket, targets, there)
    sizes = {target.name: outcome for target, outcome in zip(targets, outcomes) if isinstance(outcome, int)}
    left_out = {t.share.called: outcome for t, outcome in zip(targets, outcomes) if isinstance(outcome, str)}
    if left_out and not sizes:
        name, why = next(iter(left_out.items()))
        raise Ended(1, f"none of its {len(left_out):,} shares could be joined; {name}: {why}")
    _compare(list(bucket.listing()), old, sizes)
    cut = sum(1 for target in targets if target.name in sizes and len(target.share.pieces) > 1)
    told = {
        "format": 1,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "of": digest_of(old),
        "joined": cut,
        "copied": len(sizes) - cut,
        "bytes": sum(sizes.values()),
        "left_out": left_out,
    }
    _put(bucket, COMPLETE, json.dumps(told, indent=1))
    with suppress(Ended):
        bucket.remove(JOINING)
    return f"joined {cut:,} shares, copied {len(sizes) - cut:,}, left out {len(left_out):,}"


def _old(listing: Sequence[Listed]) -> list[Listed]:
    """The objects that were there before anything was joined."""
    return [entry for entry in listing if not entry.name.startswith(RECOVERED)]


def _refuse_what_a_node_wrote(there: Iterable[str], targets: Sequence[Target]) -> None:
    """Where a node has run its customer may have changed shares: to join again would bring the old ones back."""
    ours = {target.name for target in targets} | {JOINING}
    for name in there:
        if name not in ours and not name.endswith("/"):
            raise Ended(
                SERVED,
                f"{name!r} in the bucket is nothing that was joined: a node has run there, or somebody else uses "
                f"{RECOVERED}; nothing was joined, for that could bring old files back. If a node has run there, "
                f"put {COMPLETE} back",
            )


def _begun(bucket: Bucket, listing: Sequence[Listed], digest: str) -> bool:
    """Whether this very thing was begun before, so that what is there already may stay; it is begun otherwise."""
    for entry in listing:
        if entry.name == JOINING and bucket.read(entry, 0, 200).decode("ascii", "replace").strip() == digest:
            return True
    _put(bucket, JOINING, digest)
    return False


def _put(bucket: Bucket, name: str, text: str) -> None:
    content = f"{text}\n".encode()
    bucket.put(name, iter([content]), len(content))


def _all(bucket: Bucket, targets: Sequence[Target], there: dict[str, int]) -> list[int | str]:
    """For each share how long it is in `recovered/`, or why it is left out. Raises Ended."""
    progress, changed = Progress(targets), list[str]()

    def one(target: Target) -> int | str:
        try:
            return _one(bucket, target, there.get(target.name), progress)
        except Unfit as reason:
            progress.move(target.share.size, shares=1)
            return str(reason)
        except Changed:
            changed.append(target.share.called)
            return ""

    several = ThreadPoolExecutor(AT_A_TIME)
    try:
        outcomes = list(several.map(one, targets))
    finally:
        several.shutdown(wait=False, cancel_futures=True)
        progress.end()
    if changed:
        named = ", ".join(sorted(changed)[:_NAMED]) + (
            f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        )
        raise Ended(CHANGED, f"somebody changed these shares meanwhile, so they were not joined: {named}")
    say(progress.text)
    return outcomes


def _one(bucket: Bucket, target: Target, there: int | None, progress: Progress) -> int:
    """How long the share is now that it is in `recovered/`. Raises Unfit, Changed."""
    share = target.share
    if target.whole:
        if there != share.size:
            bucket.copy(share.pieces[0], target.name)
        progress.move(share.size, shares=1)
        return share.size
    plan = joined(share, bucket.read)
    if there == plan.size:
        progress.move(share.size, shares=1)
    elif len(share.pieces) == 1:
        bucket.copy(share.pieces[0], target.name)
        progress.move(share.size, shares=1)
    else:
        bucket.put(target.name, _bytes(bucket, plan, progress), plan.size)
        progress.move(share.size - plan.size, shares=1)
    return plan.size


def _bytes(bucket: Bucket, plan: Joined, progress: Progress) -> Iterator[bytes]:
    """What the joined share is made of. A mutable one tells where its data end, as today's do."""
    left, mend = plan.size - len(plan.end), plan.mend
    for piece in plan.pieces:
        for start in range(0, min(piece.size, left), CHUNK):
            chunk = bucket.read(piece, start, min(CHUNK, left, piece.size - start))
            if mend:
                chunk, mend = chunk[:92] + mend + chunk[100:], b""
            left -= len(chunk)
            progress.move(len(chunk))
            yield chunk
    yield plan.end


def _compare(listing: Sequence[Listed], old: Sequence[Listed], sizes: dict[str, int]) -> None:
    """All is there as it must be, and the old objects are the same. Raises Ended."""
    if digest_of(_old(listing)) != digest_of(old):
        raise Ended(CHANGED, "somebody changed objects in the bucket meanwhile")
    there = {entry.name: entry.size for entry in listing if entry.name.startswith(f"{RECOVERED}shares/")}
    wrong = sorted(name for name in {*there, *sizes} if there.get(name) != sizes.get(name))
    if wrong:
        raise Ended(1, f"{len(wrong)} objects are not as they must be after joining, {wrong[0]!r} for one; run again")
