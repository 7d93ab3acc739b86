"""What a log is to its account: origin, replacement, re-record, duplicate or attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import stem
from laeforensics.facts.buckets import bears_seed, seed_of
from laeforensics.facts.channels import LAST_ASSERTING_STANDING
from laeforensics.facts.fact import Fact
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

ORIGIN, REPLACEMENT, RE_RECORD, DUPLICATE, ATTEMPT = "origin", "replacement", "re-record", "duplicate", "attempt"


def roles(signups: Sequence[Signup]) -> dict[str, str]:
    """The role of each log (or of a secrets file whose log is lost), by its name."""
    found: dict[str, str] = {}
    by_bucket: dict[str, list[Signup]] = defaultdict(list)
    begun = _begun(signups)
    for signup in signups:
        bucket = attested_bucket(signup)
        if bucket is None:
            found[signup.name] = ATTEMPT
        elif signup.is_re_record:
            found[signup.name] = RE_RECORD
        elif is_replacement(signup, begun):
            found[signup.name] = REPLACEMENT
        else:
            by_bucket[bucket].append(signup)
    for bucket, claimants in by_bucket.items():
        first = min(
            claimants, key=lambda s: (not bears_seed(bucket, _seed(s) or ""), s.log is None, s.name.count("/"), s.name)
        )
        for signup in claimants:
            later = REPLACEMENT if _is_of_another_server(signup, first) else DUPLICATE
            found[signup.name] = ORIGIN if signup is first else later
    logs = {s.name for s in signups if s.log is not None}
    whole = {stem(name) for name, role in found.items() if role != ATTEMPT and name in logs}
    cut = {name for name, role in found.items() if role == ATTEMPT and name in logs and stem(name) in whole}
    attempts = [s for s in signups if s.log is not None and found[s.name] == ATTEMPT]
    attempts.sort(key=lambda s: (-s.log.size if s.log else 0, s.name.count("/"), s.name))
    longest = {stem(s.name): s.name for s in reversed(attempts)}  # of copies in several places, the longest
    cut |= {s.name for s in attempts if longest[stem(s.name)] != s.name}
    return {name: DUPLICATE if name in cut else role for name, role in found.items()}


def _is_of_another_server(signup: Signup, first: Signup) -> bool:
    """True if a file that is no copy of the first tells another server.

    Its log lost its name, and begins at the deployment; or its secrets file bears a seed that is not the bucket's,
    whatever was copied over its log.
    """
    if signup.stamp is None:
        is_apart = signup.log is not None and not signup.stage_names & BEFORE_DEPLOYMENT
    else:
        is_own = bears_seed(named_bucket(signup) or "", signup.stamp[1])
        is_apart = not is_own and signup.secrets is not None and signup.secrets.filled
    told = [{each.values.get(name) for each in (signup, first)} for name in ("instance_id", "public_host")]
    return is_apart and any(None not in some and len(some) == 2 for some in told)


def _seed(signup: Signup) -> str | None:
    start = signup.stamp
    return start[1] if start else None


def _begun(signups: Sequence[Signup]) -> dict[str, str]:
    """When the first run of each S4 customer's subscription began.

    A replacement's name bears the same halves: only its time tells it apart.
    """
    begun: dict[str, str] = {}
    for started, seed in filter(None, (s.stamp for s in signups)):
        if "-" in seed:
            begun[seed] = min(started, begun.get(seed, started))
    return begun


def is_replacement(signup: Signup, begun: Mapping[str, str]) -> bool:
    """True for a replace_server log: it begins at the deployment, of a bucket whose seed is another log's.

    In the S4 layout: of a subscription whose first run had `begun` before.
    """
    bucket, start = named_bucket(signup), signup.stamp
    if bucket is None:
        return False
    is_later = start is not None and start[0] > begun.get(start[1], start[0])
    if signup.log is None:
        return is_later if seed_of(bucket) is None else seed_of(bucket) != _seed(signup)
    begins_early = signup.stage_names & BEFORE_DEPLOYMENT
    own = start is not None and bears_seed(bucket, start[1])
    restores = {"Restoring introducer identity...", "Restoring storage server identity..."} & signup.log.announcements
    if restores or "field missing" in signup.log.marks:
        return is_later or not (
            begins_early and own
        )  # logs are appended to: the signup's may go on with the replacement's
    return start is not None and (is_later or (not begins_early and not own))


def attested_bucket(signup: Signup) -> str | None:
    """The bucket that the evidence says exists.

    It was announced as created, or stands in the program's later prints, or in a filled secrets file. A bucket that was
    only going to be made, or whose creation was printed as failed, is not attested.
    """
    bucket = named_bucket(signup)
    if bucket is None:
        return None
    log = signup.log
    if log is None:
        return bucket
    if signup.bucket_failed:
        return None
    if "bucket_created" in signup.stage_names:
        return bucket
    # Before it is made its name is printed, too, in a print of which a line may be lost.
    before = {f.print for f in signup.witnesses_of("stage") if f.value == "bucket_creating"}
    attesting = [
        f
        for f in signup.witnesses_of("bucket_name")
        if not (f.locator.evidence == log.evidence and (f.rule == "bucket" or f.print in before))
        and (signup.hearing.channel(f) == "damaged" or _tells(f, signup, bucket))
    ]
    if any(f.locator.evidence != log.evidence or f.rule in ("deployment", "stray", "tahoe_cfg") for f in attesting):
        return bucket
    return None


def named_bucket(signup: Signup) -> str | None:
    """The bucket of a log, whether it exists or not; of several almost equal names the one that stands for them."""
    return signup.undecided_bucket or signup.values.get("bucket_name")


def _tells(fact: Fact, signup: Signup, bucket: str) -> bool:
    asserts = signup.hearing.standing(fact) <= LAST_ASSERTING_STANDING
    return asserts and (fact.value == bucket or signup.undecided_bucket is not None)
