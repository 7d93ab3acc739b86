"""Whom a file concerns that may be unread evidence: it keeps their accounts from being recovered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from laeforensics.accounts.account import REQUIRED, REQUIRED_DEVPAY, CaseAccount
from laeforensics.audit.aside import SetAside
from laeforensics.companions.products import is_offered
from laeforensics.evidence.names import start_of
from laeforensics.evidence.recognise import bears_known_name
from laeforensics.facts.buckets import product_code_of, seed_of
from laeforensics.facts.findings import Finding, finding
from laeforensics.reading.unread import Unread

_SAID_WHEN_READ = frozenset(
    {"unreadable-file", "left-out", "damaged-archive", "unread-evidence", "damaged-secrets", "no-log", "residue"}
)
"""What reading said of a file of which nothing could be read; here it is said better."""


def block(accounts: Sequence[CaseAccount], unread: Iterable[Unread]) -> set[str]:
    """Let each file block the accounts that it names, in place; the files by which no account has lost anything.

    A damaged secrets file of which nothing is left but what was looked at blocks an account only for what is not known
    as well from elsewhere.
    """
    harmless: set[str] = set()
    bearers: dict[str, list[CaseAccount]] = {}
    for account in accounts:
        for name in _names(account):
            bearers.setdefault(name, []).append(account)
    for one in unread:
        named = {name for told in one.named.surely | one.named.perhaps for name in written_as(told)}
        concerned = list({id(a): a for name in named for a in bearers.get(name, ())}.values())
        waiting = [a for a in concerned if not (one.is_spent and _is_known(a, one))]
        for account in waiting:
            account.unread = (*account.unread, one.file)
        if one.is_spent and not waiting and concerned:
            harmless.add(one.file)
    return harmless


def _is_known(account: CaseAccount, one: Unread) -> bool:
    """True if nothing that is left of the file speaks against the account, and nothing that it lost is missing.

    A product token that is only offered is not known, for the file may have told another; unless a re-record read it.
    """
    bucket = ("bucket_name", account.values.get("bucket_name", ""))
    ours = [told for told in one.legible if bucket in told]
    ours = ours or [told for told in one.legible if "bucket_name" not in dict(told)]
    for name in REQUIRED_DEVPAY if product_code_of(account.account_id) else REQUIRED:
        if name in account.contested:
            continue
        value = account.values.get(name)
        told = {v for some in ours for field, v in some if field == name}
        if one.problem.reason != "read in part" and (value is None or (told and value not in told)):
            return False
        if not told and all(is_offered(f) for s in account.signups for f in s.asserted(name) if f.value == value):
            return False
    return True


def _names(account: CaseAccount) -> set[str]:
    """What may stand for an account in the name of a file, or in one: its bucket, the seeds of its runs."""
    seeds = {start[1] for s in account.signups if (start := start_of(s.name))}
    return {form for name in seeds for form in written_as(name.lower())} | buckets_of(account)


def buckets_of(account: CaseAccount) -> set[str]:
    """What its files tell as its bucket, believed or not, in each form; of an attempt its seed alone."""
    buckets = {account.account_id}
    if not account.is_attempt:
        buckets |= {account.values.get("bucket_name", ""), *(f.value for f in account.witnesses.get("bucket_name", ()))}
    return {form for name in buckets - {""} for form in written_as(name.lower())}


def written_as(name: str) -> tuple[str, ...]:
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
    *,
    harmless: Collection[str] = (),
) -> Iterator[Finding]:
    """What reading found, and one finding for each unread file: blocking where it names an account.

    Of a `harmless` file what reading said is enough.
    """
    blocked = {file for account in accounts for file in account.unread}
    said = {f.signup for f in read if f.code in _SAID_WHEN_READ}
    anew: list[Finding] = []
    for one in unread:
        if one.file in harmless:
            continue
        why = one.problem
        bears_name = bears_known_name(one.file)
        if one.file in blocked or one.named.surely or bears_name:
            words = str(why)
            if why.reason != "unknown":
                words += f"; it {'bears the name of evidence' if bears_name else 'names an account'}"
            anew.append(finding("unread-evidence", words, signup=one.file, remedy=why.remedy))
        elif why.reason != "unknown" and one.file not in said:
            anew.append(finding("unread-file", str(why), signup=one.file, remedy=why.remedy))
    anew += [finding("set-aside", f"{one.problem}; {decision}", signup=one.file) for one, decision in aside]
    instead = {f.signup for f in anew}
    yield from (f for f in read if f.code not in _SAID_WHEN_READ or f.signup not in instead)
    yield from anew
