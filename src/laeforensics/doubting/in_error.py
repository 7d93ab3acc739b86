"""What stands inside or behind an error message may be anything: nothing of it is believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what follows a failure, until the program announces another run."""
    if view.log is None:
        return
    course = view.log.course
    failures = {fact.locator.start: fact.locator for fact in view.by_field.get("failure", ())}
    behind: dict[int, list[Fact]] = defaultdict(list)
    for fact in view.facts if course.errors else ():
        began = course.error_before(fact.locator.start)
        if began is not None and fact.field != "bucket_failed":
            behind[began].append(fact)
    for began, facts in behind.items():
        because = (failures[began],) if began in failures else ()
        yield Doubt(facts=tuple(facts), reason="in-error", because=because)
    went_on = tuple(view.facts[number] for run in course.runs for number in run.went_on)
    if went_on:
        yield Doubt(facts=went_on, reason="went-on")
