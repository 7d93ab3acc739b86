"""The commands that work through a manifest: `plan`, `drill`, `run`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from laerecover.afterwards.instances import adopt_unknown, mark_recovered
from laerecover.errors import Guarded, LaeRecoverError, LockHeld
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account, Manifest
from laerecover.options import Options, now
from laerecover.planning.decisions import accept_rebuilt, ask_old_servers, need_reason, record_decisions
from laerecover.planning.guards import (
    NOT_STARTED,
    guard_cloud,
    guard_evidence_out,
    guard_files,
    guard_findings,
    guard_instances,
)
from laerecover.planning.plan import Plan, make_plan
from laerecover.ports.world import OpenWorld
from laerecover.report.report import Report
from laerecover.report.review import written_report
from laerecover.runbook.ledger import read_ledger
from laerecover.settings import Settings, drill_settings
from laerecover.state.lock import locked
from laerecover.state.state import State, forget_drill, open_state, opened_state, read_state
from laerecover.worlds import open_real, open_world

if TYPE_CHECKING:
    from laerecover.planning.obstacle import Finding
    from laerecover.runbook.engine import Watcher

Confirm = Callable[[Plan], bool]
Watch = Callable[[Plan], "AbstractContextManager[Watcher]"]


def plan(options: Options, *, check: bool = False) -> tuple[Plan, Sequence[Finding]]:
    """What a run would do; the state folder remembers which manifest was planned. Asks nobody, unless to `check`."""
    manifest, folder = options.read(), options.folder("run")
    real = check or options.settings is not None or options.settings_file.is_file()
    settings = options.settings_for("run", folder) if real else drill_settings(folder)
    state = _plan_anew(folder, manifest, options)
    manifest = state.seen(manifest)
    findings: Sequence[Finding] = ()
    asked = replace(state, inventory={})
    if check:
        guard_files(settings)
        guard_cloud(state, settings)
        opened = open_real(settings, threading.Event())
        asked = ask_old_servers(state, manifest, options.selection.of(manifest), opened, settings.region)
        findings = _check(options, asked, manifest, settings, opened)
    made = _planned(options, asked, manifest, settings, findings)
    return _remembered(state, made) if real else made, findings


def drill(options: Options, *, watch: Watch, stop: threading.Event) -> tuple[State, Report]:
    """The whole runbook in the twin world, or on a rig. No settings, no confirmation."""
    manifest, folder = options.read(), options.folder("drill")
    if options.again:
        _end_rig(folder)
        forget_drill(folder)
    chances = {"seed": options.seed, "pace": options.pace, "faults": options.faults, "prove": options.prove}
    chances["new_identity"] = options.new_identity
    with opened_state(folder, command="drill", mode="drill", digest=manifest.digest, now=now(), **chances) as found:
        state, before = _renewed(found, options), manifest
        manifest, vault = state.seen(manifest), options.vault(folder)
        settings = options.settings_for("drill", folder)
        planned = _planned(options, state, manifest, settings)
        if not _open_accounts(state, planned) and not _unproved(state, planned):
            return state, written_report(options, state, manifest, planned, settings)
        if options.place == "rig" or state.prove:
            from laerecover.rehearsal.rig import of_a_drill as rehearsal

            rehearsal.begin(state, manifest.recoverable, options.faults)
            settings = options.settings_for("drill", folder)
        if state.prove:
            options = replace(options, mail="send")
            rehearsal.store_canaries(state, _selected(before, planned), vault, stop)
        opened = open_world(state, settings, vault, stop, crash_at=options.crash_at)
        planned = _planned(options, state, manifest, settings)
        guard_instances(planned, options)
        done = _carry_out(options, state, manifest, settings, planned, opened, vault, watch, stop)
        if state.prove:
            recovered = set(_unproved(state, planned)).difference(_open_accounts(state, planned))
            rehearsal.try_canaries(state, [a for a in manifest.accounts if a.account_id in recovered], vault, stop)
            done = done[0], written_report(options, done[0], manifest, planned, settings)
        if not _open_accounts(state, planned) and not _unproved(state, planned):
            _end_rig(folder)
        return done


def _selected(manifest: Manifest, planned: Plan) -> list[Account]:
    chosen = {a.account_id for a in planned.recover}
    return [a for a in manifest.accounts if a.account_id in chosen]


def _unproved(state: State, planned: Plan) -> list[str]:
    """Those of the plan whose canary has not come back yet, if it is to."""
    proved = state.proved
    return [a.account_id for a in planned.recover if state.prove and not proved.get(a.account_id, {}).get("ok")]


def _end_rig(folder: Path) -> None:
    """The instances of a drill end with it; those of a killed or failed one wait for the same command."""
    if (folder / "rig").is_dir():
        from laerecover.rehearsal.rig import of_a_drill as rehearsal

        rehearsal.end(folder)


def run(
    options: Options,
    *,
    watch: Watch,
    stop: threading.Event,
    confirm: Confirm,
    world: OpenWorld | None = None,
    asked: bool = True,
) -> tuple[State, Report]:
    """The runbook in the real world. `asked`: somebody looks at the plan now, so that another one than before will do.

    Raises Guarded if the plan is not confirmed, is not the one that was shown, or asks for too many instances.
    """
    manifest, folder = options.read(), options.folder("run")
    need_reason(options)
    settings = options.settings_for("run", folder)
    guard_files(settings)
    renew = options.new_identity
    with opened_state(
        folder, command="run", mode="run", digest=manifest.digest, now=now(), new_identity=renew
    ) as found:
        guard_cloud(found, settings)
        asking = record_decisions(options, _renewed(found, options), manifest)
        manifest, vault, opened = asking.seen(manifest), options.vault(folder), world or open_real(settings, stop)
        state = ask_old_servers(asking, manifest, options.selection.of(manifest), opened, settings.region).write()
        planned = _planned(options, state, manifest, settings)
        if _open_accounts(state, planned):
            findings = _check(options, state, manifest, settings, opened)
            state, findings = accept_rebuilt(options, state, manifest, findings)
            guard_findings(findings, options)
            planned = _planned(options, state, manifest, settings, findings)
            guard_instances(planned, options)
            if not asked and state.plan_digest not in (None, planned.digest):
                raise Guarded(
                    "the plan is not the one that was shown: settings have changed since",
                    where=f"{options.settings_file} · shown {state.plan_digest}, now {planned.digest}",
                    next_step=f"look at `laerecover plan {options.quoted}`, then run again; {NOT_STARTED}",
                )
            if not confirm(planned):
                raise Guarded(
                    "the plan was not confirmed",
                    where=str(folder),
                    next_step=f"run again when you are sure; {NOT_STARTED}",
                )
            state = replace(state, plan_digest=planned.digest).write()
            adopt_unknown(state, manifest, settings, opened.world)
        return _carry_out(options, state, manifest, settings, planned, opened, vault, watch, stop)


def _carry_out(
    options: Options,
    state: State,
    manifest: Manifest,
    settings: Settings,
    planned: Plan,
    opened: OpenWorld,
    vault: Vault,
    watch: Watch,
    stop: threading.Event,
) -> tuple[State, Report]:
    for account_id, untagged in state.untagged.items():
        mark_recovered(state, opened.world, account_id, untagged["instance_id"])
    todo = _open_accounts(state, planned)
    if todo:
        from laerecover.runbook.engine import Job
        from laerecover.runbook.engine import run as run_job

        guard_evidence_out(settings)
        begun = state.started_at or now().isoformat()
        state = replace(state, started_at=begun, cloud=settings.cloud, stopped="").write()
        with watch(planned) as watcher:
            job = Job(
                state=state,
                accounts={a.account_id: a for a in manifest.recoverable if a.account_id in todo},
                settings=settings,
                vault=vault,
                outbox=Outbox(state.outbox),
                open_world=opened,
                watcher=watcher,
                stop=stop,
                mail=options.mail,
                concurrency=options.concurrency,
                max_instances=options.max_instances,
                max_failures=options.max_failures,
                canary=options.canary,
            )
            stopped = run_job(job, todo)
        state = replace(state, stopped=stopped)
        if stopped:
            state.write()
    return state, written_report(options, state, manifest, planned, settings)


def _planned(
    options: Options, state: State, manifest: Manifest, settings: Settings, findings: Sequence[Finding] = ()
) -> Plan:
    made = make_plan(
        manifest,
        settings,
        mode=state.mode,
        selected=options.selection.of(manifest),
        concurrency=options.concurrency,
        accepted=state.accepted_of(manifest),
        inventory=state.inventory or None,
        obstacles={f.account_id: f"{f.what}: {f.message}; {f.remedy}" for f in findings if f.account_id is not None},
    )
    return replace(made, notes=tuple(f"{f.message}; {f.remedy}" for f in findings if not f.blocks))


def _check(
    options: Options, state: State, manifest: Manifest, settings: Settings, opened: OpenWorld
) -> Sequence[Finding]:
    """What stands in the way of those that are selected and not recovered yet."""
    from laerecover.planning.check import check

    todo = _open_accounts(state, _planned(options, state, manifest, settings))
    accounts = [a for a in manifest.recoverable if a.account_id in todo]
    return check(
        accounts,
        settings,
        opened.world,
        recovery_id=state.recovery_id,
        everyone=manifest.accounts,
        decided=state.decided,
    )


def _plan_anew(folder: Path, manifest: Manifest, options: Options) -> State:
    """Planning is how another manifest is allowed in: the recovery's id stays, the planned digest changes.

    Raises LockHeld if there is something to write, and a runner is at work.
    """
    state = read_state(folder)
    if state is None or state.mode != "run":
        return open_state(folder, mode="run", digest=manifest.digest, now=now(), new_identity=options.new_identity)
    if state.planned_digest == manifest.digest and state.new_identity >= options.new_identity:
        return state
    stamp = now().isoformat(timespec="seconds")
    with locked(folder, "plan"):
        state = _renewed(read_state(folder) or state, options)
        same = state.planned_digest == manifest.digest
        return state if same else replace(state, planned_digest=manifest.digest, planned_at=stamp).write()


def _remembered(state: State, made: Plan) -> Plan:
    """The plan, its digest written into the state as it is by now; it says so if a runner does not let it."""
    try:
        with locked(state.folder, "plan"):
            latest = read_state(state.folder)
            if latest is not None and latest.planned_digest == state.planned_digest:
                replace(latest, plan_digest=made.digest).write()
        return made
    except LockHeld as error:
        return replace(made, notes=(*made.notes, f"{error.what}: nothing of this plan was written down"))


def _renewed(state: State, options: Options) -> State:
    """--new-identity is for the whole recovery: half of the accounts with old keys would be no answer to a break-in.

    So is --prove: nobody can store something before a disaster that has been.
    """
    if options.prove and not state.prove:
        if state.started_at is not None or state.rehearsal.is_file():
            raise LaeRecoverError(
                "this drill was begun without --prove",
                where=str(state.folder),
                next_step=f"go on without it, or begin anew with --again; {NOT_STARTED}",
            )
        state = replace(state, prove=True).write()
    if options.new_identity and not state.new_identity:
        if state.started_at is not None:
            raise LaeRecoverError(
                "this recovery was begun without --new-identity",
                where=str(state.folder),
                next_step="go on without it, or `laerecover cleanup` first and name another folder with --state; "
                + NOT_STARTED,
            )
        state = replace(state, new_identity=True).write()
    return state


def _open_accounts(state: State, planned: Plan) -> list[str]:
    """Those of the plan that are not recovered yet."""
    rounds = read_ledger(state.ledger, with_steps=False)
    done = {account for account, latest in rounds.items() if latest.outcome == "recovered"}
    return [a.account_id for a in planned.recover if a.account_id not in done]
