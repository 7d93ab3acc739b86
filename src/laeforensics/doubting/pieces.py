"""A key or token of two pieces: one end is another account's value's, the other that of its own account's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import permutations

from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.tied import beside
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import MANY, print_of
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near, same_head
from laeforensics.facts.fact import Fact

_FIELDS = ("user_access_key_id", "user_secret_key", "user_token")
_HEAD = 8
"""So many characters of both begin alike, at least: all access keys begin with the same four."""
_TAIL = 4
_LONG = 80
"""All tokens begin alike for longer, but not for so long."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt such a value where both of which it is made are told: no draw of keys makes one of two others.

    It comes of a sector whose border runs through one print, so what a secrets file tells beside it is not sure. (Where
    of two values each may be made of the other, neither is shown to be.)
    """
    for name in _FIELDS:
        if all(len(account.asserted(name)) < 2 for account in view.accounts):
            continue
        told: list[dict[str, list[Fact]]] = []
        for account in view.accounts:
            values: dict[str, list[Fact]] = defaultdict(list)
            for fact in dict.fromkeys(f for signup in account.signups for f in signup.asserted(name)):
                values[fact.value].append(fact)
            told.append(values)
        for account, values in zip(view.accounts, told, strict=True):
            if not 1 < len(values) <= MANY:
                continue
            others = {v: facts[0] for each in told if each is not values for v, facts in each.items()}
            made = {(v, own): by for v, own in permutations(values, 2) if (by := _other(v, own, others)) is not None}
            for (value, own), by in made.items():
                facts = values[value]
                if (own, value) not in made and len(set(map(print_of, facts))) == 1:
                    places = (values[own][0].locator, others[by].locator)
                    yield Doubt(facts=tuple(facts), reason="of-two-pieces", because=places, about=account.names)
                    yield from beside(account.signups, facts, account.names)


def _other(value: str, own: str, others: Iterable[str]) -> str | None:
    """The other account's value of which one is made, with one of its own."""
    if len(value) != len(own):
        return None
    if same_head(value, own) < (_HEAD if len(value) < _LONG else _LONG) and same_head(value[::-1], own[::-1]) < _TAIL:
        return None
    return next((o for o in others if o not in (value, own) and _is_of_both(value, own, o)), None)


def _is_of_both(value: str, own: str, other: str) -> bool:
    """True if a value goes over from another's to its own account's, or back, and nothing of it is of neither.

    What is near to one of them is no piece: accounts share a key, and in each of them another letter is overwritten.
    """
    if is_near(value, own) or is_near(value, other):
        return False
    size = len(value)
    heads = [same_head(value, told) for told in (own, other)]
    tails = [same_head(value[::-1], told[::-1]) for told in (own, other)]
    return any(
        head >= _HEAD and tail >= _TAIL and head + tail >= size > max(head, tail)
        for head, tail in ((heads[0], tails[1]), (heads[1], tails[0]))
    )
