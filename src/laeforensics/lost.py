"""Signups of which a part of the evidence is lost: the log, or everything but a csv row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laeforensics.facts import OWN
from laeforensics.findings import Finding, finding
from laeforensics.joining import join_rest
from laeforensics.logs import SignupLog
from laeforensics.settling import Account
from laeforensics.witnesses import Signup, Sources, add, start_of, stem


def logs_lost(joined: Sequence[Signup], sources: Sources) -> list[Signup]:
    """Filled secrets files that no log took: their log is lost, the account is one all the same."""
    taken = {s.secrets.evidence for s in joined if s.secrets is not None}
    lost: list[Signup] = []
    for name, file in sources.secrets.items():
        names = {f.value for f in file.facts if f.field == "bucket_name" and f.channel == OWN}
        if name in taken or not (len(names) == 1 or names & sources.undecided.keys()):
            continue
        signup = Signup(name=name, log=None, secrets=file, matched_by=["secrets file"])
        add(signup, file.facts)
        stripe = sources.stripe.get(stem(name))
        if stripe is not None:
            add(signup, stripe.facts)
        join_rest(signup, sources)
        lost.append(signup)
    return lost


def lost_accounts(accounts: Sequence[Account], sources: Sources) -> Iterator[Finding]:
    """Signups that signups.csv calls a success, but of which no log or secrets file tells a bucket."""
    known = {
        (row.evidence, row.line)
        for account in accounts
        for s in account.signups
        for row in (s.success_row,)
        if row is not None and (not account.is_attempt or (s.log is not None and s.log.failed))
    }
    keys = {a.values.get("activation_key") for a in accounts if not a.is_attempt}
    for key, rows in sources.signups.items():
        for told in rows:
            if told.outcome == "success" and (told.evidence, told.line) not in known and key not in keys:
                email = told.value("customer_email") or "an unknown address"
                yield finding(
                    "account-without-evidence",
                    f"{told.evidence}:{told.line} tells a finished signup of {email} at {told.time}, but nothing tells its bucket",
                    signup=told.evidence,
                    locators=tuple(f.locator for f in told.facts[:1]),
                )


def unknown_ends(accounts: Sequence[Account]) -> Iterator[Finding]:
    """Attempts whose log just stops, without a failure told anywhere: there may have been a bucket all the same."""
    for account in accounts:
        for signup in account.signups if account.is_attempt else ():
            log = signup.log
            if log is not None and not log.failed and not log.bucket_failed and signup.failure_row is None:
                yield finding(
                    "unknown-end", "the log stops before its bucket is told, and no failure is told", signup=signup.name
                )


def is_no_log(log: SignupLog) -> bool:
    """True for a file among the logs whose name is no log's and in which no program said anything: a README, a list."""
    return start_of(log.evidence) is None and bool(log.size) and not log.facts and not log.stages


def no_log_finding(log: SignupLog) -> Finding:
    """What is said of a file that lies among the logs and is none."""
    return finding(
        "no-log", "this file lies among the logs, but neither its name nor its text is a log's", signup=log.evidence
    )
