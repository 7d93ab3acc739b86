"""A recovery: what stops it is asked, the plan is confirmed, the runbook carried out, the report written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from laerecover.afterwards.adopt import adopt_unknown
from laerecover.errors import Guarded
from laerecover.instances.rebuilt import Rebuilt
from laerecover.instances.tags import mark_recovered
from laerecover.mail.outbox import Outbox
from laerecover.options import Options, now
from laerecover.planning.approval import guard_approval, guard_mails, keep_approval
from laerecover.planning.buckets import quiet
from laerecover.planning.check import unanswered
from laerecover.planning.decisions import ask_old_servers, need_reason, with_decisions
from laerecover.planning.guards import (
    NOT_STARTED,
    guard_cloud,
    guard_evidence_out,
    guard_files,
    guard_instances,
    guard_obstacles,
)
from laerecover.planning.plan import Plan
from laerecover.planning.planner import Planner, look, renewed, with_shown
from laerecover.ports.world import OpenWorld
from laerecover.report.report import Report
from laerecover.report.written import written_report
from laerecover.runbook.ledger import read_ledger
from laerecover.state.opening import opened_state
from laerecover.state.state import State
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.runbook.engine import Watcher

Confirm = Callable[[Plan], bool]
Watch = Callable[[Plan], "AbstractContextManager[Watcher]"]


def run(
    options: Options,
    *,
    watch: Watch,
    stop: threading.Event,
    confirm: Confirm,
    worlds: Worlds,
    asked: bool = True,
    heard: Callable[[str], None] = quiet,
) -> tuple[State, Report]:
    """The runbook in the real world. `asked`: somebody looks at the plan now, so that another one than before will do;
    `heard` is told how far long listings are.

    What the options decide is written once the plan is confirmed: after a `no` the state is as it was. Raises Guarded
    if the plan is not confirmed, is not the one that was shown, or asks for too many instances.
    """
    need_reason(options)
    folder = options.places.folder("run")
    manifest, settings = options.read("run", folder, also=guard_files)
    with opened_state(folder, command="run", mode="run", digest=manifest.digest, now=now()) as found:
        guard_cloud(found, settings)
        asking = with_decisions(options, renewed(found, options), manifest)
        manifest, opened = asking.seen(manifest), worlds.open(asking, settings, options.places.vault(folder), stop)
        try:
            state = ask_old_servers(asking, manifest, options.selection.of(manifest), opened, settings.ec2.region)
        except Guarded:
            # The cloud answers nobody whose key or clock is wrong: that is to be told first.
            guard_obstacles(unanswered(look(opened.world)), options)
            raise
        planner = Planner(options=options, state=state, manifest=manifest, settings=settings)
        planned = planner.plan()
        if planner.open_accounts(planned) or state.decisions != found.decisions:
            obstacles = planner.check(opened.world, heard)
            guard_obstacles(obstacles, options)
            planned = planner.plan(obstacles, checked=True)
            guard_instances(planned, options)
            guard_mails(settings.approval, options.mail)
            approved = guard_approval("plan", planned.digest, settings.approval, options.approved_by)
            _confirmed(planned, state, options, confirm, asked=asked)
            state = with_shown(state, planned, obstacles).write()
            keep_approval(state.folder, "plan", approved, options.approved_by)
            adopt_unknown(state, manifest, settings, opened.world)
        else:
            state = replace(state, planned=replace(state.planned, min_grade=planned.min_grade)).write()
        return carry_out(replace(planner, state=state), planned, opened, watch=watch, stop=stop, worlds=worlds)


def _confirmed(planned: Plan, state: State, options: Options, confirm: Confirm, *, asked: bool) -> None:
    """Raises Guarded unless this very plan was seen, and somebody wants it."""
    if not asked and state.planned.shown not in (None, planned.digest):
        raise Guarded(
            "the plan is not the one that was shown: settings have changed since",
            where=f"{options.places.settings_file} · shown {state.planned.shown}, now {planned.digest}",
            next_step=f"look at `{options.again('plan')}`, then run again; {NOT_STARTED}",
        )
    if not confirm(planned):
        raise Guarded(
            "the plan was not confirmed",
            where=str(state.folder),
            next_step=f"run again when you are sure; {NOT_STARTED}",
        )


def without_work(state: State, planned: Plan) -> State:
    """The state, which remembers where nobody was ever begun that nobody was to be recovered."""
    if planned.recover or state.started_at is not None:
        return state
    return replace(state, planned=replace(state.planned, recover=0, customers=len(planned.accounts))).write()


def carry_out(
    planner: Planner, planned: Plan, opened: OpenWorld, *, watch: Watch, stop: threading.Event, worlds: Worlds
) -> tuple[State, Report]:
    """The runbook for every account of the plan that is not recovered yet, then the report.

    The caller holds the lock.
    """
    options, state, settings = planner.options, planner.state, planner.settings
    for account_id, untagged in state.untagged.items():
        mark_recovered(state, opened.world, account_id, untagged["instance_id"])
    todo = planned.starts
    if todo:
        from laerecover.runbook import engine
        from laerecover.runbook.work import Means

        guard_evidence_out(settings.evidence_out)
        begun = state.started_at or now().isoformat()
        whole = {a.account_id for a in planned.recover} | read_ledger(state.ledger, with_steps=False).keys()
        numbers = replace(state.planned, recover=len(whole), customers=len(planned.accounts))
        state = replace(state, planned=numbers, started_at=begun, cloud=settings.ec2.place, stopped="").write()
        with watch(planned) as watcher:
            job = engine.Job(
                state=state,
                accounts={a.account_id: a for a in planner.manifest.recoverable if a.account_id in todo},
                means=Means(
                    recovery_id=state.recovery_id,
                    mode=state.mode,
                    world=opened.world,
                    settings=settings,
                    vault=options.places.vault(state.folder),
                    outbox=Outbox(state.outbox),
                    mail=options.mail,
                    new_identity=state.new_identity,
                    dial=state.decisions.not_dialled is None,
                    rebuilt=Rebuilt(everyone=planner.manifest.accounts, decided=state.decisions.instances),
                ),
                watcher=watcher,
                stop=stop,
                point=opened.point,
                concurrency=options.concurrency,
                limits=options.limits,
                canary=planned.first,
            )
            stopped = engine.run(job, todo)
        state = replace(state, stopped=stopped)
        if stopped:
            state.write()
    else:
        state = without_work(state, planned)
    return state, written_report(replace(planner, state=state), planned, worlds)
