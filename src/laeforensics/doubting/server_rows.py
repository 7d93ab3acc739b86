"""What rows of serverinfo.csv cannot tell: one instance id of several servers, a launch after the row was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from laeforensics.companions.csv_rows import Row
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt

_CLOCKS = timedelta(minutes=10)
"""So far the clocks of provider and program may be apart."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt such an id in each of its rows, where they differ in launch as well as host; and such a launch."""
    by_id: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in {(row.evidence, row.line): row for rows in view.servers.values() for row in rows}.values():
        launch = row.value("launch_time")
        if launch is not None and _is_later(launch, row.time):
            yield Doubt(facts=tuple(row.of("launch_time")), reason="launched-later")
        by_id[row.evidence, row.value("instance_id") or ""].append(row)
    for (_, instance), rows in by_id.items():
        facts = tuple(fact for row in rows for fact in row.of("instance_id"))
        launches, hosts = ({row.value(name) for row in rows} for name in ("launch_time", "public_host"))
        if instance and min(len(launches), len(hosts)) > 1:
            yield Doubt(facts=facts, reason="of-several-servers")


def _is_later(launch: str, written: str) -> bool:
    try:
        return datetime.fromisoformat(launch) - datetime.fromisoformat(written) > _CLOCKS
    except ValueError:  # no such day, or hour
        return False
