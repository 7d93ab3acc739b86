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
"""What the provider told behind the seconds, as long as its instances had short ids."""
_SHORT_ID = len("i-01234567")


def judge(view: FileView) -> Iterator[Said]:
    """Doubt a time that one other digit would bring to its run, or with parts of a second where none were told."""
    start = start_of(view.log.log.evidence) if view.log is not None else None
    if start is None:
        return
    early = {f.print for f in view.by_field.get("instance_id", ()) if len(f.value) == _SHORT_ID}
    for fact in view.by_field.get("launch_time", ()):
        if fact.channel != OWN:
            continue
        moment, rest = fact.value[:19], fact.value[19:]
        if is_of_run(start[0], moment) and (rest == _WHOLE or fact.print not in early):
            continue
        others = (moment[:n] + digit + moment[n + 1 :] for n in range(len(moment)) for digit in "0123456789")
        if any(is_of_run(start[0], other) for other in others):
            yield Doubt(facts=(fact,), reason="impossible-launch")


def is_of_run(began: str, launch: str) -> bool:
    """True if the run that began then may have launched a server at that time."""
    try:
        late = datetime.fromisoformat(launch[:19]) - datetime.fromisoformat(began[:19])
    except ValueError:  # no such day, or hour
        return False
    return _EARLIEST <= late <= _LATEST
