"""A value of a secrets file right behind which it is no JSON: a character of it may have become its closing quote."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.facts.beliefs import Doubt


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the last value before the damage."""
    fact = view.secrets.cut if view.secrets is not None else None
    if fact is not None:
        yield Doubt(facts=(fact,), reason="cut")
        yield damaged_secret(fact.field, fact.locator)
