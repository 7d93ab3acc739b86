"""A value that stands without the announcement that introduces its print is a look-alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the values of prints that nothing announced."""
    if view.log is not None and view.log.log.unannounced:
        facts = tuple(f for f in view.facts if f.print in view.log.log.unannounced)
        if facts:
            yield Doubt(facts=facts, reason="unannounced")
            yield from _launched_for_another(view, set(facts))


def _launched_for_another(view: FileView, strays: Collection[Fact]) -> Iterator[Doubt]:
    """Doubt an instance behind such a print where that names another bucket: a piece of a log may have both."""
    names = [fact for fact in view.by_field.get("bucket_name", ()) if fact.channel == OWN]
    own = {fact.value for fact in names if fact not in strays}
    others = [f for f in names if own and not any(f.value == each or is_near(f.value, each) for each in own)]
    for instance in view.by_field.get("instance_id", ()) if others else ():
        before = [fact for fact in names if fact.locator.start < instance.locator.start]
        if before and before[-1] in others and instance not in strays:
            launched = tuple(f for f in view.values if f.print == instance.print)
            yield Doubt(facts=launched, reason="tied", because=(before[-1].locator,))
