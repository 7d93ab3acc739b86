"""Which facts of a file are of the signup that the file is about, when a file holds more than one signup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from laeforensics.evidence.names import without_suffix
from laeforensics.facts.channels import FOREIGN, OWN, REMOTE, STRAY
from laeforensics.facts.damage import is_damage, is_misprint
from laeforensics.facts.fact import Fact
from laeforensics.parsing._islands import Coast, strangers
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

# What one signup prints more than once, always the same: two values that differ are of two signups.
_TIES = ("user_token", "bucket_name", "customer_email", "public_host")


@dataclass(slots=True, kw_only=True)
class Segment:
    """One signup of a file: from its first announcement to the one that cannot follow."""

    facts: list[Fact] = field(default_factory=list)
    stages: list[tuple[str, int]] = field(default_factory=list)
    failed: bool = False
    failure: str | None = None
    bucket_failed: bool = False
    coast: Coast = field(default_factory=Coast)
    failed_at: int = 0
    """The line in which it failed."""
    is_parted: bool = False
    """True if a part of it was left out, because nothing ties it to the rest."""


def keep(segments: Sequence[Segment], evidence: str) -> tuple[Segment, list[Fact], str | None]:
    """The segment that counts, the facts of the whole file, and the field of a seam. Other signups' facts are FOREIGN.

    The segment whose bucket bears the seed of the file's name counts. If none does, the first one: unless it has
    another bucket, for then nothing tells whose signup the file is about, and no fact counts.
    """
    seed = _seed(evidence)
    for segment in segments:
        _part(segment, seed)
    kept = _choose(segments, seed)
    facts = [fact if segment in kept else _foreign(fact) for segment in segments for fact in segment.facts]
    facts, seam = _split(facts, seed)
    if seam is None:
        facts, seam = _doubt_launch(facts, evidence, seed)
    if seam is None and any(s.is_parted for s in kept):
        seam = ""
    last = kept[-1] if kept else Segment()
    if len(kept) > 1 and not any(stage in BEFORE_DEPLOYMENT for stage, _ in last.stages):
        # A replacement that was written into the signup's own file: the file is the signup's all the same.
        last.stages = [s for s in kept[0].stages if s[0] in BEFORE_DEPLOYMENT] + last.stages
    return last, _doubt_address(facts), seam


def _seed(evidence: str) -> str:
    """How a log's bucket ends by the log's name; in the S4 layout its folder tells, with the two halves swapped."""
    folder, _, base = without_suffix(evidence).rpartition("/")
    if base == "signup_logs":
        customer, _, subscription = folder.rpartition("/")[2].partition("Z-")[2].partition("-")
        return f"{subscription}-{customer}" if subscription else ""
    return base.rpartition("-")[2]


def is_s4(log: SignupLog) -> bool:
    """True for a log of the programs behind the site that quoted nothing."""
    return "s4" in log.marks or without_suffix(log.evidence).rpartition("/")[2] == "signup_logs"


def _part(segment: Segment, seed: str) -> None:
    """Leave out the islands of a segment that nothing ties to the signup: their facts, their stages, their failure."""
    for island, end in strangers(segment.coast.islands, segment.facts, seed):
        facts = segment.facts
        inside = [f.locator.start >= island.start and (end is None or f.locator.start < end) for f in facts]
        after = next((i.line for i in segment.coast.islands if i.start == end), None) if end is not None else None
        before = len(segment.stages)
        segment.facts = [_foreign(f) if i else f for f, i in zip(facts, inside, strict=True)]
        segment.stages = [s for s in segment.stages if s[1] < island.line or (after is not None and s[1] >= after)]
        if segment.failed and segment.failed_at >= island.line and (after is None or segment.failed_at < after):
            segment.failed, segment.failure = False, None
        segment.is_parted |= any(inside) or len(segment.stages) < before


def _choose(segments: Sequence[Segment], seed: str) -> list[Segment]:
    if len(segments) == 1:
        return [segments[0]]
    buckets = [{f.value for f in s.facts if f.field == "bucket_name" and f.channel == OWN} for s in segments]
    own = [
        s
        for s, names in zip(segments, buckets, strict=True)
        if seed and any(name.endswith("-" + seed) for name in names)
    ]
    if own:
        return own
    values = [{(f.field, f.value) for f in s.facts} for s in segments]
    if all(v == values[0] for v in values):
        return list(segments)
    return [] if buckets[0] else [segments[0]]


def _foreign(fact: Fact) -> Fact:
    return fact._replace(channel=FOREIGN) if fact.channel in (OWN, REMOTE) else fact


def _split(facts: list[Fact], seed: str) -> tuple[list[Fact], str | None]:
    """Find a seam inside one segment.

    A file was begun by one signup and ended by another, and the order of its lines is not broken. Where a value that a
    signup repeats changes for good, what stands before the last old value is of the first signup, what stands after the
    first new one is of the second, and what stands between may be of either. The part counts whose bucket bears the
    file's seed; the first, if none does. A value that merely lost or changed a few characters is damage, not a seam.
    """
    for name in _TIES:
        told = [f for f in facts if f.field == name and f.channel == OWN]
        change = next((i for i in range(1, len(told)) if told[i].value != told[i - 1].value), None)
        if change is None or {f.value for f in told[:change]} & {f.value for f in told[change:]}:
            continue
        before, after = told[change - 1], told[change]
        if (is_misprint if name == "public_host" else is_damage)(before.value, after.value):
            continue
        first = [f for f in facts if f.locator.start <= before.locator.start]
        second = [f for f in facts if f.locator.start >= after.locator.start]
        bears = [
            any(f.field == "bucket_name" and f.channel == OWN and f.value.endswith("-" + seed) for f in part)
            for part in (first, second)
        ]
        part = second if bears[1] and not bears[0] else first
        inside = set(map(id, part))
        return [f if id(f) in inside else _foreign(f) for f in facts], name
    return facts, None


def _doubt_launch(facts: list[Fact], evidence: str, seed: str) -> tuple[list[Fact], str | None]:
    """Hold the launch time against the time in the file's name.

    Where the bucket bears the file's seed, an instance launched on another day is another signup's, with all that
    follows.
    """
    launch = next((f for f in facts if f.field == "launch_time" and f.channel == OWN), None)
    stamp = evidence.rpartition("/")[2][:18]
    if launch is None:
        return facts, None
    try:
        began = datetime.strptime(stamp, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        launched = datetime.strptime(launch.value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return facts, None
    in_time = timedelta(minutes=-10) <= launched - began <= timedelta(days=1)
    buckets = {f.value for f in facts if f.field == "bucket_name" and f.channel == OWN}
    bears = any(bucket.endswith("-" + seed) for bucket in buckets)
    if bears and not in_time:
        first = next(f.locator.start for f in facts if f.field in ("instance_id", "launch_time") and f.channel == OWN)
        return [f if f.locator.start < first else _foreign(f) for f in facts], "launch_time"
    return facts, None


def _doubt_address(facts: list[Fact]) -> list[Fact]:
    """The facts.

    An address that one line alone tells is not sure where fabric's marks, of another signup, name another.
    """
    spoken = {f.value: f.channel for f in facts if f.field == "public_host" and f.rule == "relayed"}
    if FOREIGN not in spoken.values():
        return facts
    return [
        f._replace(channel=STRAY) if f.rule == "address" and f.channel == OWN and f.value not in spoken else f
        for f in facts
    ]
