"""Keys with their token were handed out together: what wins must have been told together, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt, Hearing
from laeforensics.facts.damage import has_others_head, is_near
from laeforensics.facts.fact import Fact

_TOGETHER = ("user_access_key_id", "user_secret_key", "user_token")
_OF_OTHERS = frozenset({"of-another-account", "in-two-accounts", "against-shared"})


@looks_at(*_TOGETHER)
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt an access key, a secret key and a token that were taken out of two prints, each of which tells another.

    A value near to the one that wins is damage of it, and no other. One that has merely its end is another's, as is
    what stands before it.
    """
    hearing = view.hearing
    scopes = {name: list(dict.fromkeys(f for s in view.signups for f in s.witnesses_of(name))) for name in _TOGETHER}
    won: dict[str, str] = {}
    prints: dict[tuple[str, int], dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for name, facts in scopes.items():
        value, _ = hearing.weigh(facts)
        if value is None:
            continue
        won[name] = value
        for fact in facts:
            is_headed = has_others_head(fact.value, value)
            if hearing.standing(fact) == 1 or _is_of_another(hearing, fact) or is_headed:
                prints[fact.locator.evidence, fact.print][name].append(fact)
            if is_headed:
                yield from _before(view, fact)
    mixed: dict[str, list[Fact]] = defaultdict(list)
    whole: set[str] = set()
    for told in prints.values():
        right = {name for name, facts in told.items() if any(f.value == won[name] for f in facts)}
        wrong = {name for name, facts in told.items() if not any(is_near(f.value, won[name]) for f in facts)} - right
        for name in right if wrong else ():
            mixed[name] += [fact for other in wrong for fact in told[other]]
        whole |= right if len(right) > 1 and not wrong else set()
    for name in sorted(mixed.keys() - whole):
        sure = tuple(f for f in hearing.sure(scopes[name]) if f.value == won[name])
        places = tuple(fact.locator for fact in mixed[name][:5])
        yield Doubt(facts=sure, reason="of-two-prints", because=places, about=view.names)


def _before(view: AccountView, token: Fact) -> Iterator[Doubt]:
    """Doubt the activation key that stands before a token which has another's head: one sector may hold both."""
    told = dict.fromkeys(fact for signup in view.signups for fact in signup.witnesses_of("activation_key"))
    near = [f for f in told if f.locator.evidence == token.locator.evidence and f.locator.start < token.locator.start]
    if near:
        yield Doubt(facts=tuple(near), reason="tied", because=(token.locator,), about=view.names)


def _is_of_another(hearing: Hearing, fact: Fact) -> bool:
    return any(note.reason in _OF_OTHERS for note in hearing.notes(fact))
