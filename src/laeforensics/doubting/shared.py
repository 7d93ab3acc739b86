"""What only one account can have, told in two: it is sure in none, unless it is shown which copy is foreign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import voice
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

# The S4 accounts share one pair of keys by design.
_NOT_IN_S4 = frozenset({"user_access_key_id", "user_secret_key"})
# A customer who signs up twice may get one token; a key may have been sent in twice.
_MAY_BE_SHARED = frozenset({"user_token", "activation_key"})
_UNIQUE = (
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "activation_key",
    "instance_id",
    "introducer_furl",
    "introducer_node_pem",
    "introducer_nodeid",
    "server_node_pem",
    "server_nodeid",
    "server_node_privkey",
)
_Tellers = dict[int, list[Fact]]
"""By the number of the account: the facts that tell a value there."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt in each account what another tells as its own.

    A copy is foreign where other witnesses of its own account that are sure tell another value, and fewer speak for it
    there than elsewhere; or where its file is damaged. If that leaves one account, the value is its; if it leaves more,
    it is sure in none.
    """
    views = view.accounts
    for thing, told in sorted(_tellers(views).items()):
        if len(told) < 2:
            continue
        foreign = _foreign(views, told, thing[0])
        left = told.keys() - foreign
        for number in sorted(told):
            if number in foreign:
                yield from _doubts(views, told, number, "of-another-account")
            elif len(left) > 1 and thing[0] not in _MAY_BE_SHARED:
                yield from _doubts(views, told, number, "in-two-accounts")


def _foreign(views: Sequence[AccountView], told: _Tellers, kind: str) -> set[int]:
    """The accounts of which it is shown that their copy is foreign; none, if that would leave nobody."""
    unsure = {number for number, facts in told.items() if not views[number].hearing.sure(facts)}
    against = {number: _against(views[number], kind, facts) for number, facts in told.items()}
    balance = {number: len({voice(f) for f in facts}) - against[number] for number, facts in told.items()}
    foreign = {number for number in told if against[number] and balance[number] < max(balance.values())}
    if len(unsure) < len(told):
        foreign |= unsure
    if not foreign and not any(against.values()):
        foreign = {number for number, facts in told.items() if _is_damaged(views[number], facts)}
    return foreign if len(foreign) < len(told) else set()


def _doubts(views: Sequence[AccountView], told: _Tellers, number: int, reason: str) -> Iterator[Said]:
    facts, view = told[number], views[number]
    others = [fact for other, facts in told.items() if other != number for fact in facts]
    yield Doubt(facts=tuple(facts), reason=reason, because=tuple(fact.locator for fact in others[:5]), about=view.names)
    yield finding(
        "several-accounts",
        f"{facts[0].field} stands in {others[0].locator.evidence} too, which is of another bucket",
        signup=view.signups[0].name,
        field=facts[0].field,
        locators=tuple(fact.locator for fact in facts[:5]),
    )


def _tellers(views: Sequence[AccountView]) -> dict[tuple[str, str], _Tellers]:
    """For each unique thing (kind and name) who tells it."""
    told: dict[tuple[str, str], _Tellers] = defaultdict(dict)
    for number, view in enumerate(views):
        if not view.bucket:
            continue
        for name in _UNIQUE:
            if name in _NOT_IN_S4 and product_code_of(view.bucket) is None:
                continue
            for fact in _asserted(view, name):
                thing = _thing(fact)
                if thing is not None:
                    told[thing].setdefault(number, []).append(fact)
    return told


def _thing(fact: Fact) -> tuple[str, str] | None:
    """What a fact names that only one account has: of furls and keys of nodes, the node."""
    if fact.field == "introducer_furl":
        return "introducer", tub_id_of_furl(fact.value)
    if fact.field.endswith("_pem"):
        tub_id = tub_id_of_pem(fact.value)
        return None if tub_id is None else (fact.field.partition("_")[0], tub_id)
    if fact.field.endswith("_nodeid"):
        return fact.field.partition("_")[0], fact.value
    return fact.field, fact.value


def _asserted(view: AccountView, name: str) -> Iterable[Fact]:
    return dict.fromkeys(fact for signup in view.signups for fact in signup.asserted(name))


def _against(view: AccountView, kind: str, facts: Sequence[Fact]) -> int:
    """How many independent voices of the account, sure and as good, tell another value."""
    hearing = view.hearing
    mine = {voice(fact) for fact in facts}
    best = min(hearing.standing(fact) for fact in facts)
    others = (
        fact
        for name in _UNIQUE
        if name in {fact.field for fact in facts}
        for fact in hearing.sure(_asserted(view, name))
        if (thing := _thing(fact)) is not None and thing[0] == kind and thing != _thing(facts[0])
    )
    return len({voice(fact) for fact in others if hearing.standing(fact) <= best} - mine)


def _is_damaged(view: AccountView, facts: Iterable[Fact]) -> bool:
    files = {fact.locator.evidence for fact in facts}
    return any(signup.is_damaged(file) for signup in view.signups for file in files)
