"""`run`: recover."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from laerecover.cli._options import (
    CANARY,
    DECIDING,
    PLACES,
    SELECTION,
    WORKING,
    EventsOpt,
    JsonOpt,
    QuietOpt,
    YesOpt,
    takes,
)
from laerecover.cli._work import work

if TYPE_CHECKING:
    from laerecover.options import Options
    from laerecover.planning.plan import Plan
    from laerecover.recovery import Watch
    from laerecover.report.report import Report
    from laerecover.state.state import State


@takes(
    *PLACES,
    *SELECTION,
    *WORKING,
    "name_tag",
    "disaster_at",
    "min_grade",
    "approved_by",
    *DECIDING,
    before=("accept", *CANARY),
)
def run(
    options: Options,
    yes: YesOpt = False,
    json_: JsonOpt = False,
    events: EventsOpt = None,
    quiet_: QuietOpt = False,
) -> None:
    """Recover. After a crash the same command goes on where it stopped; mails are held."""
    from laerecover import recovery
    from laerecover.cli._planned import question, show_plan
    from laerecover.cli._show import ask, show_progress, tell_progress
    from laerecover.cli._worlds import EveryWorld
    from laerecover.planning.buckets import quiet

    def confirm(made: Plan) -> bool:
        if not (yes and (quiet_ or (json_ and events))):  # nobody looks, or there is no stream left for people
            show_plan(made, options, stream=sys.stderr if json_ else sys.stdout)
        return yes or ask(question(made))

    heard = tell_progress if events else quiet if quiet_ else show_progress

    def recover(stop: threading.Event, watch: Watch) -> tuple[State, Report]:
        return recovery.run(
            options,
            watch=watch,
            stop=stop,
            confirm=confirm,
            worlds=EveryWorld(heard),
            asked=not yes,
            heard=heard,
        )

    work(json_, events, recover, quiet=quiet_)
