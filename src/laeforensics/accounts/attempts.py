"""What an attempt may say of itself: nothing that is another's, whole or damaged."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from laeforensics.accounts.account import CaseAccount, take
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import stem
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import bears_seed
from laeforensics.facts.damage import Neighbours, is_head
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import COURSE, fields_of
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

_TOKENS = frozenset({"user_token", "product_token"})
_UNIQUE = frozenset(
    {"activation_key", "user_access_key_id", "user_secret_key", "instance_id", "introducer_furl"}
    | {"introducer_node_pem", "introducer_nodeid", "server_node_pem", "server_nodeid", "server_node_privkey"}
)
"""What no other run tells. (A customer who tries again may get one token, and send one key in.)"""
_SHORT = 20


class _Elsewhere:
    """The unique values and the tokens of all runs, to be found by the same value, a near one, or their head."""

    def __init__(self, accounts: Iterable[CaseAccount]) -> None:
        self._same: dict[tuple[str, str], list[tuple[str, Fact]]] = defaultdict(list)
        self._near: dict[str, Neighbours] = defaultdict(Neighbours)
        heard = {(f.field, f.value, stem(s.name)): f for a in accounts for s in a.signups for f in _values(s)}
        for (name, value, run), fact in heard.items():
            if (name, value) not in self._same and len(value) >= _SHORT:
                self._near[name].add(value)
            self._same[name, value].append((run, fact))
        self._tokens = sorted((name, value) for name, value in self._same if name in _TOKENS)

    def same(self, fact: Fact, runs: Iterable[str]) -> list[Fact]:
        """The facts of other runs that tell the same."""
        mine = set(runs)
        return [other for run, other in self._same.get((fact.field, fact.value), ()) if run not in mine]

    def whole(self, fact: Fact, runs: Iterable[str]) -> list[Fact]:
        """The facts of other runs of which this one may be the head, or have a character or two overwritten."""
        near = self._near[fact.field].near(fact.value)
        if fact.field in _TOKENS:
            after = bisect_right(self._tokens, (fact.field, fact.value))
            near |= {value for _, value in self._tokens[after : after + 1] if is_head(fact.value, value)}
        return [other for value in sorted(near) for other in self.same(fact._replace(value=value), runs)]


def _values(signup: Signup) -> Iterator[Fact]:
    """What a run tells that may be told of no other, but what is shown to be none of its own."""
    for name in sorted(_UNIQUE | _TOKENS):
        yield from signup.asserted(name)


def hear_others(accounts: Sequence[CaseAccount]) -> None:
    """Doubt in each attempt what is another run's, and settle it anew.

    A damaged value is damage of the whole one. Where a log with holes, or under the name of a run that cannot have made
    its bucket, tells what is another's, it has a piece of another log: none of its values is known to be its own.
    """
    elsewhere = _Elsewhere(accounts)
    buckets = {a.account_id: a for a in accounts if not a.is_attempt}
    for account in (a for a in accounts if a.is_attempt and a.values):
        account.beliefs.add(_doubts(account, elsewhere, buckets))
        for name in list(account.values):
            del account.values[name]
            take(account, name, account.witnesses[name])


def _doubts(account: CaseAccount, elsewhere: _Elsewhere, buckets: dict[str, CaseAccount]) -> Iterator[Doubt]:
    runs = [stem(signup.name) for signup in account.signups]
    for signup in account.signups:
        told = list(_values(signup))
        of_others = [other for f in told if f.field in _UNIQUE for other in elsewhere.same(f, runs)]
        foreign = [other for other in of_others if _has_holes(signup)] or [*_made_by_others(signup, buckets)]
        if foreign:
            facts = [f for name, some in signup.witnesses.items() if name not in fields_of(COURSE) for f in some]
            places = tuple(fact.locator for fact in foreign[:5])
            yield Doubt(facts=tuple(facts), reason="among-anothers", because=places)
        for fact in told:
            whole = elsewhere.whole(fact, runs)
            if whole:
                reason = "end-lost" if is_head(fact.value, whole[0].value) else "neighbour"
                yield Doubt(facts=(fact,), reason=reason, because=(whole[0].locator,))


def _has_holes(signup: Signup) -> bool:
    """True if lines of its log are missing, as those before its deployment are, or cannot be read."""
    if signup.log is None:
        return False
    if signup.stages and BEFORE_DEPLOYMENT.isdisjoint(stage for stage, _ in signup.stages):
        return True
    notes = (note for fact in signup.log.facts for note in signup.hearing.notes(fact))
    return signup.is_damaged(signup.log.evidence) or any(note.reason == "nothing-ties" for note in notes)


def _made_by_others(signup: Signup, buckets: dict[str, CaseAccount]) -> Iterator[Fact]:
    """The names of buckets that bear another run's seed, and are accounts."""
    seed = (signup.stamp or ("", ""))[1]
    for fact in signup.asserted("bucket_name"):
        if seed and not bears_seed(fact.value, seed) and fact.value in buckets:
            yield from buckets[fact.value].witnesses.get("bucket_name", ())[:1]
