"""What only one account can have, told in two: it is sure in none, unless it is shown which copy is foreign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.claims import (
    NOT_IN_S4,
    Claim,
    Claiming,
    SureOf,
    asserted,
    claims_of,
    claims_shared,
    files,
    files_of_others,
    of_one_customer,
    sure_of,
)
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import Voice, lead, print_of, voice
from laeforensics.evidence.names import stem
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import OF_ONE_SERVER
from laeforensics.facts.findings import finding

_FELLOW = {"user_access_key_id": "user_secret_key", "user_secret_key": "user_access_key_id"}
# A customer who signs up twice may get one token; a key may have been sent in twice. (But beside an access key of
# which nobody knows whose it is, neither is sure.)
_MAY_BE_SHARED = frozenset({"user_token", "activation_key"})
_OF_ITS_KIND = ("ami_image_id", "instance_size")
_OF_ITS_SERVER = ("instance_id", "public_host")
_OF_INTRODUCER = ("introducer_node_pem", "introducer_nodeid")
_HOSTS = ("public_host", "private_host")


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt in each account what another tells as its own.

    A copy is foreign where it contradicts what its own account is sure of, and more speaks for it elsewhere; or where
    its file is damaged. If that leaves one account, the value is its. If it leaves more, it is sure in none; nor is
    there what contradicts it with no more voices, for it may be the truth.
    """
    views = view.accounts
    told = claims_shared(views)
    rivals = sure_of(views, told)
    foreign = _foreign(views, told, rivals)
    strange = _strange_files(told, foreign)
    for number in sorted(strange):
        yield from _beside(views[number], strange[number])
    contested, anothers = _contested_files(told, foreign), files_of_others(told)
    for thing in sorted(told):
        if thing[0] == "introducer":
            for number, facts in sorted(told[thing].items()):
                yield from _hosts_beside(views[number], facts)
        if thing[0] in _MAY_BE_SHARED:
            held = {number for number, facts in told[thing].items() if files(facts) <= strange[number].keys()}
            foreign[thing] |= held if len(held) < len(told[thing]) else set()
        left = told[thing].keys() - foreign[thing]
        for number in sorted(told[thing].keys() - of_one_customer(views, thing, told[thing])):
            facts = told[thing][number]
            against = _against(views[number], thing, facts, rivals[number, thing[0]])
            is_shown = number in foreign[thing] and (
                any((number, file) in anothers for file in files(facts))
                or not _may_be_its_own(views, told[thing], number, against)
            )
            if is_shown:
                yield from _doubts(views, told[thing], number, "of-another-account")
            elif number in foreign[thing] or (
                len(left) > 1 and (thing[0] not in _MAY_BE_SHARED or files(facts) <= contested[number])
            ):
                yield from _doubts(views, told[thing], number, "in-two-accounts")
                against = _against(views[number], thing, facts, rivals[number, thing[0]], among_copies=True)
                if against and lead(facts, against, views[number].re_records) >= 0:
                    places = tuple(fact.locator for fact in facts)
                    yield Doubt(
                        facts=tuple(against), reason="against-shared", because=places, about=views[number].names
                    )


def _strange_files(told: dict[Claim, Claiming], foreign: dict[Claim, set[int]]) -> dict[int, dict[str, Fact]]:
    """By account: the files that tell another's access key or secret key, each with a fact that shows it."""
    found: dict[int, dict[str, Fact]] = defaultdict(dict)
    for thing, numbers in foreign.items():
        for number in numbers if thing[0] in NOT_IN_S4 else ():
            found[number].update({fact.locator.evidence: fact for fact in told[thing][number]})
    return found


def _contested_files(told: dict[Claim, Claiming], foreign: dict[Claim, set[int]]) -> dict[int, set[str]]:
    """By account: the files that tell an access key or secret key of which nobody knows whose it is."""
    found: dict[int, set[str]] = defaultdict(set)
    for thing, tellers in told.items():
        left = tellers.keys() - foreign[thing]
        for number in left if thing[0] in NOT_IN_S4 and len(left) > 1 else ():
            found[number] |= files(tellers[number])
    return found


def _beside(view: AccountView, strange: dict[str, Fact]) -> Iterator[Doubt]:
    """What a log with another account's keys tells of its server's kind, if it is not believed in its server at all."""
    for signup in view.signups:
        if signup.log is None or signup.log.evidence not in strange:
            continue
        own = [f for name in (*_OF_ITS_KIND, *_OF_ITS_SERVER) for f in signup.log.facts if f.field == name]
        heard = signup.hearing.asserting(own)
        facts = tuple(fact for fact in heard if fact.field in _OF_ITS_KIND)
        if facts and len(facts) == len(heard):
            because = (strange[signup.log.evidence].locator,)
            yield Doubt(facts=facts, reason="among-anothers", because=because, about=view.names)


