"""The report, written into the state folder."""

from __future__ import annotations

from dataclasses import replace

from laerecover.options import TAKES, Options, find_state, now
from laerecover.planning.plan import Plan, make_plan
from laerecover.planning.planner import Planner
from laerecover.report.counts import count_effects
from laerecover.report.follow_ups import Commands
from laerecover.report.page import write_report
from laerecover.report.report import Report, make_report
from laerecover.selection import Selection
from laerecover.state.state import State
from laerecover.state.worlds import Worlds
from laerecover.text import reason_of


def report(options: Options, worlds: Worlds) -> tuple[State, Report, str]:
    """The report of the state as it is now, and why it could not be put there, or ""; starts nothing, asks the ledger
    only, and also looks at a copy, or a folder that cannot be written.
    """
    state = find_state(options)
    manifest, settings = options.read(state.mode, state.folder)
    manifest = state.seen(manifest)
    planner = Planner(options=options, state=state, manifest=manifest, settings=settings)
    # Of what was begun somebody has asked the cloud, even if no old server was left to ask about.
    planned = make_plan(manifest, settings, replace(planner.circumstances(), inventory=state.inventory))
    made, unwritten = _made(planner, planned, worlds), ""
    try:
        write_report(state, made)
    except OSError as error:
        unwritten = reason_of(error)
    return state, made, unwritten


def written_report(planner: Planner, planned: Plan, worlds: Worlds) -> Report:
    """The report, put into the state folder. Raises OSError."""
    made = _made(planner, planned, worlds)
    write_report(planner.state, made)
    return made


def _made(planner: Planner, planned: Plan, worlds: Worlds) -> Report:
    options, state, settings = planner.options, planner.state, planner.settings
    counts = count_effects(state, settings.files.serverinfo, worlds.counted(state))
    whole = replace(options, selection=Selection())
    commands = Commands(
        manifest=str(options.places.manifest),
        repeated={command: options.repeat(command) for command in TAKES},
        unselected={command: whole.repeat(command) for command in TAKES},
    )
    made = make_report(state, planner.manifest, planned, counts, commands, sender=settings.mail.sender, now=now())
    return replace(made, asked=options.selection.named(planner.manifest))
