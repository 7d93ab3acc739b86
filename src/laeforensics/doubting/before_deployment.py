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
    for run in view.log.course.runs:
        facts = [fact for fact in view.facts if run.holds(fact.locator.start)]
        begun = [f.locator.start for f in facts if f.field == "stage" and f.value in BEFORE_DEPLOYMENT]
        later = [f.locator.start for f in facts if f.field == "stage" and f.value not in BEFORE_DEPLOYMENT]
        relayed = [f for f in facts if f.rule == "relayed" or f.channel == REMOTE]
        early = [f for f in relayed if begun and min(begun) < f.locator.start < min(later, default=f.locator.start + 1)]
        if early:
            yield Doubt(facts=tuple(early), reason="before-deployment")
