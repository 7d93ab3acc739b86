"""What stands inside or behind an error message may be anything: nothing of it is believed."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what follows a failure, until the program announces another run."""
    if view.log is None:
        return
    course = view.log.course
    told = view.facts if course.errors else ()
    facts = tuple(f for f in told if f.field != "bucket_failed" and course.is_error(f.locator.start))
    if facts:
        yield Doubt(facts=facts, reason="in-error")
    went_on = tuple(view.facts[number] for run in course.runs for number in run.went_on)
    if went_on:
        yield Doubt(facts=went_on, reason="went-on")
