"""Nothing that was relayed before a signup deployed its server can be of it."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.channels import REMOTE
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what a host said, and the hosts in fabric's marks, before the deployment of a run that tells its begin."""
    if view.log is None:
        return
    course = view.log.course
    stages = view.by_field.get("stage", ())
    relayed = [fact for fact in view.facts if fact.rule == "relayed" or fact.channel == REMOTE] if stages else []
    for told, said in zip(course.by_run(stages), course.by_run(relayed), strict=True) if relayed else ():
        begun = [f.locator.start for f in told if f.value in BEFORE_DEPLOYMENT]
        later = [f.locator.start for f in told if f.value not in BEFORE_DEPLOYMENT]
        if not begun:
            continue
        first, end = min(begun), min(later, default=view.log.log.size)
        early = [f for f in said if first < f.locator.start < end]
        if early:
            yield Doubt(facts=tuple(early), reason="before-deployment")
