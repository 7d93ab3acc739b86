"""Signups of which nothing tells a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laeforensics.accounts.account import CaseAccount
from laeforensics.companions.sources import Sources
from laeforensics.facts.findings import Finding, finding


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


def unknown_ends(accounts: Sequence[CaseAccount]) -> Iterator[Finding]:
    """Attempts whose log just stops, without a failure told anywhere: there may have been a bucket all the same."""
    for account in accounts:
        for signup in account.signups if account.is_attempt else ():
            log = signup.log
            if log is not None and not signup.has_failed and not signup.bucket_failed and signup.failure_row is None:
                yield finding(
                    "unknown-end", "the log stops before its bucket is told, and no failure is told", signup=signup.name
                )
