"""How long a recovery takes: as the last drill on a rig has measured, else as a rough rule says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from laerecover.runbook.values import BOUNCE, DEPLOY, INSTALL

ROUGHLY = 420.0
"""Seconds of one account where nothing was measured: packages and a reboot are most of it."""
_NEEDED = (DEPLOY.name, INSTALL.name, BOUNCE.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Seconds of one account, and what they rest on."""

    seconds: float = ROUGHLY
    rests_on: str = "a rough rule"


def forecast_of(drill: Path) -> Forecast:
    """From the report of the drill in that state folder: the sum of its steps' medians, if it was one on a rig and got
    through them. A drill in the twin measured nothing, for its clock runs fast.
    """
    path = drill / "report.json"
    if not (drill / "rehearsal").is_dir():
        return Forecast()
    try:
        body = json.loads(path.read_text("utf-8"))
        steps = {str(name): float(seconds) for name, seconds in body["step_seconds"].items()}
        ended = str(body["ended_at"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Forecast()
    whole = sum(steps.values())
    if not all(steps.get(step, 0) > 0 for step in _NEEDED) or not 0 < whole < 86400:
        return Forecast()
    return Forecast(seconds=round(whole, 3), rests_on=f"the drill on a rig that ended {ended[:16]}")
