"""Whose each fact of a file is: of the run that the file is about, or foreign."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from laeforensics.doubting.stretches import begins_a_run, untied
from laeforensics.evidence.names import s4_name, stamp_in, stem
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import is_damage, is_hybrid, is_misprint, is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import COURSE, FIELDS, IDENTITY, SERVER
from laeforensics.parsing.course import HEAD, REPEATED, Run
from laeforensics.parsing.signuplogs import LogReading
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT, STAGES


def values_of(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that tell a value, and not how far a run came."""
    return [fact for fact in facts if FIELDS[fact.field].of != COURSE]


def seed_of_file(evidence: str) -> str:
    """How a log's bucket ends by the log's name; in the S4 layout its folder tells, with the two halves swapped."""
    base = stem(evidence).rpartition("/")[2]
    if s4_name(evidence) is not None:
        customer, _, subscription = base.partition("Z-")[2].partition("-")
        return f"{subscription}-{customer}" if subscription else ""
    return base.rpartition("-")[2]


def _behind_a_head(facts: Sequence[Fact]) -> list[Fact]:
    """From the first to the last thing in a run that ends before its bucket which only a deployment tells."""
    late = [
        f
        for f in facts
        if FIELDS[f.field].of in (SERVER, IDENTITY) or (f.field == "stage" and f.value not in BEFORE_DEPLOYMENT)
    ]
    first, last = (bound((f.locator.start for f in late), default=-1) for bound in (min, max))
    prints = {f.print for f in late}
    return [f for f in facts if first <= f.locator.start <= last or f.print in prints]


