"""Runs on a host, as its customer: joins the shares of the bucket into `recovered/`, once for all times.

Shares that are whole are copied by the store itself; those in pieces are read in order and put as one object each,
which is there as a whole or not at all. What cannot be joined is left out. The old objects are read, never written.
Killed and started again it goes on. When all is there it puts `recovered/COMPLETE`, which tells what was done; where
that stands nothing is done.

It prints a line every few seconds, and ends by itself when nothing moves. `s3_joining` begins it. Sent as it stands:
Python 3.9 will do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import NamedTuple, Protocol

from laerecover.hosts.programs.below import LARGEST, Below, JoinedMark, doubt, read_mark
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
from laerecover.hosts.programs.progress import STALLED, Progress, say

CHANGED, REFUSED, SERVED, NOT_NOW, NOT_BELIEVED = 89, 90, 91, 93, 94
STATUS = (STALLED, CHANGED, REFUSED, SERVED, NOT_NOW, NOT_BELIEVED)
"""Nothing moved any more; the old objects are changed by somebody; the store says no.

Below `recovered/` somebody else writes, or a node has run there; the store does not do now what it is asked; what
`COMPLETE` tells does not fit.
"""
AT_A_TIME = 8
LOOK = 5.0
"""Seconds after which somebody else may have ended what is joined here."""
CHUNK = 4 << 20
"""Bytes of an object that are asked for at once."""
_NAMED = 5
_ENDED = "joined"


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

    def peek(self, name: str, count: int) -> bytes | None:
        """The first bytes of an object of our own, as it is now; None if there is none."""

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


class Ours:
    """That JOINING still says what is joined here, looked at before anything is put there, every few seconds.

    Where another has ended the same meanwhile, a node may run, and what its customer changed must stay.
    """

    def __init__(self, bucket: Bucket, digest: str) -> None:
        self._bucket, self._digest = bucket, digest
        self._lock, self._last = threading.Lock(), float("-inf")

    @property
    def same(self) -> bool:
        """Whether JOINING stands, of these very objects."""
        return self._said == self._digest

    @property
    def ended(self) -> bool:
        """Whether JOINING stands because nobody could remove it at the end."""
        return self._said == _ENDED

    @property
    def _said(self) -> str:
        return (self._bucket.peek(JOINING, 200) or b"").decode("ascii", "replace").strip()

    def look(self, *, now: bool = False) -> None:
        """Raises Ended."""
        with self._lock:
            if now or time.monotonic() - self._last > LOOK:
                if not self.same:
                    raise Ended(SERVED, f"somebody else has joined it meanwhile: {JOINING} is not ours any more")
                self._last = time.monotonic()


def join(bucket: Bucket) -> str:
    """Have everything joined; one line that tells what was done. Raises Ended."""
    with Progress() as progress:
        old, below = _parted(progress.listed(bucket.listing(), "listing"))
        there = dict(below.sizes)
        targets = [Target(each, RECOVERED + each.name) for each in shares_in(old) if isinstance(each, Share)]
        for target in targets:
            below.find(target.share)
        if below.complete:
            return _believed(bucket, below)
        ours = Ours(bucket, digest_of(old))
        if strange := below.foreign(joins=True) or (ours.ended and JOINING):
            raise Ended(SERVED, _nobodys(strange))
        if not ours.same:
            there = {}
            _put(bucket, JOINING, digest_of(old))
        progress.at("what an earlier attempt had sent is given up")
        bucket.forget_unfinished()
        told, sizes = _all(bucket, targets, there, progress, ours)
        _compare(*_parted(progress.listed(bucket.listing(), "comparing")), old, sizes)
        ours.look(now=True)
        done = told._replace(at=datetime.now(timezone.utc).isoformat(timespec="seconds"), of=digest_of(old))
        _put(bucket, COMPLETE, done.text)
        _no_longer_begun(bucket)
        return f"joined {told.joined:,} shares, copied {told.copied:,}, left out {len(told.left_out):,}"


def _nobodys(name: str) -> str:
    return (
        f"{name!r} in the bucket is nothing that is being joined: a node has run there, or somebody else uses "
        f"{RECOVERED}; nothing was joined, for that could bring old files back. If a node has run, bring back "
        f"{COMPLETE} as joining wrote it"
    )


def _parted(listing: Iterable[Listed]) -> tuple[list[Listed], Below]:
    """The objects that were there before anything was joined; what lies below `recovered/`."""
    below = Below()
    return [entry for entry in listing if not below.take(entry)], below


def _believed(bucket: Bucket, below: Below) -> str:
    """That it was joined before. Raises Ended."""
    try:
        told = read_mark(bucket.peek(COMPLETE, LARGEST) or b"")
        why = doubt(told, there=below.there, missing=below.missing)
    except ValueError as error:
        why = str(error)
    if why:
        raise Ended(NOT_BELIEVED, f"{COMPLETE} is not believed: {why}")
    if below.joining:
        _no_longer_begun(bucket)
    return "joined before: nothing was done"


def _no_longer_begun(bucket: Bucket) -> None:
    """What a node changes from now on nobody may take for half joined, should COMPLETE be lost."""
    try:
        bucket.remove(JOINING)
    except Ended:  # the keys may put there, but not delete, say
        _put(bucket, JOINING, _ENDED)


def _put(bucket: Bucket, name: str, text: str) -> None:
    content = f"{text}\n".encode()
    bucket.put(name, iter([content]), len(content))


def _all(
    bucket: Bucket, targets: Sequence[Target], there: Mapping[str, int], progress: Progress, ours: Ours
) -> tuple[JoinedMark, dict[str, int]]:
    """What is to be told of it, but for time and digest; how long each share in `recovered/` is. Raises Ended."""
    progress.begin([target.share.size for target in targets])
    changed = list[str]()

    def one(target: Target) -> int | str:
        try:
            return _one(bucket, target, there.get(target.share.name), progress, ours)
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
    if changed:
        named = ", ".join(sorted(changed)[:_NAMED]) + (
            f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        )
        raise Ended(CHANGED, f"somebody changed these shares meanwhile, so they were not joined: {named}")
    say(progress.text)
    return _counted(targets, outcomes)


def _counted(targets: Sequence[Target], outcomes: Sequence[int | str]) -> tuple[JoinedMark, dict[str, int]]:
    """Raises Ended: where nothing could be joined nothing is served."""
    sizes = {target.share.name: outcome for target, outcome in zip(targets, outcomes) if isinstance(outcome, int)}
    left_out = {t.share.called: outcome for t, outcome in zip(targets, outcomes) if isinstance(outcome, str)}
    if left_out and not sizes:
        name, why = next(iter(left_out.items()))
        raise Ended(1, f"none of its {len(left_out):,} shares could be joined; {name}: {why}")
    cut = sum(1 for target in targets if target.share.name in sizes and len(target.share.pieces) > 1)
    return JoinedMark("", "", cut, len(sizes) - cut, sum(sizes.values()), left_out), sizes


def _one(bucket: Bucket, target: Target, there: int | None, progress: Progress, ours: Ours) -> int:
    """How long the share is now that it is in `recovered/`. Raises Unfit, Changed, Ended."""
    share = target.share
    plan = Joined((share.pieces[0],), share.size) if target.whole else joined(share, bucket.read)
    if there == plan.size:
        progress.move(share.size, shares=1, found=True)
        return plan.size
    ours.look()
    if len(share.pieces) == 1:
        bucket.copy(share.pieces[0], target.name)
        progress.move(share.size, shares=1)
    else:
        bucket.put(target.name, _bytes(bucket, plan, progress, ours), plan.size)
        progress.move(share.size - plan.size, shares=1)
    return plan.size


def _bytes(bucket: Bucket, plan: Joined, progress: Progress, ours: Ours) -> Iterator[bytes]:
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
    ours.look()
    yield plan.end


def _compare(now: Sequence[Listed], below: Below, old: Sequence[Listed], sizes: Mapping[str, int]) -> None:
    """All is there as it must be, and the old objects are the same. Raises Ended."""
    if digest_of(now) != digest_of(old):
        raise Ended(CHANGED, "somebody changed objects in the bucket meanwhile")
    wrong = sorted(name for name in {*below.sizes, *sizes} if below.sizes.get(name) != sizes.get(name))
    if wrong:
        raise Ended(
            1,
            f"{len(wrong)} shares are not as they must be after joining, {RECOVERED}{wrong[0]} for one; run again",
        )
    if below.other:
        raise Ended(SERVED, f"{below.other!r} was put into the bucket meanwhile: somebody else uses {RECOVERED}")