def _hosts_beside(view: AccountView, shared: Iterable[Fact]) -> Iterator[Doubt]:
    """The hosts that a secrets file tells beside the furl of a node that another account has, and beside another key.

    Without its log its server may be the account's newest: nothing is told of older ones.
    """
    for signup, furl in _beside_other_keys(view, shared):
        hosts = tuple(f for name in _HOSTS for f in signup.witnesses_of(name) if files([f]) == files([furl]))
        yield Doubt(facts=hosts, reason="tied", because=(furl.locator,), about=view.names)
        older = [s for s in view.signups if signup.log is None and (s.stamp or ("",)) < (signup.stamp or ("",))]
        facts = tuple(f for s in older for name in OF_ONE_SERVER for f in s.asserted(name))
        yield Doubt(facts=facts, reason="unknown-server", because=(furl.locator,), about=view.names)


def _beside_other_keys(view: AccountView, facts: Iterable[Fact]) -> Iterator[tuple[Signup, Fact]]:
    """The furls beside which a secrets file tells the key of another node. (If one was thrown away, nobody has it.)"""
    furls = [f for f in facts if f.field == "introducer_furl" and f.rule.startswith("secrets ")]
    for signup in view.signups if furls else ():
        keys = [f for name in _OF_INTRODUCER for f in signup.witnesses_of(name)]
        for furl in furls:
            nodes = {t for f in keys if files([f]) == files([furl]) for t in claims_of(f.field, f.value)}
            if (
                nodes
                and nodes.isdisjoint(claims_of(furl.field, furl.value))
                and furl in signup.witnesses_of("introducer_furl")
            ):
                yield signup, furl


def _foreign(views: Sequence[AccountView], told: dict[Claim, Claiming], rivals: SureOf) -> dict[Claim, set[int]]:
    """The accounts of which it is shown that their copy is foreign. What is foreign contradicts nothing any more."""
    foreign: dict[Claim, set[int]] = {thing: set() for thing in told}
    by_account: dict[tuple[int, str], list[Claim]] = defaultdict(list)
    for thing, tellers in told.items():
        for number in tellers:
            by_account[number, thing[0]].append(thing)
    waiting = sorted(told)
    while waiting:
        found = {thing: _shown(views, told[thing], thing, rivals) - foreign[thing] for thing in waiting}
        found = {t: new for t, new in found.items() if new and len(foreign[t] | new) < len(told[t])}
        again: set[Claim] = set()
        for thing, new in found.items():
            foreign[thing] |= new
            for number in new:
                gone = set(told[thing][number])
                rivals[number, thing[0]] = [fact for fact in rivals[number, thing[0]] if fact not in gone]
                again.update(by_account[number, thing[0]])
        waiting = sorted(again)
    _blame_damage(views, told, rivals, foreign)
    return foreign


def _blame_damage(
    views: Sequence[AccountView], told: dict[Claim, Claiming], rivals: SureOf, foreign: dict[Claim, set[int]]
) -> None:
    """Where nothing contradicts anything: foreign is what stands in a print, or else a file, that is damaged."""
    strange: dict[int, set[str]] = defaultdict(set)
    for thing in sorted(told, key=lambda thing: thing[0] not in NOT_IN_S4):
        tellers = told[thing]
        if not foreign[thing] and not any(
            _against(views[n], thing, f, rivals[n, thing[0]]) for n, f in tellers.items()
        ):
            damaged = [
                {n for n, facts in tellers.items() if _is_beside_another_token(views[n], facts)},
                {n for n, facts in tellers.items() if files(facts) <= strange[n]},
                {n for n, facts in tellers.items() if _is_damaged(views[n], facts)},
            ]
            foreign[thing] = next((some for some in damaged if 0 < len(some) < len(tellers)), set())
        for number in foreign[thing] if thing[0] in NOT_IN_S4 else ():
            strange[number] |= files(tellers[number])


