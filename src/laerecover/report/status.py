"""How far a recovery is, in numbers, while a runner may be at work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from laerecover.mail.outbox import mails_in, stopped
from laerecover.options import Options, find_state
from laerecover.report.lost_mails import lost_mails
from laerecover.runbook.ledger import Round, read_ledger
from laerecover.state.lock import holder
from laerecover.state.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state, the latest round of each account that was begun, who is at work, the mails by their state."""

    state: State
    stopped: str
    runner: str | None
    rounds: Mapping[str, Round]
    mails: Mapping[str, int]
    lost_mails: int

    def number(self, *outcomes: str) -> int:
        """How many accounts had one of these outcomes."""
        return sum(1 for latest in self.rounds.values() if latest.outcome in outcomes)

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values."""
        state = self.state
        return {
            "mode": state.mode,
            "state": str(state.folder),
            "planned_digest": state.planned.digest,
            "started_at": state.started_at,
            "stopped": self.stopped,
            "runner": self.runner,
            "accounts": {
                name: {"outcome": latest.outcome, "round": latest.number, "steps": [s.name for s in latest.went_well]}
                for name, latest in self.rounds.items()
            },
            "mails": dict(self.mails),
            "lost_mails": self.lost_mails,
            "to_recover": state.planned.recover,
            "customers": state.planned.customers,
        }

    @property
    def waiting(self) -> int:
        """How many are to be recovered that were not begun; 0 where nobody has said how many there are."""
        return max(0, (self.state.planned.recover or 0) - len(self.rounds))


def status(options: Options) -> Status:
    """The state in numbers, read beside a working runner without disturbing it, out of a copy or a folder that cannot
    be written as well.
    """
    state = find_state(options)
    rounds, known = read_ledger(state.ledger), mails_in(state.outbox)
    lost = lost_mails(state, rounds, known, None, "")
    return Status(
        state=state,
        stopped="; ".join(filter(None, (state.stopped, stopped(known)))),
        runner=holder(state.folder),
        rounds=dict(sorted(rounds.items())),
        mails=Counter(mail.state for mail in {mail.message_id: mail for mail in (*known, *lost)}.values()),
        lost_mails=len(lost),
    )
