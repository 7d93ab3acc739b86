"""How far a recovery is, in numbers, while a runner may be at work."""

from __future__ import annotations

from typing import Any

from laerecover.mail.outbox import mails_in, stopped
from laerecover.options import Options, find_state
from laerecover.report.lost_mails import lost_mails
from laerecover.runbook.ledger import read_ledger
from laerecover.state.lock import holder


def status(options: Options) -> dict[str, Any]:
    """The state in numbers, read beside a working runner without disturbing it, out of a copy or a folder that cannot
    be written as well.
    """
    state = find_state(options)
    rounds = read_ledger(state.ledger)
    mails: dict[str, int] = {}
    known = mails_in(state.outbox)
    lost = lost_mails(state, rounds, known, None, "")
    for mail in (*known, *lost):
        mails[mail.state] = mails.get(mail.state, 0) + 1
    return {
        "mode": state.mode,
        "state": str(state.folder),
        "planned_digest": state.planned.digest,
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
