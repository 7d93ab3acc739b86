"""A token with its end cut off, beside the whole one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from laeforensics.companions.products import is_offered
from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import lead
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact

_TOKENS = ("user_token", "product_token")


@looks_at(*_TOKENS)
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt a token with which another one that is sure begins, unless more voices tell it.

    No damage goes on with letters of its own. (But what ends in = was whole, and a forger may go on.) Where something
    made all values of a file as short, the other token of that length is not sure, if nothing else tells it. What is
    merely offered, and does not go on so, waits for a human.
    """
    told: dict[str, list[Fact]] = {}
    for name in _TOKENS:
        heard = dict.fromkeys(fact for signup in view.signups for fact in signup.witnesses_of(name))
        told[name] = view.hearing.sure(heard)
        short = [f for f in heard if any(note.reason == "at-a-limit" for note in view.hearing.notes(f))]
        other = [f for f in short if not any(fact.value.startswith(f.value) for fact in told[name])]
        if other and all(is_offered(fact) for fact in told[name]):
            yield Doubt(facts=tuple(told[name]), reason="not-its-end", because=(other[0].locator,), about=view.names)
    lengths: dict[tuple[str, int], Fact] = {}
    for facts in told.values():
        values: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            values[fact.value].append(fact)
        heads = {one for one, after in pairwise(sorted(values)) if after.startswith(one)}
        for fact in (fact for fact in facts if fact.value in heads):
            longer = next(v for v in values if v != fact.value and v.startswith(fact.value))
            if lead(values[fact.value], values[longer], view.re_records) <= 0:
                lengths[fact.locator.evidence, len(fact.value)] = fact
                yield Doubt(facts=(fact,), reason="end-lost", because=(values[longer][0].locator,), about=view.names)
    for facts in told.values() if lengths else ():
        for fact in facts if len({f.value for f in facts}) == 1 else ():
            alike = lengths.get((fact.locator.evidence, len(fact.value)))
            if alike is not None:
                yield Doubt(facts=(fact,), reason="tied", because=(alike.locator,), about=view.names)
