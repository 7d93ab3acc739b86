"""What is thought of facts: doubts, warrants, the standing that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from laeforensics.facts.channels import ASSERTS_NOTHING, LAST_ASSERTING_STANDING, STANDING
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.reasons import ASSURES, DENIES, LESSENS, RAISES, REASONS, UNSURE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """`reason` is a code of REASONS, `because` the places that speak for it.

    `about` names the signups for which it holds, where a fact is heard in several (a csv row, a product): none, if for
    all.
    """

    facts: tuple[Fact, ...]
    reason: str
    because: tuple[Locator, ...] = ()
    about: frozenset[str] = frozenset()


class Doubt(_Note):
    """A reason to believe some facts less than their channel would have it."""

    __slots__ = ()


class Warrant(_Note):
    """A reason to believe some facts further than their channel would have it."""

    __slots__ = ()


Note = Doubt | Warrant


class Beliefs:
    """All doubts and warrants so far, by the fact that they are about. Facts are not changed by them.

    They are added to those of `under`, which may grow, too.
    """

    __slots__ = ("_notes", "_roots", "_under")

    def __init__(self, notes: Iterable[Note] = (), *, under: Beliefs | None = None) -> None:
        self._under = under
        self._notes: dict[Fact, list[Note]] = {}
        self._roots: dict[Fact, Fact] = {}
        self.add(notes)

    def add(self, notes: Iterable[Note]) -> None:
        """Hear further doubts and warrants."""
        for note in notes:
            for fact in note.facts:
                self._notes.setdefault(fact, []).append(note)

    def derive(self, fact: Fact, source: Fact) -> Fact:
        """A fact made of another (a product code of a bucket's name): it is believed as its source is."""
        self._roots[fact] = source
        self._notes.setdefault(fact, [])
        return fact

    def of(self, fact: Fact, names: frozenset[str] = frozenset()) -> tuple[Note, ...]:
        """The doubts and warrants about a fact as it is heard in the signups of these names."""
        before = self._under.of(fact, names) if self._under is not None else ()
        told = self._notes.get(fact) if self._notes else None
        return before if told is None else (*before, *self._mine(fact, told, names))

    def _mine(self, fact: Fact, told: Iterable[Note], names: frozenset[str]) -> Iterator[Note]:
        yield from (note for note in told if not note.about or note.about & names)
        source = self._roots.get(fact)
        if source is not None:
            yield from self.of(source, names)

    def heard(self, facts: Iterable[Fact], names: frozenset[str]) -> Iterator[tuple[Fact, tuple[Note, ...]]]:
        """Each fact with the doubts and warrants about it: `of` for many, of most of which nobody said anything."""
        notes_of = self._notes.get
        for fact in facts:
            if self._under is not None:
                yield fact, self.of(fact, names)
            else:
                told = notes_of(fact)
                yield fact, () if told is None else tuple(self._mine(fact, told, names))

    @property
    def is_silent(self) -> bool:
        """True if nothing was said of any fact."""
        return not self._notes and (self._under is None or self._under.is_silent)

    def __iter__(self) -> Iterator[Note]:
        """Every doubt and warrant once, in the order in which they came."""
        return iter({id(note): note for notes in self._notes.values() for note in notes}.values())


class Hearing:
    """Beliefs as they hold in certain signups: what each fact is worth there, and what several say together."""

    __slots__ = ("_names", "beliefs")

    def __init__(self, beliefs: Beliefs, names: Iterable[str] = ()) -> None:
        self.beliefs = beliefs
        self._names = frozenset(names)

    def notes(self, fact: Fact) -> tuple[Note, ...]:
        """The doubts and warrants about a fact."""
        return self.beliefs.of(fact, self._names)

    def with_notes(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts of which anything was said, be it a doubt or a warrant, in their order."""
        return [] if self.beliefs.is_silent else [fact for fact, notes in self._heard(facts) if notes]

    def _heard(self, facts: Iterable[Fact]) -> Iterator[tuple[Fact, tuple[Note, ...]]]:
        return self.beliefs.heard(facts, self._names)

    def standing(self, fact: Fact) -> int:
        """1 is the program's own word; ASSERTS_NOTHING is what a fact has that is no voice."""
        return _standing(fact, self.notes(fact))

    def is_unsure(self, fact: Fact) -> bool:
        """True for a fact that may be right, but asserts nothing by itself."""
        return _is_unsure(self.notes(fact))

    def channel(self, fact: Fact) -> str:
        """The word of the table of facts: how the fact came, or the first reason for which that is not its worth."""
        notes = self.notes(fact)
        if not notes:
            return fact.channel
        reasons = [REASONS[note.reason] for note in notes]
        for weights in ((DENIES,), (LESSENS,), (UNSURE,) if self.is_unsure(fact) else (), (RAISES,)):
            telling = next((reason for reason in reasons if reason.weight in weights), None)
            if telling is not None:
                return telling.channel
        return fact.channel

    def asserting(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that assert something, in their order."""
        return [fact for fact, notes in self._heard(facts) if _standing(fact, notes) <= LAST_ASSERTING_STANDING]

    def sure(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that assert something by themselves, in their order."""
        return [
            fact
            for fact, notes in self._heard(facts)
            if _standing(fact, notes) <= LAST_ASSERTING_STANDING and not (notes and _is_unsure(notes))
        ]

    def own(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that are the program's own word: so they came, and nothing speaks against it."""
        return [fact for fact in facts if fact.channel == "own" and self.standing(fact) == 1]

    def weigh(self, facts: Iterable[Fact]) -> tuple[str | None, bool]:
        """What the witnesses of the best standing present say, and whether they contradict each other.

        What is unsure is heard only where nothing is sure; then it contradicts itself. (An address that is unsure is
        none: it keeps mails back, and nothing else.)
        """
        best: int = LAST_ASSERTING_STANDING
        values: set[str] = set()
        has_unsure = False
        for fact, notes in self._heard(facts):
            standing = _standing(fact, notes)
            if standing > best:
                continue
            if notes and _is_unsure(notes):
                has_unsure |= fact.field != "customer_email"
            elif standing < best:
                best, values = standing, {fact.value}
            else:
                values.add(fact.value)
        if len(values) == 1:
            return values.pop(), False
        return None, len(values) > 1 or has_unsure


def _standing(fact: Fact, notes: Sequence[Note]) -> int:
    standing = STANDING[fact.channel]
    if not notes:
        return standing
    lowest = 0
    for note in notes:
        reason = REASONS[note.reason]
        if reason.weight == DENIES:
            return ASSERTS_NOTHING
        if reason.weight == RAISES:
            standing = min(standing, reason.standing or standing)
        elif reason.weight == LESSENS:
            lowest = max(lowest, reason.standing or 0)
    return max(standing, lowest)


def _is_unsure(notes: Sequence[Note]) -> bool:
    weights = {REASONS[note.reason].weight for note in notes}
    return UNSURE in weights and ASSURES not in weights
