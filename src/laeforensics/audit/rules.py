"""The decision tables: the order of the verdicts, the order of the grades, what each means in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import PERHAPS_READY, bucket_made, perhaps_ready
from laeforensics.facts.buckets import bears_seed
from laeforensics.facts.fact import Fact
from laerecover import manifest

CLOSED, ABANDONED, UNFINISHED, CONTESTED, INCOMPLETE, RECOVERABLE = manifest.VERDICTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of a decision table: the first whose `holds` is true decides."""

    name: str
    holds: Callable[[CaseAccount], bool]
    meaning: str
    remedy: str


VERDICTS: tuple[Rule, ...] = (
    Rule(
        name=CLOSED,
        holds=lambda a: a.closed is not None,
        meaning="the customer left: the list of closed accounts says so, and it is never recovered",
        remedy="none; if the list is wrong, mend it and audit again",
    ),
    Rule(
        name=ABANDONED,
        holds=lambda a: a.is_attempt,
        meaning="an attempt: nothing that is believed attests a bucket",
        remedy="none, unless a blocking finding names it: account-without-evidence (its log or secrets file is lost), "
        "bucket-without-account or unread-evidence (it was not understood)",
    ),
    Rule(
        name=UNFINISHED,
        holds=lambda a: a.is_unfinished,
        meaning="activated and paying, the bucket exists, but no server was ever ready",
        remedy="ask the customer; `laeforensics decide EVIDENCE ACCOUNT --finish --because WHY` records a yes, and "
        "recovering it finishes the signup",
    ),
    Rule(
        name=CONTESTED,
        holds=lambda a: bool(a.contested),
        meaning="witnesses contradict each other in a field that must be right, or the only one is not sure",
        remedy="a human decides which witness is right",
    ),
    Rule(
        name=INCOMPLETE,
        holds=lambda a: bool(a.missing or a.unread),
        meaning="a field without which the customer's storage cannot be opened is missing",
        remedy="find the evidence that `audit` names for it under What would help most",
    ),
    Rule(
        name=RECOVERABLE,
        holds=lambda a: True,
        meaning="everything that a recovery needs is known",
        remedy="none needed",
    ),
)

GRADES: tuple[Rule, ...] = (
    Rule(
        name="IDENTITY_KEPT",
        holds=lambda a: a.introducer_identity == a.storage_identity == "PROVED" and a.furl_fits,
        meaning="both nodes come back as themselves: the customer changes at most the address",
        remedy="none needed",
    ),
    Rule(
        name="NEW_FURL",
        holds=lambda a: a.storage_identity == "PROVED",
        meaning="the storage node comes back as itself; nothing certifies the introducer's furl: one must be sent: "
        "that which a host relayed (with it an old configuration goes on working if it was right), else a new one",
        remedy="find the introducer's node.pem and its furl",
    ),
    Rule(
        name="NEW_STORAGE_IDENTITY",
        holds=lambda a: True,
        meaning="files can be read, but directories and other mutable files that exist cannot be changed: "
        "their write enablers are bound to the lost storage node's TubID",
        remedy="find the storage server's node.pem",
    ),
)


def verdict(account: CaseAccount) -> Rule:
    """The first verdict that holds."""
    return next(rule for rule in VERDICTS if rule.holds(account))


def bucket_not_believed(account: CaseAccount) -> Fact | None:
    """What tells of an attempt, and is not believed in that, that its run had a bucket: its name, or that it was made.

    None of one that is told to have ended without; nor of an account.
    """
    for signup in account.signups if account.is_attempt else ():
        if signup.has_failed or signup.bucket_failed or signup.failure_row is not None or signup.log is None:
            continue
        seed = (signup.stamp or ("", ""))[1]
        named = [f for f in signup.witnesses_of("bucket_name") if seed and bears_seed(f.value, seed)]
        told = [*named, *bucket_made(signup)]
        if told:
            return told[0]
    return None


def grade(account: CaseAccount) -> Rule | None:
    """The first grade that holds; None for an attempt."""
    return None if account.is_attempt else next(rule for rule in GRADES if rule.holds(account))


def grade_means(account: CaseAccount) -> str | None:
    """What the customer will notice of its grade; of a signup that never came to a server, that nothing was before."""
    if account.ready is False:
        if any(perhaps_ready(signup) for signup in account.signups):
            return f"a new service: no server of it was ever ready, or {PERHAPS_READY}"
        return "a new service: no server of it was ever ready, so there is nothing of before"
    found = grade(account)
    return found.meaning if found else None


def blocking(account: CaseAccount) -> tuple[str, ...]:
    """The codes of what keeps the account from being recovered, each with its field: `missing:user_secret_key`."""
    if account.is_attempt:
        return ()
    codes = [f"closed:{account.closed.partition(':')[0]}"] if account.closed is not None else []
    codes += [f"contested:{name}" for name in sorted(account.contested)]
    codes += [f"missing:{name}" for name in account.missing]
    codes += [f"unread:{name}" for name in account.unread]
    if account.is_unfinished:
        codes.append("never-ready")
    return tuple(codes)
