"""A value that differs from another in a character or two, or in an end of another token, is damage of it, no voice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import MANY, lead, print_of
from laeforensics.facts.beliefs import Doubt, Hearing
from laeforensics.facts.channels import LAST_ASSERTING_STANDING
from laeforensics.facts.damage import is_head, is_hybrid, is_misread, is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import SIGNUP_FIELDS

# Told a character apart by their nature: two products, two sizes, two moments.
_NEVER = frozenset({"instance_size", "ami_image_id", "bucket_name", "product_code"})
# Their parts are told elsewhere, too: see `furl_parts`.
_OF_PARTS = frozenset({"introducer_furl"})
_OF_A_CUSTOMER = frozenset({"customer_email", "user_access_key_id", "user_secret_key", "user_token"})
_FOR_ITS_PLACE = frozenset({"cut", "nothing-ties"})
"""For these reasons a value is denied by what is lost beside it: it may be right."""
_FLIPS = 40
"""So long a piece of a value has a letter overwritten, at most."""


@looks_at(*SIGNUP_FIELDS)
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt the value that fewer tell.

    It is denied where two independent prints tell the other, none of lower standing than its own best; else neither is
    sure. An address may be told by lesser voices, too: but then no mail goes to it before somebody has looked. (Names
    of buckets are settled before accounts are.) Of very many values none is compared, for each would be with all.
    """
    for name, hearing, about, facts in view.scopes():
        if name in _NEVER or len({fact.value for fact in facts}) < 2:
            continue
        told: dict[str, list[Fact]] = defaultdict(list)
        for fact in hearing.asserting(facts):
            told[fact.value].append(fact)
        if len(told) > MANY:
            everybody = tuple(fact for facts in told.values() for fact in facts)
            places = tuple(fact.locator for fact in everybody[:3])
            yield Doubt(facts=everybody, reason="among-many", because=places, about=about)
            continue
        if len(told) == 1 and name in _OF_A_CUSTOMER:
            (lone,) = told.values()
            yield from _against_lone(lone, facts, hearing, about)
        pairs = [(one, other) for one, other in combinations(sorted(told), 2) if _is_like(name, one, other)]
        like: dict[str, set[str]] = {value: {value} for pair in pairs for value in pair}
        for one, other in pairs:
            like[one].add(other)
            like[other].add(one)
        for one, other in pairs:
            third = [fact for value in sorted(told.keys() - like[one] - like[other]) for fact in told[value]]
            yield from _weigh(told[one], told[other], third, hearing, about)


def _against_lone(
    lone: Sequence[Fact], facts: Sequence[Fact], hearing: Hearing, about: frozenset[str]
) -> Iterator[Doubt]:
    """Doubt a value that one print alone tells, where one that stands in a bad place differs in a few letters."""
    if len(set(map(print_of, lone))) > 1:
        return
    reasons = {fact: {note.reason for note in hearing.notes(fact)} for fact in facts}
    denied = [fact for fact, told in reasons.items() if told and told <= _FOR_ITS_PLACE]
    places = tuple(f.locator for f in denied if _is_overwritten(f.value, lone[0].value))
    if places:
        yield Doubt(facts=tuple(lone), reason="near-another", because=places[:5], about=about)


def _is_overwritten(one: str, other: str) -> bool:
    """True if some letters of one are others: two, or of a long value so many as damage anywhere takes of it."""
    flips = sum(a != b for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and 0 < flips <= max(2, len(one) // _FLIPS)


def _is_like(name: str, one: str, other: str) -> bool:
    """True if one of two values may be damage of the other."""
    return is_near(one, other) or (name.endswith("_token") and is_hybrid(one, other))


def _weigh(
    one: Sequence[Fact], other: Sequence[Fact], third: Sequence[Fact], hearing: Hearing, about: frozenset[str]
) -> Iterator[Doubt]:
    """What is thought of two values that are near to each other.

    Where nobody wins, and a `third` value, near to neither, is as good, all of them stand: whichever of the two is
    right, it speaks against the third. (But for an address, no account is contested that need not be.)
    """
    for odd, others in ((one, other), (other, one)):
        best = min(hearing.standing(fact) for fact in odd)
        is_email = odd[0].field == "customer_email"
        if _wins(others, odd, hearing, best) or (is_email and _wins(others, odd, hearing, LAST_ASSERTING_STANDING)):
            places = tuple(fact.locator for fact in others)
            yield Doubt(facts=tuple(odd), reason="neighbour", because=places, about=about)
            if not _wins(others, odd, hearing, best):
                places = tuple(fact.locator for fact in odd)
                yield Doubt(facts=tuple(others), reason="by-lesser-voices", because=places, about=about)
            return
    best = min(hearing.standing(fact) for fact in (*one, *other))
    is_contest = one[0].field != "customer_email" and any(hearing.standing(f) <= best for f in hearing.sure(third))
    if is_contest:
        return
    for odd, others in ((one, other), (other, one)):
        if odd[0].field not in _OF_PARTS:
            places = tuple(fact.locator for fact in others)
            yield Doubt(facts=tuple(odd), reason="near-another", because=places, about=about)


def _wins(others: Sequence[Fact], odd: Sequence[Fact], hearing: Hearing, lowest: int) -> bool:
    """True if two independent prints that are sure tell the other value, none of lower standing than `lowest`.

    One of them must be as good as the best that tells the odd one. More voices win, however often a file repeats the
    odd one; so do more prints, but where somebody misread: he misreads a whole file alike. And no value wins that is
    another with its end cut off.
    """
    heard = [f for f in others if hearing.standing(f) <= lowest and not hearing.is_unsure(f)]
    sure = {print_of(f) for f in heard}
    best = min(hearing.standing(fact) for fact in odd)
    if len(sure) < 2 or min(hearing.standing(f) for f in heard) > best or is_head(others[0].value, odd[0].value):
        return False
    is_more_often = len(sure) > len(set(map(print_of, odd))) and not is_misread(odd[0].value, others[0].value)
    return is_more_often or lead(heard, odd) > 0
