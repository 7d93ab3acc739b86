"""The course of a file: which runs it holds, where each fails, where lines must be missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import is_damage
from laeforensics.facts.fact import Fact
from laeforensics.parsing.continuity import Continuity, Stretch
from laeforensics.parsing.logs import Event, SignupLog
from laeforensics.parsing.stages import RANK, is_order_broken

REPEATED = ("user_token", "bucket_name", "customer_email", "public_host")
"""What every run tells more than once, always the same, and no other run tells: two values that differ are of two."""

HEAD = 16
"""The fewest lines in which a signup comes from its beginning to its bucket, even where it need not wait."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a program in a file: from its first announcement to the one that cannot follow.

    `failures` are the numbers of the facts that tell of a failure, each while the run had not failed; `went_on` those
    behind which it went on.
    """

    start: int
    continuity: Continuity = field(default_factory=Continuity)
    failures: list[int] = field(default_factory=list)
    went_on: list[int] = field(default_factory=list)
    has_failed: bool = False
    bucket_failed: bool = False


@dataclass(slots=True, kw_only=True)
class Course:
    """What the order of a file's lines tells.

    `cut` are the numbers of facts behind which their print does not go on as it must, `differing` those of hosts that
    are the run's with a stretch lost; `errors` the bytes of what follows failures, start and end, in their order.
    """

    runs: list[Run]
    cut: list[int] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    errors: list[tuple[int, int | None]] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)

    @property
    def is_in_turns(self) -> bool:
        """True if runs begin faster than any could tell its head: the lines of several stand in turns."""
        lines = [run.continuity.stretches[0].line for run in self.runs]
        return any(third - first <= HEAD for first, third in zip(lines, lines[2:], strict=False))

    def is_error(self, start: int) -> bool:
        """True if what stands at this byte is inside or behind an error message."""
        return self.error_before(start) is not None

    def error_before(self, start: int) -> int | None:
        """Where the error message begins inside or behind which this byte stands; None if there is none."""
        before = bisect_left(self.errors, start, key=lambda error: error[0])
        began, end = self.errors[before - 1] if before else (start, start)
        return began if end is None or start < end else None

    def by_run(self, facts: Iterable[Fact]) -> list[list[Fact]]:
        """The facts of each run, in its order."""
        if len(self.runs) == 1:
            return [list(facts)]
        starts = [run.start for run in self.runs]
        found: list[list[Fact]] = [[] for _ in starts]
        for fact in facts:
            found[bisect_right(starts, fact.locator.start) - 1].append(fact)
        return found


def follow(events: Iterable[Event], log: SignupLog) -> Course:
    """The course of a log, from the events in their order."""
    told = list(events)
    follower = _Follower(log, told)
    hear = {kind: getattr(follower, f"_{kind}") for kind in {event.kind for event in told}}
    for number, event in enumerate(told):
        follower.number = number
        if follower.is_passing and event.kind != "failure":
            follower.is_passing = False
            follower.end_error(event.start)
        hear[event.kind](event)
    follower.end_error(None)
    return follower.course


class _Follower:
    """What is known of the run that is being told."""

    def __init__(self, log: SignupLog, events: Sequence[Event]) -> None:
        self.log = log
        self.events = events
        self.number = 0
        self.is_passing = False  # in a failure dump that is another log's
        self.shown = -1  # the event that shows that the run went on: looked for once, however many dumps lie before
        self.ties: set[tuple[str, str]] = set()
        self.tied = 0  # so many facts were looked at for ties
        self.here = Run(start=0)
        self.course = Course(runs=[self.here])
        self.items: set[str] = set()
        self.swallowed = self.is_reading = False
        self.is_s4 = self.has_region = False
        self.error: int | None = None
        self.last: str | None = None

    def end_error(self, end: int | None) -> None:
        if self.error is not None:
            self.course.errors.append((self.error, end))
        self.error = None

    def _item(self, event: Event) -> None:
        rule = event.word
        if rule == "mail":
            self._mail(event)
            return
        if self._is_of_another_run(event) or self.is_reading:
            self._another_run(event)
        self.items.add(rule)
        self.is_s4 |= rule == "started" and "entering" in event.more
        self.has_region |= rule == "bucket" and "region" in event.more
        if rule == "deployment" and self.swallowed:
            # The S4 program prints that its bucket could not be made, then goes on as if it had been.
            self.here.went_on += self.here.failures
            self.here.has_failed = self.swallowed = False
            self.end_error(event.start)

    def _another_run(self, event: Event) -> None:
        self.end_error(event.start)
        first = Stretch(start=event.start, line=event.line)
        self.here = Run(start=event.start, continuity=Continuity([first]))
        self.course.runs.append(self.here)
        self.items.clear()
        self.shown, self.ties = -1, set()
        self.swallowed, self.last, self.is_reading = False, None, False

    def _reading(self, event: Event) -> None:
        """A run that reads secrets out of a server does nothing else: what went before, or comes after, is another."""
        if self.items:
            self._another_run(event)
        self.is_reading = True

    def _mail(self, event: Event) -> None:
        """The programs that named no region when they made the bucket did not write to customers."""
        if not self.here.has_failed:
            if "bucket" in self.items and not self.has_region:
                self.here.continuity.part(event.start, event.line)
            self.here.continuity.stage("mail_sent", event.start, event.line)

    def _stage(self, event: Event) -> None:
        if not self.here.has_failed:
            self.last = event.word
            self.here.continuity.stage(event.word, event.start, event.line)

    def _monitoring(self, event: Event) -> None:
        if self.last == "mail_sent":
            self.course.marks.add("monitoring after mail")

    def _key(self, event: Event) -> None:
        if not self.here.has_failed:
            self.here.continuity.key(event.word, event.more, event.start, event.line)

    def _host(self, event: Event) -> None:
        if not self.here.has_failed:
            self.here.continuity.speak_of(event.word, event.start, event.line, first=event.more == "first")

    def _served(self, event: Event) -> None:
        """The address that the program prints, and the one in the furl, are of the one server of the run."""
        if self.here.has_failed:
            return
        known = self.here.continuity.host
        if known is not None and known != event.word and is_damage(known, event.word):
            self.course.differing.append(event.fact)
        else:
            self.here.continuity.speak_of(event.word, event.start, event.line)

    def _cut(self, event: Event) -> None:
        if not self.here.has_failed and self.log.facts[event.fact].print not in self.log.unannounced:
            self.course.cut.append(event.fact)
            self.here.continuity.unread()

    def _unread(self, event: Event) -> None:
        if event.word == "malformed" or not self.here.has_failed:
            self.here.continuity.unread()

    def _part(self, event: Event) -> None:
        self.here.continuity.part(event.start, event.line)

    def _bucket_failed(self, event: Event) -> None:
        self.here.bucket_failed = True

    def _failure(self, event: Event) -> None:
        if not self.here.has_failed and self._goes_on(event):
            self.here.went_on.append(event.fact)
            self.is_passing = True
            self.error = event.start if self.error is None else self.error
            return
        self.swallowed = self.here.bucket_failed and not self.here.has_failed and self.is_s4
        if not self.here.has_failed:
            self.here.failures.append(event.fact)
            self.error = event.start
        self.here.has_failed = True

    def _goes_on(self, failure: Event) -> bool:
        """True if the run's next stage follows a failure, and with it what only this run tells: the dump is foreign.

        A failure ends a log. But a sector of another log may lie in this one.
        """
        if self.shown <= self.number:
            self.shown = self._next_shown(failure)
        return self.shown < len(self.events)

    def _next_shown(self, failure: Event) -> int:
        """The number of the event that shows it; that of none, if nothing does."""
        known, ties = self.here.continuity.host, self._ties_before(failure.fact)
        has_stage = is_tied = False
        fact = failure.fact + 1
        for number in range(self.number + 1, len(self.events)):
            event = self.events[number]
            if event.kind == "reading" or self._is_of_another_run(event):
                break
            if event.kind == "stage" and not has_stage:
                if self.last is None or not 0 <= RANK[event.word] - RANK[self.last] <= 1:
                    break
                has_stage = True
            is_tied |= event.kind == "host" and known is not None and event.word == known
            while fact < len(self.log.facts) and self.log.facts[fact].locator.start <= event.start:
                is_tied |= (self.log.facts[fact].field, self.log.facts[fact].value) in ties
                fact += 1
            if has_stage and is_tied:
                return number
        return len(self.events)

    def _ties_before(self, fact: int) -> set[tuple[str, str]]:
        """What the run has told, before a fact, that no other run tells."""
        for told in self.log.facts[self.tied : fact]:
            if told.field in REPEATED and told.channel == OWN and told.locator.start >= self.here.start:
                self.ties.add((told.field, told.value))
        self.tied = fact
        return self.ties

    def _is_of_another_run(self, event: Event) -> bool:
        return event.kind == "item" and event.word != "mail" and is_order_broken(event.word, self.items)
