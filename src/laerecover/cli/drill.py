"""`drill`: the whole recovery in a world in one file, or on a rig."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import DRILLING, SELECTION, WORKING, EventsOpt, JsonOpt, QuietOpt, takes
from laerecover.cli._stopping import same_command
from laerecover.cli._work import work

if TYPE_CHECKING:
    from laerecover.options import DrillOptions, Options
    from laerecover.state.terms import DrillTerms


@takes("state", "key_file", *SELECTION, *WORKING, before=DRILLING)
def drill(options: Options, json_: JsonOpt = False, events: EventsOpt = None, quiet_: QuietOpt = False) -> None:
    """Rehearse the whole recovery in a world in one file: no cloud, no host, no mail."""
    from dataclasses import replace

    from laerecover.cli._show import show_progress
    from laerecover.errors import LaeRecoverError
    from laerecover.planning.buckets import quiet
    from laerecover.rehearsal import drill as rehearsal
    from laerecover.rehearsal.rig.of_a_drill import RigEnded

    asked = options.drill
    if asked.faults and not (asked.faults.startswith("seed:") and asked.faults[5:].isdecimal()):
        raise typer.BadParameter("--faults is seed:N, N a number")
    if asked.prove and asked.world != "rig":
        raise typer.BadParameter("--prove needs --world rig: a world in one file stores no files")
    if asked.hosts != "light" and asked.world != "rig":
        raise typer.BadParameter(f"--hosts {asked.hosts} needs --world rig: a world in one file has no hosts")
    asked = replace(asked, crash_at=os.environ.get("LAERECOVER_CRASH_AT", ""))
    given = replace(options, drill=asked, limits=replace(options.limits, canary=False))
    heard = show_progress if sys.stderr.isatty() and not (events or quiet_) else quiet
    try:
        work(
            json_, events, lambda stop, watch: rehearsal.drill(given, watch=watch, stop=stop, heard=heard), quiet=quiet_
        )
    except RigEnded as end:
        after = f"begin anew:  {same_command(*_lacking(asked, end.terms), '--again')}"
        raise LaeRecoverError(end.what, where=end.where, next_step=after) from None


def _lacking(asked: DrillOptions, terms: DrillTerms) -> list[str]:
    """What the drill was begun with, and was not typed to go on with it."""
    words = [] if asked.world == "rig" else ["--world", "rig"]
    for name in ("hosts", "faults"):
        if getattr(asked, name) != getattr(terms, name):
            words += [f"--{name}", getattr(terms, name)]
    return words + ["--prove"] * (terms.prove and not asked.prove)
