"""What is thought of facts: doubts, warrants, the standing that follows from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from laeforensics.facts.channels import ASSERTS_NOTHING, LAST_ASSERTING_STANDING, OWN, REMOTE, STANDING
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.reasons import ASSURES, DENIES, LESSENS, RAISES, REASONS, UNSURE

Alike = Mapping[tuple[str, str], Collection[Locator]]


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

    def alike(self) -> Alike:
        """The places of its facts, by what they tell."""
        return {}

    def places_for(self, fact: Fact, alike: Alike | None = None) -> tuple[Locator, ...]:
        """The places that speak for it where one of its facts is looked at: none that tells what this one tells.

        Whoever looks at many of its facts hands over what is `alike`.
        """
        told = self.alike() if alike is None else alike
        own = told.get((fact.field, fact.value), ())
        return tuple(place for place in self.because if place != fact.locator and place not in own)


class Doubt(_Note):
    """A reason to believe some facts less than their channel would have it."""

    __slots__ = ()

    def alike(self) -> Alike:
        """Of facts that are doubted together, those alone speak against one that tell otherwise."""
        found: dict[tuple[str, str], set[Locator]] = {}
        for fact in self.facts if self.because else ():
            found.setdefault((fact.field, fact.value), set()).add(fact.locator)
        return found


class Warrant(_Note):
    """A reason to believe some facts further than their channel would have it."""

    __slots__ = ()


Note = Doubt | Warrant


class Beliefs:
    """All doubts and warrants so far, by the fact that they are about. Facts are not changed by them.

    They are added to those of `under`, which may grow, too.
    """

    __slots__ = ("_all", "_derived", "_notes", "_roots", "_under", "said")

    def __init__(self, notes: Iterable[Note] = (), *, under: Beliefs | None = None) -> None:
        self._under = under
        self._all: list[Note] = []
        self._notes: dict[Fact, dict[str, list[int]]] = {}
        """By fact, and by the one signup for which they hold (empty: several, or all): which of all notes."""
        self._roots: dict[Fact, Fact] = {}
        self._derived: dict[str, set[str]] = {}
        self.said: dict[str, int] = {}
        """By field: how often anything was said of its facts, or of those from which they are derived."""
        self.add(notes)

    def add(self, notes: Iterable[Note]) -> None:
        """Hear further doubts and warrants."""
        for note in notes:
            (heard_in,) = note.about if len(note.about) == 1 else ("",)
            for fact in note.facts:
                self._notes.setdefault(fact, {}).setdefault(heard_in, []).append(len(self._all))
                for name in (fact.field, *self._derived.get(fact.field, ())):
                    self.said[name] = self.said.get(name, 0) + 1
            self._all.append(note)

    def derive(self, fact: Fact, source: Fact) -> Fact:
        """A fact made of another (a product code of a bucket's name): it is believed as its source is.

        It is new: nothing was heard of it before.
        """
        self._roots[fact] = source
        self._notes.setdefault(fact, {})
        self._derived.setdefault(source.field, set()).add(fact.field)
        return fact

    def is_silent_of(self, facts: Iterable[Fact]) -> bool:
        """True if nothing was said of any of these facts, nor are they derived from others."""
        return self._notes.keys().isdisjoint(facts) and (self._under is None or self._under.is_silent_of(facts))

    def of(self, fact: Fact, names: frozenset[str] = frozenset()) -> tuple[Note, ...]:
        """The doubts and warrants about a fact as it is heard in the signups of these names."""
        before = self._under.of(fact, names) if self._under is not None else ()
        told = self._notes.get(fact) if self._notes else None
        if told is None:
            return before
        numbers = told.get("", [])
        if len(told) > bool(numbers):
            numbers = sorted([*numbers, *(number for name in told.keys() & names for number in told[name])])
        said = (self._all[number] for number in numbers)
        notes = [note for note in said if len(note.about) < 2 or not note.about.isdisjoint(names)]
        source = self._roots.get(fact)
        return (*before, *notes) if source is None else (*before, *notes, *self.of(source, names))

    @property
    def is_silent(self) -> bool:
        """True if nothing was said of any fact."""
        return not self._notes and (self._under is None or self._under.is_silent)

    def __iter__(self) -> Iterator[Note]:
        """Every doubt and warrant once, in the order in which they came."""
        return iter({id(note): note for note in self._all if note.facts}.values())


class Heard(NamedTuple):
    """What the facts of one field say together.

    `asserting` are those that assert something, `sure` those that do so by themselves; `value` and `is_contested` are
    what they come to. `is_of_one_mind` tells that all of them are sure, and say the same.
    """

    asserting: tuple[Fact, ...]
    sure: tuple[Fact, ...]
    value: str | None
    is_contested: bool
    is_of_one_mind: bool


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
        return [] if self.beliefs.is_silent else [fact for fact in facts if self.notes(fact)]

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
        return [fact for fact, _, _ in self._voices(facts)]

    def sure(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that assert something by themselves, in their order."""
        return [fact for fact, _, is_unsure in self._voices(facts) if not is_unsure]

    def own(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that are the program's own word: so they came, and nothing speaks against it."""
        own = [fact for fact in facts if fact.channel == OWN]
        return own if self.beliefs.is_silent_of(own) else [fact for fact in own if self.standing(fact) == 1]

    def weigh(self, facts: Iterable[Fact]) -> tuple[str | None, bool]:
        """What the witnesses of the best standing present say, and whether they contradict each other.

        What is unsure is heard only where nothing is sure; then it contradicts itself. (An address that is unsure is
        none: it keeps mails back, and nothing else.)
        """
        return _weigh(self._voices(dict.fromkeys(facts)))

    def together(self, facts: Sequence[Fact]) -> Heard:
        """All of that at once."""
        told = tuple(facts)
        alike = [fact for fact in told if fact.value == told[0].value and fact.channel != REMOTE]
        if len(alike) == len(told) and self.beliefs.is_silent_of(told):
            return Heard(told, told, told[0].value, is_contested=False, is_of_one_mind=True)
        voices = self._voices(told)
        asserting = told if len(voices) == len(told) else tuple([fact for fact, _, _ in voices])
        sure = tuple([fact for fact, _, is_unsure in voices if not is_unsure])
        value, is_contested = _weigh(voices)
        is_of_one_mind = len(sure) == len(told) and {fact.value for fact in told} == {value}
        return Heard(asserting, sure, value, is_contested, is_of_one_mind)

    def _voices(self, facts: Iterable[Fact]) -> list[_Voice]:
        """The facts that assert something, each with its standing, and whether it is unsure."""
        told = tuple(facts)
        if self.beliefs.is_silent_of(told):
            return [(fact, STANDING[fact.channel], False) for fact in told if fact.channel != REMOTE]
        return [
            (fact, standing, bool(notes) and _is_unsure(notes))
            for fact in told
            for notes in (self.notes(fact),)
            if (standing := _standing(fact, notes)) <= LAST_ASSERTING_STANDING
        ]


_Voice = tuple[Fact, int, bool]


def _weigh(voices: Iterable[_Voice]) -> tuple[str | None, bool]:
    best: int = LAST_ASSERTING_STANDING
    values: set[str] = set()
    has_unsure = False
    for fact, standing, is_unsure in voices:
        if standing > best:
            continue
        if is_unsure:
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
