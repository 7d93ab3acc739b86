"""A token that is offered for a product, while the accounts that have a word of their own tell another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from laeforensics.companions.products import is_offered
from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_head, is_hybrid, is_misread, is_near
from laeforensics.facts.fact import Fact, Locator

_KEYS = ("user_access_key_id", "user_secret_key", "user_token")


@dataclass(slots=True)
class _Place:
    """What the accounts that hear a token make of it: those that have no other word, and what the others tell."""

    silent: set[str] = field(default_factory=set)
    against: dict[frozenset[str], Fact] = field(default_factory=dict)
    is_borne_out: bool = False

    @property
    def is_contested(self) -> bool:
        """True if it is told otherwise, and by nobody alike."""
        return bool(self.against) and not self.is_borne_out

    def moved(self, offered: frozenset[str]) -> set[bool]:
        """Whether those who tell another token tell one that is offered for another product: some may, some not."""
        return {each.value in offered for each in self.against.values()}


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt such a place for every account that hears nothing else, if none bears it out.

    Where most products that can be compared have another token, their list is of another time, and tells nothing; or
    its codes have moved: two stories, of which neither bears out the other. (But where accounts of two products tell
    one token, it is theirs that have moved.) Else one account that tells another token wholly is the odd one. A token
    that is offered for two products is of one of them.
    """
    places = _places(view)
    for fact, place in places.items():
        if fact in view.doubled and place.silent and not place.is_borne_out:
            yield Doubt(facts=(fact,), reason="of-two-products", about=frozenset(place.silent))
    by_file: dict[str, list[Fact]] = defaultdict(list)
    for fact in places:
        by_file[fact.locator.evidence].append(fact)
    for facts in by_file.values():
        contested = [fact for fact in facts if places[fact].is_contested]
        others = [fact for fact in contested if not _is_near(fact, places[fact])]
        stories = [[f for f in others if has_moved in places[f].moved(view.offered)] for has_moved in (False, True)]
        if _are_of_two({fact: places[fact] for fact in facts}, view.offered):
            stories[True] = []
        alike = max(stories, key=len)
        if len(alike) > sum(places[fact].is_borne_out for fact in facts):
            moved = view.offered if alike is stories[True] else frozenset[str]()
            yield from _of_another_list({fact: places[fact] for fact in facts}, alike, moved)
        for fact in contested:
            yield from _of_one_place(fact, places[fact])


def _are_of_two(places: Mapping[Fact, _Place], offered: frozenset[str]) -> bool:
    """True if accounts of two products tell one of the tokens that are offered."""
    told = Counter(
        value
        for fact, place in places.items()
        for value in {each.value for each in place.against.values()} | ({fact.value} if place.is_borne_out else set())
    )
    return any(number > 1 and value in offered for value, number in told.items())


def _places(view: CaseView) -> dict[Fact, _Place]:
    """Every token that is offered to an account.

    An account that names another of several tokens offered speaks of another time; a token whose end is cut off, or
    beside keys that are contested, of none.
    """
    places: dict[Fact, _Place] = defaultdict(_Place)
    for account in view.accounts:
        told = _witnesses(account, "product_token")
        offered = [fact for fact in told if is_offered(fact)]
        own = [fact for fact in account.hearing.asserting(told) if not is_offered(fact)]
        values = {fact.value for fact in own}
        is_voice = not any(account.hearing.weigh(_witnesses(account, name))[1] for name in _KEYS) if own else False
        for fact in offered:
            place = places[fact]
            if not own:
                place.silent |= account.names
            elif fact.value in values:
                place.is_borne_out = True
            elif is_voice and values.isdisjoint(each.value for each in offered):
                for each in account.hearing.sure(own):
                    if not is_head(each.value, fact.value):
                        place.against[account.names] = each
    return places


def _witnesses(account: AccountView, name: str) -> list[Fact]:
    return list(dict.fromkeys(fact for signup in account.signups for fact in signup.witnesses_of(name)))


def _of_one_place(fact: Fact, place: _Place) -> Iterator[Doubt]:
    """Doubt it for whom it alone is told; where two accounts tell a token near to it alike, for them as well."""
    told = place.against
    near = [n for n, each in told.items() if is_near(each.value, fact.value) and not is_misread(each.value, fact.value)]
    if _is_agreed(told[names] for names in near):
        about = frozenset(place.silent.union(*near))
        yield Doubt(facts=(fact,), reason="neighbour", because=_at(told[names] for names in near), about=about)
    elif place.silent and (_is_agreed(told.values()) or _is_near(fact, place)):
        yield Doubt(
            facts=(fact,), reason="contested-elsewhere", because=_at(told.values()), about=frozenset(place.silent)
        )


def _of_another_list(places: dict[Fact, _Place], others: list[Fact], moved: frozenset[str]) -> Iterator[Doubt]:
    """Doubt all that none bears out: if one product differs, for whom nothing else is told; if several, for everybody.

    But where the codes have `moved`, not for whom a token is told that none offers; and where another token of the list
    is borne out, not for the only account that tells another one of its product.
    """
    told = [each for fact in others for each in places[fact].against.values()]
    is_mixed = any(place.is_borne_out for place in places.values())
    for fact, place in places.items():
        heard = [names for names, each in place.against.items() if not moved or each.value in moved]
        is_for_all = len(others) > 1 and (not is_mixed or _is_agreed(place.against.values()))
        about = frozenset(place.silent.union(*(heard if is_for_all else ())))
        if about and not place.is_borne_out:
            yield Doubt(facts=(fact,), reason="of-another-list", because=_at(told), about=about)


def _is_near(fact: Fact, place: _Place) -> bool:
    """True if one of the two may be damage of the other."""
    told = [each.value for each in place.against.values()]
    return any(is_near(value, fact.value) or is_hybrid(value, fact.value) for value in told)


def _is_agreed(told: Iterable[Fact]) -> bool:
    """True if two accounts tell one and the same other token."""
    return max(Counter(each.value for each in told).values(), default=0) > 1


def _at(facts: Iterable[Fact]) -> tuple[Locator, ...]:
    return tuple(dict.fromkeys(fact.locator for fact in facts))[:5]
