"""A launch at which its run launched nothing: a digit of it is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from laeforensics.doubting.views import FileView, Said
from laeforensics.evidence.names import start_of
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.channels import OWN

_EARLIEST = timedelta(minutes=-10)
_LATEST = timedelta(hours=1)
_WHOLE = ".000Z"
"""The provider tells whole seconds."""


def judge(view: FileView) -> Iterator[Said]:
    """Doubt a time that one other digit would bring to its run, or that tells parts of a second."""
    start = start_of(view.log.log.evidence) if view.log is not None else None
    if start is None:
        return
    for fact in view.facts:
        if fact.field == "launch_time" and fact.channel == OWN and not _is_of(start[0], fact.value):
            moment = fact.value[:19]
            others = (moment[:n] + digit + moment[n + 1 :] for n in range(len(moment)) for digit in "0123456789")
            if _is_of(start[0], moment + _WHOLE) or any(_is_of(start[0], other + _WHOLE) for other in others):
                yield Doubt(facts=(fact,), reason="impossible-launch")


def _is_of(began: str, launch: str) -> bool:
    """True if the run that began then may have launched a server at that time."""
    try:
        late = datetime.fromisoformat(launch[:19]) - datetime.fromisoformat(began[:19])
    except ValueError:  # no such day, or hour
        return False
    return launch.endswith(_WHOLE) and _EARLIEST <= late <= _LATEST
