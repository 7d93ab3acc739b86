"""A value behind which its print does not go on as it must: a hole may have joined two lines."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.findings import damaged_value


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the last value before lines that are missing."""
    for number in view.log.course.cut if view.log is not None else ():
        fact = view.facts[number]
        yield Doubt(facts=(fact,), reason="cut")
        yield damaged_value(fact.field, fact.locator)
