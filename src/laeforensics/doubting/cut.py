"""A value behind which its print does not go on as it must: a hole may have joined two lines."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near
from laeforensics.facts.findings import damaged_value


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the last value before lines that are missing, unless the file tells it, or nearly it, whole elsewhere."""
    numbers = set(view.log.course.cut) if view.log is not None else set()
    if not numbers:
        return
    fields = {view.facts[number].field for number in numbers}
    whole = {(f.field, f.value) for n, f in enumerate(view.facts) if f.field in fields and n not in numbers}
    for fact in (view.facts[number] for number in sorted(numbers)):
        if any(fact.field == name and (fact.value == value or is_near(fact.value, value)) for name, value in whole):
            continue
        yield Doubt(facts=(fact,), reason="cut")
        yield damaged_value(fact.field, fact.locator)
