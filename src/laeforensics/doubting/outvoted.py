"""A key, token or address that one voice of an account tells otherwise than two others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.companions.products import is_offered
from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.tied import beside
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import MANY, lead, voice
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_head, is_near
from laeforensics.facts.fact import Fact

_FIELDS = frozenset({"user_access_key_id", "user_secret_key", "user_token", "product_token", "customer_email"})


@looks_at(*_FIELDS)
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt what is told by fewer voices than the one other value that two independent ones tell.

    (What is cut off wins nowhere. Whether the token that is offered for a product is of its time is judged elsewhere.)
    """
    for name, hearing, about, facts in view.scopes():
        if name not in _FIELDS:
            continue
        told: dict[str, list[Fact]] = defaultdict(list)
        for fact in hearing.sure(facts):
            told[fact.value].append(fact)
        for value in told if 1 < len(told) <= MANY else ():
            odd = tuple(fact for fact in hearing.asserting(facts) if fact.value != value)
            if any(is_offered(fact) or is_head(value, fact.value) for fact in odd):
                continue
            ours, theirs = ({voice(fact, view.re_records) for fact in some} for some in (told[value], odd))
            if name == "customer_email" and (not theirs < ours or any(is_near(value, fact.value) for fact in odd)):
                continue  # who has another address may be another customer, whose log does not belong here at all
            if len(ours) > 1 and lead(told[value], odd, view.re_records) > 0:
                because = tuple(fact.locator for fact in told[value])[:5]
                yield Doubt(facts=odd, reason="outvoted", because=because, about=about)
                yield from beside(view.signups, odd, about)
