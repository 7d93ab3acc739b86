"""A value that stands without the announcement that introduces its print is a look-alike."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the values of prints that nothing announced."""
    if view.log is not None and view.log.log.unannounced:
        facts = tuple(f for f in view.facts if f.print in view.log.log.unannounced)
        if facts:
            yield Doubt(facts=facts, reason="unannounced")
