"""Why a witness that nobody doubts is not what an account comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.roles import RE_RECORD
from laeforensics.accounts.servers import launched
from laeforensics.doubting.signups import Signup
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import CREDENTIALS, CUSTOMER, OF_ONE_SERVER, fields_of
from laeforensics.facts.masking import plain
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

_KNOWN_BY = ("public_host", "instance_id", "introducer_furl")


def not_taken(account: CaseAccount, fact: Fact) -> str:
    """The reason in words, with the first place of what counts before it; empty where it is what counts.

    What is not sure has its reason already where nothing else counts.
    """
    name, value = fact.field, account.values.get(fact.field)
    is_unsure = account.hearing.is_unsure(fact)
    if value == fact.value or name in account.contested or not fact.value or (value is None and is_unsure):
        return ""
    taken = [f for f in account.witnesses.get(name, ()) if f.value == value]
    why, because = next(_whys(account, fact, taken) if taken else _whys_of_none(account, fact))
    return f"not taken: {why}" + (f" (because of {plain(str(because.locator))})" if because is not None else "")


Why = tuple[str, Fact | None]


def _whys(account: CaseAccount, fact: Fact, taken: Sequence[Fact]) -> Iterator[Why]:
    """What speaks against it where another witness counts, the most telling first."""
    name, hearing, first = fact.field, account.hearing, taken[0]
    if name in account.decided:
        yield "a human chose another", first
    ours, theirs = _tellers(account, fact), [s for f in taken for s in _tellers(account, f)]
    if not any(signup in theirs for signup in ours):
        yield from ((why, first) for why, _ in _of_another_node(account, fact))
        if name in (*OF_ONE_SERVER, "introducer_furl") and ours and theirs:
            yield _of_another_server(ours, theirs), first
        if name in fields_of(CREDENTIALS, CUSTOMER) and ours and all(_is_re_record(account, s) for s in ours):
            yield "what a re-record reads out of its server only fills gaps", first
    if hearing.standing(fact) > min(map(hearing.standing, taken)):
        yield "what tells another value came in a better way", first
    if hearing.is_unsure(fact) and not all(map(hearing.is_unsure, taken)):
        yield "what is sure counts before it", first
    yield "another witness counts before it", first


def _whys_of_none(account: CaseAccount, fact: Fact) -> Iterator[Why]:
    """What speaks against it where nothing counts."""
    if not account.values:
        yield "of this run another text is an account's log; nothing is taken from this one", None
    yield from _of_another_node(account, fact)
    if fact.field in ("product_code", "product_token") and not product_code_of(account.account_id):
        yield "an account of the S4 years has no product", None
    theirs = [f for known in _KNOWN_BY for f in account.witnesses.get(known, ())]
    servers = [s for f in theirs for s in _tellers(account, f)]
    ours = _tellers(account, fact)
    if fact.field in OF_ONE_SERVER and servers and not any(signup in servers for signup in ours):
        yield _of_another_server(ours, servers), theirs[0]
    yield "nothing tells that it is of the account's own run or server", None


def _of_another_node(account: CaseAccount, fact: Fact) -> Iterator[Why]:
    """That a furl does not name the introducer whose key is proved."""
    if fact.field == "introducer_furl" and account.introducer_identity == identities.PROVED:
        keys = account.witnesses.get("introducer_node_pem", [])
        if tub_id_of_furl(fact.value) != tub_id_of_pem(account.values["introducer_node_pem"]):
            yield "it is of another node than the one whose key is proved", next(iter(keys), None)


def _of_another_server(ours: Sequence[Signup], theirs: Sequence[Signup]) -> str:
    is_older = max(map(launched, ours), default="") < min(map(launched, theirs))
    return "it is an older server's, and a later one counts" if is_older else "another server counts before its"


def _is_re_record(account: CaseAccount, signup: Signup) -> bool:
    return any(line.startswith(f"{RE_RECORD} {signup.name} ") for line in account.history)


def _tellers(account: CaseAccount, fact: Fact) -> list[Signup]:
    """The signups of the account that heard it."""
    return [signup for signup in account.signups if fact in signup.witnesses_of(fact.field)]
