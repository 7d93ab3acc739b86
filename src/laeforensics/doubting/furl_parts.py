"""A furl's parts are told elsewhere, too: its TubID by a certificate, its end with its port by the internal furl."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import print_of, voice
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.node_keys import key_fits, port_of_furl, swissnum_of_furl, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

_PIECE = 8


def judge(view: AccountView) -> Iterator[Said]:
    """Doubt a furl in one of whose parts a character or two are overwritten.

    Of a TubID any whole key tells it, whoever relayed that: no other certificate hashes to almost the same, or to what
    begins or ends like it. Of swissnum and port two files tell it, one of them in the program's own words: a host's
    words alone outvote none of those.
    """
    keys: dict[str, list[Fact]] = defaultdict(list)
    for fact in (fact for signup in view.signups for fact in signup.witnesses_of("introducer_node_pem")):
        keys[tub_id_of_pem(fact.value) or ""].append(fact)
    near = cache(lambda tub_id: _near(tub_id, keys))  # one stands in many copies
    for signup in view.signups:
        told = signup.asserted("introducer_furl")
        misprints = {fact: whole for fact in told if (whole := near(tub_id_of_furl(fact.value)))}
        left = [fact for fact in told if fact not in misprints]
        others = {**_others(signup, left, swissnum_of_furl), **_others(signup, left, port_of_furl)}
        for fact, places in {**misprints, **others}.items():
            because = tuple(each.locator for each in places)
            yield Doubt(facts=(fact,), reason="misprint", because=because, about=frozenset({signup.name}))


def _near(tub_id: str, keys: Mapping[str, list[Fact]]) -> list[Fact]:
    """The introducer's keys, told whole, whose TubID is almost this one; none if a whole one has just this one."""
    near = [
        told for other, told in keys.items() if other != tub_id and (is_near(other, tub_id) or _is_piece(other, tub_id))
    ]
    whole = [fits[-1] for told in near if (fits := [fact for fact in told if key_fits(fact.value)])]
    return [] if whole and any(key_fits(fact.value) for fact in keys.get(tub_id, ())) else whole


def _is_piece(one: str, other: str) -> bool:
    """True if two TubIDs begin or end alike, as none do by chance: one has a piece of a third."""
    return len(one) == len(other) and (one[:_PIECE] == other[:_PIECE] or one[-_PIECE:] == other[-_PIECE:])


def _others(signup: Signup, furls: Sequence[Fact], part: Callable[[str], str]) -> dict[Fact, list[Fact]]:
    """The furls of which nothing but their own print tells this part, with those who tell the one near to it."""
    tellers: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in (*furls, *signup.witnesses_of("internal_introducer_furl")):
        tellers[tub_id_of_furl(fact.value), part(fact.value)].append(fact)
    if len(tellers) < 2:
        return {}
    found: dict[Fact, list[Fact]] = {}
    for fact in furls:
        mine = tub_id_of_furl(fact.value), part(fact.value)
        near = [told for (node, end), told in tellers.items() if node == mine[0] and is_near(end, mine[1])]
        if len(near) == 1 and len(set(map(print_of, tellers[mine]))) == 1 and _is_sure(signup, near[0]):
            found[fact] = near[0]
    return found


def _is_sure(signup: Signup, told: Sequence[Fact]) -> bool:
    """True if two files tell it, and the program's own word is among them."""
    return len(set(map(voice, told))) > 1 and bool(signup.hearing.own(signup.hearing.sure(told)))
