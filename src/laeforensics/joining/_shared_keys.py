"""The pair of keys that S4 accounts share, where a letter of it is overwritten in one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from laeforensics.doubting.signups import Signup
from laeforensics.doubting.voices import MANY, print_of
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact

_SHARED = ("user_access_key_id", "user_secret_key")
_OTHERS = 2
"""So many other accounts show which is the shared one."""


def join_shared_keys(signups: Sequence[Signup]) -> None:
    """The S4 accounts share one pair of keys: one that has a character or two of it overwritten hears what others tell.

    (Unless more than one print of its own tells what is near to it.)
    """
    buckets = {signup.name: signup.weigh("bucket_name")[0] for signup in signups}
    s4 = [s for s in signups if (bucket := buckets[s.name]) is not None and product_code_of(bucket) is None]
    for name in _SHARED:
        told: dict[str, dict[str | None, Fact]] = defaultdict(dict)
        for signup in s4:
            for fact in signup.sure(name):
                told[fact.value].setdefault(buckets[signup.name], fact)
        lone = [value for value, tellers in told.items() if len(tellers) == 1]
        shared = [value for value, tellers in told.items() if len(tellers) >= _OTHERS]
        shared += [value for value in lone if len(lone) <= MANY and _is_between(value, lone)]
        for signup in s4 if len(shared) <= MANY else ():
            odd = [f for f in signup.asserted(name) if len(told[f.value]) == 1 and f.value not in shared]
            by = next((value for value in shared if odd and is_near(value, odd[0].value)), "")
            if by and len(set(map(print_of, odd))) == 1:
                others = list(told[by].values())[:_OTHERS]
                because = tuple(fact.locator for fact in others)
                about = frozenset({signup.name})
                signup.beliefs.add([Doubt(facts=tuple(odd), reason="neighbour", because=because, about=about)])
                signup.add(others)


def _is_between(value: str, lone: Iterable[str]) -> bool:
    """True if of two others, near to it, each is overwritten elsewhere: most tell its characters."""
    near = [other for other in lone if len(other) == len(value) and is_near(other, value)]
    odd = [{n for n, letter in enumerate(other) if letter != value[n]} for other in near]
    return len(near) >= _OTHERS and all(one.isdisjoint(other) for one, other in combinations(odd, 2))
