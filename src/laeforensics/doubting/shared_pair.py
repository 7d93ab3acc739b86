"""The pair of keys that the accounts of the S4 layout share: half of it beside another's half is one customer's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact

_FIELDS = ("user_access_key_id", "user_secret_key")
_Pair = tuple[Fact, Fact]
"""An access key and the secret key that one print tells beside it."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt the half that stands beside a half of the shared pair, whosever account tells it.

    An access key has one secret key for ever: a pair of later keys has neither half. Where nothing tells which pair is
    the shared one, what an account of its own tells, too, is sure in neither, but where two of its files tell it. (What
    is near to a half is a misprint of it.)
    """
    every = [(account, _pairs(account), bool(product_code_of(account.bucket or ""))) for account in view.accounts]
    shared = [told for _, told, is_own in every if not is_own]
    s4, own = _by_value(shared), _by_value(told for _, told, is_own in every if is_own)
    pair = _shared(shared, own)
    for account, told, is_own in every if s4 else ():
        for keys in told:
            if pair is not None:
                halves = [key for key in keys if key.value in pair]
                others = [f for f in keys if f not in halves and not any(is_near(f.value, half) for half in pair)]
                facts = [] if len(halves) != 1 else halves if is_own else others
            else:
                facts = [f for f in keys if f.value in s4 and f.value in own]
                facts = [f for f in facts if not is_own or len({each.locator.evidence for each in own[f.value]}) == 1]
            because = tuple(each.locator for fact in facts for each in (s4 if is_own else own).get(fact.value, ()))
            yield Doubt(facts=tuple(facts), reason="against-shared", because=because[:5], about=account.names)


def _by_value(every: Iterable[list[_Pair]]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for told in every:
        for fact in (fact for keys in told for fact in keys):
            found[fact.value].append(fact)
    return found


def _shared(told: Iterable[list[_Pair]], own: dict[str, list[Fact]]) -> tuple[str, ...] | None:
    """The pair that more accounts tell than any other; else the only one of which no other account has a half."""
    count = Counter(pair for some in told for pair in {tuple(f.value for f in keys) for keys in some})
    ranked = count.most_common(2)
    if ranked and ranked[0][1] > max(1, ranked[1][1] if len(ranked) > 1 else 0):
        return ranked[0][0]
    apart = [pair for pair in count if own.keys().isdisjoint(pair)]
    return apart[0] if len(apart) == 1 else None


def _pairs(account: AccountView) -> list[_Pair]:
    """The pairs of which an account is sure; none of what is no account."""
    if account.bucket is None:
        return []
    sure: list[dict[tuple[str, int], Fact]] = [
        {(f.locator.evidence, f.print): f for signup in account.signups for f in signup.sure(name)} for name in _FIELDS
    ]
    return [(access, sure[1][place]) for place, access in sure[0].items() if place in sure[1]]
