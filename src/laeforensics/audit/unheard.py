"""Whom a file concerns that may be unread evidence: it keeps their accounts from being recovered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit.aside import SetAside
from laeforensics.evidence.names import start_of
from laeforensics.facts.buckets import seed_of
from laeforensics.facts.findings import Finding, finding
from laeforensics.reading.unread import Unread

_SAID_WHEN_READ = frozenset({"unreadable-file", "left-out", "damaged-archive", "damaged-secrets", "no-log", "residue"})
"""What reading said of a file of which nothing could be read; here it is said better."""


def block(accounts: Sequence[CaseAccount], unread: Iterable[Unread]) -> None:
    """Let each file block the accounts that it names, in place."""
    bearers: dict[str, list[CaseAccount]] = {}
    for account in accounts:
        for name in _names(account):
            bearers.setdefault(name, []).append(account)
    for one in unread:
        named = {name for told in one.named.surely | one.named.perhaps for name in _forms(told)}
        for account in {id(a): a for name in named for a in bearers.get(name, ())}.values():
            account.unread = (*account.unread, one.file)


def _names(account: CaseAccount) -> set[str]:
    """What may stand for an account in the name of a file, or in one: its bucket, the seeds of its runs."""
    buckets = {account.account_id, account.values.get("bucket_name", "")}
    buckets |= {f.value for f in account.witnesses.get("bucket_name", ())}
    seeds = {start[1] for s in account.signups if (start := start_of(s.name))}
    return {form for name in (*buckets, *seeds) if name for form in _forms(name.lower())}


def _forms(name: str) -> tuple[str, ...]:
    """A bucket's name stands for its seed, too; in the S4 layout the two halves are swapped."""
    seed = seed_of(name) or name.removeprefix("attempt:")
    first, _, second = name.removeprefix("lae-").partition("-")
    if name.startswith("lae-on2wex"):
        seed = f"{second}-{first}"
    return (name, seed)


def findings(
    accounts: Iterable[CaseAccount],
    read: Sequence[Finding],
    unread: Iterable[Unread],
    aside: Iterable[tuple[Unread, SetAside]],
) -> Iterator[Finding]:
    """What reading found, and one finding for each unread file: blocking where it names an account."""
    blocked = {file for account in accounts for file in account.unread}
    said = {f.signup for f in read if f.code in _SAID_WHEN_READ}
    anew: list[Finding] = []
    for one in unread:
        why = one.problem
        if one.file in blocked or one.named.surely:
            words = f"{why}; it names an account"
            anew.append(finding("unread-evidence", words, signup=one.file, remedy=why.remedy))
        elif why.reason != "unknown" and one.file not in said:
            anew.append(finding("unread-file", str(why), signup=one.file, remedy=why.remedy))
    anew += [finding("set-aside", f"{one.problem}; {decision}", signup=one.file) for one, decision in aside]
    instead = {f.signup for f in anew}
    yield from (f for f in read if f.code not in _SAID_WHEN_READ or f.signup not in instead)
    yield from anew