class Sorting:
    """Sorts the facts of a file by whose they are; `foreign` gives for each that is not its run's the reason."""

    def __init__(
        self, told: LogReading, facts: Sequence[Fact], by_field: Mapping[str, Sequence[Fact]], hearing: Hearing
    ) -> None:
        self.evidence = told.log.evidence
        self.facts = facts
        self.runs = told.course.runs
        starts = [run.start for run in self.runs]
        self._by_run = dict(zip(starts, told.course.by_run(facts), strict=True))
        self.seed = seed_of_file(self.evidence)
        self.seam: str | None = None
        """The field by which two runs glued into one were told apart; "" where lines that are missing tell it."""
        self.foreign: dict[Fact, str] = {}
        self._denied = set(hearing.with_notes(facts))
        # An address that the other stretch tells, too, ties them, announced or not: the line before it may be lost.
        emails = [fact for fact in self._denied if fact.field == "customer_email"]
        self._loose = {fact for fact in emails if all(note.reason == "unannounced" for note in hearing.notes(fact))}
        self._told = by_field
        if told.course.is_in_turns or self._is_token_in_turns():
            self._leave_out(facts, "in-turns")
        self._sort()

    def _sort(self) -> None:
        self._leave_out_tokens()
        self._leave_out_inserted()
        parted = [run for run in self.runs if self._leave_out_untied(run)]
        kept = self._choose()
        chosen = {run.start for run in kept}
        for run in self.runs:
            if run.start not in chosen:
                self._leave_out(self._of(run), "another-run")
        self.seam = self._seam() or self._other_day()
        if self.seam is None and any(run.start in chosen for run in parted):
            self.seam = ""
        self._prefer_last(kept)
        self._doubt_address()

    def _leave_out(self, facts: Sequence[Fact], reason: str) -> None:
        for fact in facts:
            if fact not in self._denied:
                self.foreign.setdefault(fact, reason)

    def _of(self, run: Run) -> list[Fact]:
        return self._by_run[run.start]

    def _own(self, facts: Sequence[Fact], *names: str) -> list[Fact]:
        """What the program itself tells of a field, as far as it is this run's."""
        return [
            f
            for f in facts
            if f.field in names and f.channel == OWN and f not in self._denied and f not in self.foreign
        ]

    def _own_of_file(self, name: str) -> list[Fact]:
        return self._own(self._told.get(name, ()), name)

    def _changes(self, name: str) -> bool:
        """True if the file tells several values of a field, whoever's."""
        return len({fact.value for fact in self._told.get(name, ())}) > 1

    def _bears(self, facts: Sequence[Fact]) -> bool:
        return bool(self.seed) and any(f.value.endswith("-" + self.seed) for f in self._own(facts, "bucket_name"))

    def _leave_out_untied(self, run: Run) -> bool:
        """Leave out the stretches of a run that nothing ties to it; True if that took anything away."""
        stretches = run.continuity.stretches
        if len(stretches) == 1:
            return False
        inside, took = self._of(run), False
        gone = untied(stretches, [f for f in inside if f not in self._denied or f in self._loose], self.seed)
        starts = [stretch.start for stretch, _ in gone]
        told: list[list[Fact]] = [[] for _ in gone]
        for fact in inside:
            place = bisect_right(starts, fact.locator.start) - 1
            end = gone[place][1] if place >= 0 else fact.locator.start
            if end is None or fact.locator.start < end:
                told[place].append(fact)
        for lost in told:
            took |= bool(values_of(lost)) or any(f.field == "stage" and f not in self._denied for f in lost)
            self._leave_out(lost, "nothing-ties")
        return took

    def _choose(self) -> list[Run]:
        if len(self.runs) == 1:
            return [self.runs[0]]
        told = [self._of(run) for run in self.runs]
        own = [run for run, facts in zip(self.runs, told, strict=True) if self._bears(facts)]
        if own:
            heads = self._heads(own[0])
            for run in heads:
                self._leave_out(_behind_a_head(self._of(run)), "another-run")
            self._leave_out_loose_head(own[0], heads)
            return [*heads, *own, *self._wrapped(own[0])]
        values = [{(f.field, f.value) for f in values_of(facts)} for facts in told]
        if all(v == values[0] for v in values):
            return list(self.runs)
        return [] if self._own(told[0], "bucket_name") else [self.runs[0]]

    def _heads(self, own: Run) -> list[Run]:
        """What stands before a run, tells its user token and no bucket: something strange has parted the two.

        It may have begun in the token, which then has a piece of it.
        """
        tokens = {f.value for f in self._of(own) if f.field == "user_token" and f.channel == OWN}
        before = [(run, self._of(run)) for run in self.runs[: self.runs.index(own)]]
        return [
            run
            for run, told in before
            if any(
                f.value in tokens or any(is_hybrid(f.value, t) for t in tokens) for f in self._own(told, "user_token")
            )
            and not self._own(told, "bucket_name")
        ]

    def _leave_out_loose_head(self, own: Run, heads: Sequence[Run]) -> None:
        """Where another head stands before a run, leave out its own if no token ties it to its bucket: which is its?"""
        told, before = self._of(own), [self._of(run) for run in self.runs[: self.runs.index(own)] if run not in heads]
        bucket, tokens = self._own(told, "bucket_name")[0], self._own(told, "user_token")
        here, elsewhere = ({f.value for f in tokens if (f.print == bucket.print) is same} for same in (True, False))
        if here.isdisjoint(elsewhere) and any(self._own(run, "activation_key", "user_token") for run in before):
            head = [f for f in values_of(told) if f.locator.start < bucket.locator.start and f.print != bucket.print]
            self._leave_out(head, "nothing-ties")

    def _wrapped(self, own: Run) -> list[Run]:
        """The end of a run where it stands before its beginning, as in a file that was written round.

        No run begins there, and it speaks of the server whose address the run tells.
        """
        addresses = {f.value for f in self._own(self._of(own), "public_host")}
        before = self.runs[: self.runs.index(own)]
        hosts = [{s.host for s in run.continuity.stretches if s.host} for run in before]
        begins = [any(begins_a_run(f) for f in self._of(run)) for run in before]
        return [
            run for run, told, is_begun in zip(before, hosts, begins, strict=True) if told == addresses and not is_begun
        ]

    def _is_token_in_turns(self) -> bool:
        """True if two user tokens change places thrice in fewer lines than a head has: runs stand in turns, as above.

        The lines by which a run begins may be missing.
        """
        told = self._told.get("user_token", ())
        places = [n for n in range(1, len(told)) if told[n].value != told[n - 1].value]
        return any(
            len({told[n].value for n in (first - 1, first, second, third)}) == 2
            and told[third].locator.line - told[first - 1].locator.line <= HEAD
            and not is_near(told[first].value, told[second].value)
            for first, second, third in zip(places, places[1:], places[2:], strict=False)
        )

    def _leave_out_tokens(self) -> None:
        """Leave out the prints that tell a user token where the signup has none: its bucket is one of the S4 years."""
        buckets = {f.value for f in self._own_of_file("bucket_name")}
        own = {bucket for bucket in buckets if bucket.endswith("-" + self.seed)} or buckets
        is_s4 = s4_name(self.evidence) is not None if not own else all(product_code_of(each) is None for each in own)
        if is_s4:
            strange = {f.print for f in self._told.get("user_token", ())}
            self._leave_out([f for f in self.facts if f.print in strange], "another-run")

    def _leave_out_inserted(self) -> None:
        """Leave out the prints that tell another bucket or token between two prints that tell the file's own."""
        for name in ("bucket_name", "user_token"):
            told = self._own_of_file(name) if self._changes(name) else []
            first = told[0].value if told else ""
            if not first or first != told[-1].value or (name == "bucket_name" and not first.endswith("-" + self.seed)):
                continue
            inserted = {
                f.print
                for f in told
                if f.value != first and not is_near(f.value, first) and not is_hybrid(f.value, first)
            }
            self._leave_out([f for f in self.facts if f.print in inserted], "inserted")

    def _prefer_last(self, kept: Sequence[Run]) -> None:
        """How far the signup came, its last run tells.

        A replacement that was written into the signup's own file goes on with it: the file is the signup's all the
        same. One that tells nothing which an earlier one does not tell is that one's head once more: no later run. Nor
        is one that ends before the stage at which the first begins: the file was written round.
        """
        if len(kept) < 2 or any(self._values(kept[-1]) <= self._values(run) for run in kept[:-1]):
            return
        first, last = ({f.value for f in self._own(self._of(run), "stage")} for run in (kept[0], kept[-1]))
        if first and last and max(map(STAGES.index, last)) < min(map(STAGES.index, first)):
            return
        for run in kept[:-1]:
            goes_on = run is kept[0] and not last & BEFORE_DEPLOYMENT
            told = self._own(self._of(run), "stage", "failure", "bucket_failed")
            self._leave_out([f for f in told if not (goes_on and f.value in BEFORE_DEPLOYMENT)], "earlier-run")

    def _values(self, run: Run) -> set[tuple[str, str]]:
        """What the program itself tells in a run."""
        return {(f.field, f.value) for f in values_of(self._of(run)) if f.channel == OWN and f not in self._denied}

    def _seam(self) -> str | None:
        """Find a seam inside one run.

        A file was begun by one signup and ended by another, and the order of its lines is not broken. Where a value
        that a signup repeats changes for good, what stands before the last old value is of the first signup, what
        stands after the first new one is of the second, and what stands between may be of either. The part counts whose
        bucket bears the file's seed; the first, if none does. A value that merely lost or changed a few characters is
        damage, not a seam.
        """
        for name in filter(self._changes, REPEATED):
            told = self._own_of_file(name)
            change = next((i for i in range(1, len(told)) if told[i].value != told[i - 1].value), None)
            if change is None or {f.value for f in told[:change]} & {f.value for f in told[change:]}:
                continue
            before, after = told[change - 1], told[change]
            if (
                is_near(before.value, after.value)
                or is_hybrid(before.value, after.value)
                or (is_misprint if name == "public_host" else is_damage)(before.value, after.value)
            ):
                continue
            values = values_of(self.facts)
            first = [f for f in values if f.locator.start <= before.locator.start or f.print == before.print]
            second = [f for f in values if f.locator.start >= after.locator.start or f.print == after.print]
            part = set(second if self._bears(second) and not self._bears(first) else first)
            self._leave_out([f for f in values if f not in part], "behind-a-seam")
            return name
        return None

    def _other_day(self) -> str | None:
        """Hold the launch time against the time in the file's name.

        Where the bucket bears the file's seed, an instance launched on another day is another signup's, with all that
        follows.
        """
        launch = next(iter(self._own_of_file("launch_time")), None)
        if launch is None:
            return None
        try:
            began = datetime.fromisoformat((stamp_in(self.evidence.rpartition("/")[2]) or "")[:18])
            launched = datetime.fromisoformat(launch.value)
        except ValueError:
            return None
        in_time = timedelta(minutes=-10) <= launched - began <= timedelta(days=1)
        if in_time or not any(f.value.endswith("-" + self.seed) for f in self._own_of_file("bucket_name")):
            return None
        first = self._own(self.facts, "instance_id", "launch_time")[0].locator.start
        self._leave_out([f for f in values_of(self.facts) if f.locator.start >= first], "other-day")
        return "launch_time"

    def _doubt_address(self) -> None:
        """An address that one line alone tells is not sure where fabric's marks, of another signup, name another."""
        spoken = {f.value: f for f in self._told.get("public_host", ()) if f.rule == "relayed"}
        if not any(f in self.foreign for f in spoken.values()):
            return
        lone = [f for f in self._own_of_file("public_host") if f.rule == "address" and f.value not in spoken]
        self._leave_out(lone, "lone-address")
