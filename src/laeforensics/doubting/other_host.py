"""An address, or a furl, that names the run's server with a stretch lost."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.findings import damaged_value


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what names the server otherwise than the rest of its run, by damage."""
    for number in view.log.course.differing if view.log is not None else ():
        fact = view.facts[number]
        yield Doubt(facts=(fact,), reason="host-damaged")
        yield damaged_value(fact.field, fact.locator)