def _shown(views: Sequence[AccountView], told: Claiming, thing: Claim, rivals: SureOf) -> set[int]:
    """The accounts in which a thing is foreign: others are ahead there, or two voices tell it elsewhere.

    One voice elsewhere will do where one voice tells both, or its file is damaged: it holds a piece of another. (Of two
    secrets files that differ in both keys, either may hold the foreign ones; so only where they differ in one.) Against
    two voices elsewhere a single one does not count, even where nothing contradicts it.
    """
    against = {n: _against(views[n], thing, facts, rivals[n, thing[0]]) for n, facts in told.items()}
    ahead = {number: lead(facts, against[number], views[number].re_records) for number, facts in told.items()}
    most = max(ahead.values())
    twice = {n for n, facts in told.items() if ahead[n] > 0 and len(_voices(views[n], facts)) > 1}
    is_outdone = bool(twice) and thing[0] not in _MAY_BE_SHARED
    foreign = {number for number in told if not views[number].hearing.sure(told[number])}
    odd = {n for n, facts in told.items() if {f for _, f in _beside_other_keys(views[n], facts)} == set(facts)}
    foreign |= odd
    if len(foreign) == len(told):
        foreign = set()
    for number, facts in told.items():
        if is_outdone and number not in twice:
            foreign.add(number)
        if not against[number] or ahead[number] >= most:
            continue
        is_piece = {voice(f) for f in facts} == {voice(f) for f in against[number]}
        if is_piece and thing[0] in _FELLOW:
            is_piece = _are_of_one_file(facts, against[number]) or _is_beside_the_same(
                views[number], facts, against[number]
            )
        is_piece |= _is_damaged(views[number], facts) or _is_beside_another_token(views[number], facts)
        if ahead[number] < 0 or twice - {number} or most >= 2 or is_piece:
            foreign.add(number)
    return foreign


def _may_be_its_own(views: Sequence[AccountView], told: Claiming, number: int, against: Sequence[Fact]) -> bool:
    """True if a thing that is foreign in an account may be its own, and what contradicts it there foreign.

    No damage, no second voice and no second print, here or elsewhere, tells which of two files is right.
    """
    view, facts = views[number], told[number]
    if not against or _is_damaged(view, facts) or _are_of_one_file(facts, against):
        return False
    if set(facts) == {furl for _, furl in _beside_other_keys(view, facts)}:
        return False
    is_even = not lead(facts, against, view.re_records) and view.hearing.sure(facts)
    return bool(is_even) and all(len(_voices(views[n], f)) < 2 for n, f in told.items() if n != number)


def _voices(view: AccountView, facts: Iterable[Fact]) -> set[Voice]:
    return {voice(fact, view.re_records) for fact in view.hearing.sure(facts)}


def _doubts(views: Sequence[AccountView], told: Claiming, number: int, reason: str) -> Iterator[Said]:
    facts, view = told[number], views[number]
    others = [fact for other in list(told)[:6] if other != number for fact in told[other]][:5]
    yield Doubt(facts=tuple(facts), reason=reason, because=tuple(fact.locator for fact in others), about=view.names)
    yield finding(
        "several-accounts",
        f"{facts[0].field} stands in {others[0].locator.evidence} too, which is of another bucket",
        signup=view.signups[0].name,
        field=facts[0].field,
        locators=tuple(fact.locator for fact in facts[:5]),
    )


def _against(
    view: AccountView, thing: Claim, facts: Sequence[Fact], heard: Sequence[Fact], *, among_copies: bool = False
) -> list[Fact]:
    """What the account tells in another print, as surely, of the same fields otherwise.

    `among_copies`: in another copy of the same print, too.
    """
    best = min(map(view.hearing.standing, facts))
    mine, fields = {print_of(fact) for fact in facts}, {fact.field for fact in facts}
    others = [
        f
        for f in heard
        if f.field in fields and thing not in claims_of(f.field, f.value) and view.hearing.standing(f) <= best
    ]
    is_apart = {print_of(fact) for fact in others} - mine or (among_copies and files(others) - files(facts))
    return others if is_apart else []


def _are_of_one_file(facts: Iterable[Fact], against: Iterable[Fact]) -> bool:
    return {stem(f.locator.evidence) for f in facts} == {stem(f.locator.evidence) for f in against}


def _is_beside_the_same(view: AccountView, facts: Sequence[Fact], against: Sequence[Fact]) -> bool:
    """True if one of two keys stands in both beside the same other key."""
    told: dict[tuple[str, int], set[str]] = defaultdict(set)
    for fact in asserted(view, _FELLOW.get(facts[0].field, "")):
        told[fact.locator.evidence, fact.print].add(fact.value)
    ours, theirs = ({v for f in some for v in told[f.locator.evidence, f.print]} for some in (facts, against))
    return bool(ours & theirs)


def _is_damaged(view: AccountView, facts: Iterable[Fact]) -> bool:
    return any(signup.is_damaged(file) for signup in view.signups for file in files(facts))


def _is_beside_another_token(view: AccountView, facts: Iterable[Fact]) -> bool:
    """True if all stand in prints that tell another user token than two other prints of their file do."""
    told: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for fact in asserted(view, "user_token"):
        told[fact.locator.evidence][fact.value].add(fact.print)
    return all(_is_beside_another(told[fact.locator.evidence], fact.print) for fact in facts)


def _is_beside_another(tokens: Mapping[str, set[int]], print_: int) -> bool:
    own = [token for token, prints in tokens.items() if len(prints - {print_}) > 1]
    beside = [token for token, prints in tokens.items() if print_ in prints]
    return any(token not in own and not is_near(token, other) for token in beside for other in own)
