"""One launch, told by a row of serverinfo.csv or by its log with the clock of another place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from laeforensics.companions.csv_rows import Row
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.joining._customers import LONGEST_START, moment

_QUARTER = timedelta(minutes=15)
_FARTHEST_CLOCK = timedelta(hours=14)


def is_of_another_clock(signup: Signup, row: Row, printed: Mapping[str, Sequence[Fact]]) -> bool:
    """True if row and log tell one instance and host, and its launch whole hours apart; one of both is then doubted.

    The name of the file tells by UTC when its run began: what does not fit to it is denied; nothing else decides.
    """
    rows, prints, start = row.of("launch_time"), printed["launch_time"], start_of(signup.name)
    if not rows or not prints or start is None or is_contradicted(printed["public_host"], row.value("public_host")):
        return False
    try:
        apart = moment(rows[0].value) - moment(prints[0].value)
        lateness = {fact: moment(fact.value) - moment(start[0]) for fact in (*rows, *prints)}
    except ValueError:  # no such day, or hour
        return False
    if not apart or apart % _QUARTER or abs(apart) > _FARTHEST_CLOCK:
        return False
    fits = {fact: timedelta(0) <= late <= LONGEST_START for fact, late in lateness.items()}
    if any(fits.values()):
        fitting = [fact for fact, is_fit in fits.items() if is_fit]
        signup.doubt([fact for fact in fits if fact not in fitting], "local-time", fitting)
    return any(fits.values())


def is_contradicted(facts: Sequence[Fact], told: str | None) -> bool:
    """True if no fact tells this, or almost this."""
    return bool(facts) and told is not None and not any(f.value == told or is_near(f.value, told) for f in facts)
