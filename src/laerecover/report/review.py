"""Looking without starting anything: `status`, `report`."""

from __future__ import annotations

from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import Outbox, stopped
from laerecover.manifest import Manifest
from laerecover.options import TAKES, Options, now
from laerecover.planning.plan import Plan, make_plan
from laerecover.report.lost_mails import lost_mails
from laerecover.report.report import Report, make_report, write_report
from laerecover.runbook.ledger import read_ledger
from laerecover.settings import Settings
from laerecover.state.lock import holder
from laerecover.state.state import State, read_state
from laerecover.worlds import count_effects


def find_state(options: Options) -> State:
    """The state that `status`, `report`, `notify`, `resolve` look at: --state, the run's, else the drill's."""
    folders = [options.state] if options.state else [options.folder("run"), options.folder("drill")]
    for folder in folders:
        state = read_state(folder)
        if state is not None and (state.started_at is not None or options.state):
            return state
    raise LaeRecoverError(
        "nothing was started yet",
        where=", ".join(str(folder) for folder in folders),
        next_step=f"begin with `laerecover drill {options.quoted}{options.repeat('drill')}`",
    )


def report(options: Options) -> tuple[State, Report]:
    """The report of the state as it is now; starts nothing, asks the ledger only."""
    state = find_state(options)
    manifest, settings = state.seen(options.read()), options.settings_for(state.mode, state.folder)
    planned = make_plan(
        manifest,
        settings,
        mode=state.mode,
        selected=options.selection.of(manifest),
        concurrency=options.concurrency,
        accepted=state.accepted_of(manifest),
        inventory=state.inventory,
    )
    return state, written_report(options, state, manifest, planned, settings)


def written_report(options: Options, state: State, manifest: Manifest, planned: Plan, settings: Settings) -> Report:
    """The report, put into the state folder."""
    counts = count_effects(state, settings)
    made = make_report(
        state,
        manifest,
        planned,
        counts,
        name=str(options.manifest),
        repeated={command: options.repeat(command) for command in TAKES},
        sender=settings.sender,
        now=now(),
    )
    write_report(state, made)
    return made


def status(options: Options) -> dict[str, Any]:
    """The state in numbers, read beside a working runner without disturbing it."""
    state = find_state(options)
    rounds = read_ledger(state.ledger)
    mails: dict[str, int] = {}
    known = Outbox(state.outbox).all()
    lost = lost_mails(state, rounds, known, None, "")
    for mail in (*known, *lost):
        mails[mail.state] = mails.get(mail.state, 0) + 1
    return {
        "mode": state.mode,
        "state": str(state.folder),
        "planned_digest": state.planned_digest,
        "started_at": state.started_at,
        "stopped": "; ".join(filter(None, (state.stopped, stopped(known)))),
        "runner": holder(state.folder),
        "accounts": {
            account: {
                "outcome": latest.outcome,
                "round": latest.number,
                "steps": [s["step"] for s in latest.steps if s["ok"]],
            }
            for account, latest in sorted(rounds.items())
        },
        "mails": mails,
        "lost_mails": len(lost),
    }
