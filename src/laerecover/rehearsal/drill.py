"""A drill: the whole runbook in the twin world, or on a rig."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from laerecover.manifest import Account, Manifest, OperatorError
from laerecover.options import Options, now
from laerecover.planning.buckets import quiet
from laerecover.planning.guards import guard_instances
from laerecover.planning.plan import Plan
from laerecover.planning.planner import Planner, renewed
from laerecover.recovery import Watch, carry_out, without_work
from laerecover.rehearsal.worlds import DrillWorlds
from laerecover.report.report import Report
from laerecover.report.written import written_report
from laerecover.state.opening import forget_drill, opened_state
from laerecover.state.state import State
from laerecover.state.terms import DrillTerms


def drill(
    options: Options, *, watch: Watch, stop: threading.Event, heard: Callable[[str], None] = quiet
) -> tuple[State, Report]:
    """The whole runbook in the twin world, or on a rig. No settings, no confirmation.

    Nobody is sent ahead; `heard` is told whom a run would send.
    """
    manifest, folder, worlds = (
        options.places.read(),
        options.places.folder("drill"),
        DrillWorlds(options.drill.crash_at),
    )
    if options.drill.again:
        _end_rig(folder)
        forget_drill(folder)
    asked = options.drill
    terms = DrillTerms(seed=asked.drawn, pace=asked.pace, faults=asked.faults, prove=asked.prove, hosts=asked.hosts)
    fresh = {"drill": terms, "new_identity": options.new_identity}
    with opened_state(folder, command="drill", mode="drill", digest=manifest.digest, now=now(), **fresh) as found:
        state, before = renewed(found, options).write(), manifest
        manifest, vault = state.seen(manifest), options.places.vault(folder)
        settings = options.settings_for("drill", folder)
        planner = Planner(options=options, state=state, manifest=manifest, settings=settings)
        planned = planner.plan()
        if not planner.open_accounts(planned) and not _unproved(state, planned):
            return without_work(state, planned), written_report(planner, planned, worlds)
        if options.drill.world == "rig" or state.drill.prove:
            from laerecover.rehearsal.rig import of_a_drill as rig

            rig.begin(state, manifest.recoverable, options.drill.faults)
            planner = replace(planner, settings=options.settings_for("drill", folder))
        if state.drill.prove:
            planner = replace(planner, options=replace(options, mail="send"))
            rig.store_canaries(state, _selected(before, planned), vault, stop)
        opened = worlds.open(state, planner.settings, vault, stop)
        planned = planner.plan()
        guard_instances(planned, options)
        if ahead := _ahead(planner):
            heard(f"a run would send {ahead} ahead, its canary; a drill sends nobody ahead")
        with _watched(state, stop):
            done = carry_out(planner, planned, opened, watch=watch, stop=stop, worlds=worlds)
        if state.drill.prove:
            recovered = set(_unproved(state, planned)).difference(planner.open_accounts(planned))
            rig.try_canaries(state, [a for a in manifest.accounts if a.account_id in recovered], vault, stop)
            done = done[0], written_report(replace(planner, state=done[0]), planned, worlds)
        if not planner.open_accounts(planned) and not _unproved(state, planned):
            _end_rig(folder)
        return done


def _ahead(planner: Planner) -> str:
    """Whom a run would recover before all others, as long as nobody is; "" for none, or where that would be refused."""
    options = replace(planner.options, limits=replace(planner.options.limits, canary=True))
    try:
        settings, _ = options.settings_to_plan(planner.state.folder)
        return replace(planner, options=options, settings=settings).plan().first
    except OperatorError:
        return ""


def _selected(manifest: Manifest, planned: Plan) -> list[Account]:
    chosen = {a.account_id for a in planned.recover}
    return [a for a in manifest.accounts if a.account_id in chosen]


def _unproved(state: State, planned: Plan) -> list[str]:
    """Those of the plan whose canary has not come back yet, if it is to."""
    proved = state.proved
    return [a.account_id for a in planned.recover if state.drill.prove and not proved.get(a.account_id, {}).get("ok")]


def _watched(state: State, stop: threading.Event) -> AbstractContextManager[None]:
    """The drill's rig, if it has one, is looked at as long as its hosts are worked on."""
    if not state.rehearsal.is_file():
        return nullcontext()
    from laerecover.rehearsal.rig import of_a_drill

    return of_a_drill.watched(state, stop)


def _end_rig(folder: Path) -> None:
    """The instances of a drill end with it; those of a killed or failed one wait for the same command."""
    if (folder / "rig").is_dir():
        from laerecover.rehearsal.rig import of_a_drill

        of_a_drill.end(folder)
