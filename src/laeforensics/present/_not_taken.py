"""Why a witness that nobody doubts is not what an account comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.roles import RE_RECORD
from laeforensics.accounts.servers import launched
from laeforensics.doubting.signups import Signup
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import CREDENTIALS, CUSTOMER, OF_ONE_SERVER, fields_of
from laeforensics.facts.masking import plain
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

_KNOWN_BY = ("public_host", "instance_id", "introducer_furl")


def not_taken(account: CaseAccount, fact: Fact) -> str:
    """The reason in words, with the first place of what counts before it; empty where it is what counts."""
    name, value = fact.field, account.values.get(fact.field)
    if value == fact.value or name in account.contested or not fact.value:
        return ""
    taken = [f for f in account.witnesses.get(name, ()) if f.value == value]
    if value is None and name in OF_ONE_SERVER:
        taken = [f for known in _KNOWN_BY for f in account.witnesses.get(known, ())]
    if not taken:
        return ""
    why = next(_whys(account, fact, taken))
    return f"not taken: {why} (because of {plain(str(taken[0].locator))})"


def _whys(account: CaseAccount, fact: Fact, taken: Sequence[Fact]) -> Iterator[str]:
    """What speaks against it, the most telling first."""
    name, hearing = fact.field, account.hearing
    if name in account.decided:
        yield "a human chose another"
    ours, theirs = _tellers(account, fact), [s for f in taken for s in _tellers(account, f)]
    if not any(signup in theirs for signup in ours):
        if name == "introducer_furl" and account.introducer_identity == identities.PROVED:
            proved = tub_id_of_pem(account.values["introducer_node_pem"])
            if tub_id_of_furl(fact.value) != proved:
                yield "it is of another node than the one whose key is proved"
        if name in (*OF_ONE_SERVER, "introducer_furl") and ours and theirs:
            is_older = max(map(launched, ours)) < min(map(launched, theirs))
            yield "it is an older server's, and a later one counts" if is_older else "another server counts before its"
        if name in fields_of(CREDENTIALS, CUSTOMER) and ours and all(_is_re_record(account, s) for s in ours):
            yield "what a re-record reads out of its server only fills gaps"
    if hearing.standing(fact) > min(map(hearing.standing, taken)):
        yield "what tells another value came in a better way"
    yield "another witness counts before it"


def _is_re_record(account: CaseAccount, signup: Signup) -> bool:
    return any(line.startswith(f"{RE_RECORD} {signup.name} ") for line in account.history)


def _tellers(account: CaseAccount, fact: Fact) -> list[Signup]:
    """The signups of the account that heard it."""
    return [signup for signup in account.signups if fact in signup.witnesses_of(fact.field)]
