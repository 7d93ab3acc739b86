"""What the evidence lacks: signups of which nothing tells a bucket, kinds of which there is no file at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import bucket_made
from laeforensics.audit.unheard import buckets_of, written_as
from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.evidence import recognise
from laeforensics.evidence.names import s4_name, start_of
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.damage import Neighbours
from laeforensics.facts.fact import Locator
from laeforensics.facts.findings import Finding, finding
from laeforensics.reading.whole import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of evidence that the HOWTO looks into: `name` is its word for it, `hides` what nothing else may tell."""

    of_files: str
    name: str
    hides: str
    fields: tuple[str, ...] = ()
    """What it tells of accounts that other evidence brings back."""
    is_devpay: bool = False
    """True if nothing of the S4 years stands in it."""


_NAMED = 24
"""So many buckets of one file are named."""

KINDS = (
    Kind(
        of_files=recognise.LOG,
        name="signup_logs",
        hides="who has no secrets file, whether a server was replaced, which signup failed",
        fields=("customer_email", "instance_id", "launch_time"),
    ),
    Kind(
        of_files=recognise.SECRETS,
        name="secrets",
        hides="node keys, without which a customer's furl changes, and who has no log",
    ),
    Kind(
        of_files=recognise.CONFIG,
        name="lae_automation_config.json",
        hides="the product tokens of customers who have no secrets file",
        is_devpay=True,
    ),
    Kind(
        of_files=recognise.ACTIVATION_REQUESTS,
        name="activation_requests.csv",
        hides="names and key information of customers, and their addresses where logs tell none",
        fields=("customer_name", "customer_email", "customer_keyinfo"),
        is_devpay=True,
    ),
    Kind(
        of_files=recognise.SIGNUPS,
        name="signups.csv",
        hides="finished signups whose log and secrets file are both lost",
        is_devpay=True,
    ),
)


def missing_kinds(reading: Reading, accounts: Iterable[CaseAccount]) -> list[Kind]:
    """The kinds of which the evidence has no file; of the DevPay years where an account of them is there."""
    sources, is_devpay = reading.sources, any(product_code_of(account.account_id) for account in accounts)
    files = [(file.kind, file.name) for file, _ in reading.files]
    files += [(recognise.LOG, log.evidence) for log in reading.logs]
    files += [(recognise.SECRETS, name) for name in sources.secrets]
    # In the S4 layout log and secrets file lie in a folder of their own, and tell of nobody else.
    there = {kind for kind, name in files if not is_devpay or s4_name(name) is None}
    told = (recognise.CONFIG, sources.products), (recognise.ACTIVATION_REQUESTS, sources.activations)
    there |= {kind for kind, found in (*told, (recognise.SIGNUPS, sources.signups)) if found}
    return [kind for kind in KINDS if kind.of_files not in there and (is_devpay or not kind.is_devpay)]


def missing_evidence(kinds: Iterable[Kind]) -> Iterator[Finding]:
    """One finding for each kind of evidence that is missing wholly."""
    for kind in kinds:
        yield finding("missing-evidence", f"there is no {kind.name}: it may hide {kind.hides}", signup=kind.name)


def lost_accounts(accounts: Sequence[CaseAccount], sources: Sources) -> Iterator[Finding]:
    """Signups that signups.csv calls a success, but of which no log or secrets file tells a bucket."""
    known = {
        (row.evidence, row.line)
        for account in accounts
        for s in account.signups
        for row in (s.success_row,)
        if row is not None and (not account.is_attempt or s.has_failed)
    }
    keys = {a.values.get("activation_key") for a in accounts if not a.is_attempt}
    for key, rows in sources.signups.items():
        for told in rows:
            if told.outcome == "success" and (told.evidence, told.line) not in known and key not in keys:
                email = told.value("customer_email") or "an unknown address"
                signup = f"{told.evidence}:{told.line} tells a finished signup of {email} at {told.time}"
                yield finding(
                    "account-without-evidence",
                    f"{signup}, but nothing tells its bucket",
                    signup=told.evidence,
                    locators=tuple(f.locator for f in told.facts[:1]),
                )


def without_account(
    accounts: Sequence[CaseAccount], reading: Reading, *, harmless: Collection[str] = ()
) -> Iterator[Finding]:
    """Buckets that stand in the evidence by name, but are no account's, nor near to one's, nor of a told failure.

    One finding for each file, so that nobody is lost without a word, whatever was done to it; none for what an unread
    file bears in its own name, for that file has one.
    """
    said = {(one.file, name) for one in reading.unread if one.file not in harmless for name in one.named_by_name}
    settled = [account for account in accounts if not account.is_attempt or _has_failed(account)]
    known = {name for account in settled for name in buckets_of(account)}
    neighbours = Neighbours(known)
    said |= {(s.name, start[1]) for a in settled for s in a.signups if (start := start_of(s.name))}
    in_file: dict[str, list[tuple[str, Locator]]] = defaultdict(list)
    for name, places in reading.spelled.items():
        if known.isdisjoint(forms := written_as(name)) and not any(neighbours.near(form) for form in forms):
            for place in places:
                if said.isdisjoint((place.evidence, form) for form in forms):
                    in_file[place.evidence].append((name, place))
    for file, found in sorted(in_file.items()):
        names = ", ".join(name for name, _ in found[:_NAMED])
        more = f" ({len(found) - _NAMED} more)" if len(found) > _NAMED else ""
        yield finding(
            "bucket-without-account",
            f"it names {names}{more}, and nothing that was understood makes an account of it",
            signup=file,
            locators=tuple(place for _, place in found[:_NAMED]),
        )


def _has_failed(attempt: CaseAccount) -> bool:
    """True if each run of it is told to have ended without a bucket."""
    return all(_has_none(signup) for signup in attempt.signups)


def _has_none(signup: Signup) -> bool:
    """True if a run is told to have ended, and nothing in its log tells of a bucket that was made."""
    is_told = signup.has_failed or signup.failure_row is not None
    return signup.bucket_failed or (is_told and not bucket_made(signup))


def unknown_ends(accounts: Sequence[CaseAccount], named: Iterable[Finding]) -> Iterator[Finding]:
    """Attempts whose log just stops, without a failure told anywhere: there may have been a bucket all the same.

    Where it goes on behind the making of its bucket there was one. Nothing more of a log that `named` speak of, nor of
    the run of an account.
    """
    said = {one.signup for one in named}
    seeds = {seed for account in accounts if not account.is_attempt for seed in buckets_of(account)}
    for signup in (s for account in accounts if account.is_attempt for s in account.signups):
        start = start_of(signup.name)
        if signup.log is None or signup.log.evidence in said or _has_none(signup):
            continue
        made = bucket_made(signup)
        if not made:
            words = "the log stops before its bucket is told, and no failure is told"
            yield finding("unknown-end", words, signup=signup.name)
        elif start is None or seeds.isdisjoint(written_as(start[1])):
            words = "it goes on behind the making of its bucket, and nothing that was understood tells which that is"
            yield finding("bucket-without-account", words, signup=signup.log.evidence, locators=(made[0].locator,))
