"""A value that stands without the announcement that introduces its print is a look-alike."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
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
    starts, foreign = [fact.locator.start for fact in names], set(others)
    behind: dict[int, Fact] = {}
    for instance in view.by_field.get("instance_id", ()) if others else ():
        before = bisect_left(starts, instance.locator.start)
        if before and names[before - 1] in foreign and instance not in strays:
            behind[instance.print] = names[before - 1]
    launched: dict[int, list[Fact]] = defaultdict(list)
    for fact in view.values if behind else ():
        if fact.print in behind:
            launched[fact.print].append(fact)
    for print_, facts in launched.items():
        yield Doubt(facts=tuple(facts), reason="tied", because=(behind[print_].locator,))
