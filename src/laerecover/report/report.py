"""The ledger read back: outcome of each account, measured times, what a human must do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from laerecover.credentials import CHANGED
from laerecover.mail.outbox import CONFIRMATION, FAILURE, Mail, Outbox, stopped
from laerecover.manifest import Account, Manifest
from laerecover.planning.plan import BLOCKED, LEFT_OUT, Plan, not_planned
from laerecover.report.counts import Counts
from laerecover.report.follow_ups import Commands, follow_ups, settled
from laerecover.report.lost_mails import lost_mails
from laerecover.runbook.ledger import Round, read_ledger, written_time
from laerecover.runbook.runbook import ALL_STEPS, GUARD_KINDS
from laerecover.state.state import State

_OPEN = ("failed", "on its way", "not started")
_GRADE_TO_DO = {
    "IDENTITY_KEPT": "take the new address",
    "NEW_FURL": "take the new furl",
    "NEW_STORAGE_IDENTITY": "take the new furl; old directories are read-only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is printed, and written as HTML and JSON. `body` holds JSON values only."""

    body: dict[str, Any] = field(default_factory=dict)

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """One row per account."""
        rows: list[dict[str, Any]] = self.body["accounts"]
        return rows

    def number(self, *outcomes: str) -> int:
        """How many accounts had one of these outcomes."""
        return sum(1 for a in self.accounts if a["outcome"] in outcomes)

    @property
    def closed(self) -> int:
        """How many customers had left before, and are not brought back: some of the blocked."""
        return sum("closed" in a and a["outcome"] == BLOCKED for a in self.accounts)

    @property
    def exit_code(self) -> int:
        """4 (in doubt) before 3 (a guard) before 1 (a failure, or not done yet)."""
        if any(a["in_doubt"] and a["selected"] for a in self.accounts):
            return 4
        if self.body["stopped"] or any(a["guarded"] for a in self.accounts):
            return 3
        if any(a["proof"] and not a["proof"]["ok"] for a in self.accounts):
            return 1
        if any(a["unplanned"] for a in self.accounts):
            return 1
        return 1 if self.number(*_OPEN) else 0


def make_report(
    state: State,
    manifest: Manifest,
    plan: Plan,
    counts: Mapping[str, Counts],
    commands: Commands,
    *,
    now: datetime,
    sender: str,
) -> Report:
    """Read ledger and outbox, and put them beside plan and world. `sender`: of the mails."""
    rounds = read_ledger(state.ledger)
    known = Outbox(state.outbox).all()
    lost = lost_mails(state, rounds, known, {a.account_id: a for a in manifest.accounts}, sender)
    mails: dict[str, list[Mail]] = {}
    for mail in (*known, *lost):
        mails.setdefault(mail.account_id, []).append(mail)
    begun = datetime.fromisoformat(state.started_at) if state.started_at else None
    gone = sorted((rounds.keys() | mails.keys()) - {a.account_id for a in manifest.accounts})
    accounts = (*manifest.accounts, *(Account(account_id=name, verdict="ABANDONED") for name in gone))
    planned = {a.account_id: a for a in (*plan.accounts, *map(not_planned, gone))}
    rows = [
        _row(account, planned[account.account_id], rounds.get(account.account_id), mails.get(account.account_id, []))
        | _effects(counts.get(account.account_id), rounds.get(account.account_id), begun)
        for account in accounts
    ]
    proofs = state.proved
    for row, account in zip(rows, accounts, strict=True):
        found = {s["step"]: s["values"] for s in row["steps"]}.get("bounce_server", {})
        row["bucket"], row["joined"] = found.get("bucket"), found.get("joined")
        row["unplanned"] = account.verdict != "RECOVERABLE" and account.account_id in (rounds.keys() | mails.keys())
        untried = (
            {"ok": False, "said": "not tried yet"} if state.drill.prove and row["outcome"] == "recovered" else None
        )
        if account.verdict == "CLOSED":
            row["closed"] = True
        row["proof"] = proofs.get(account.account_id, untried)
        row["follow_ups"] = follow_ups(row, account, mails.get(account.account_id, []), state, commands)
    ended = [r.ended_at for r in rounds.values() if r.ended_at is not None]
    body = {
        "mode": state.mode,
        "manifest": commands.manifest,
        "manifest_digest": manifest.digest,
        "evidence_digest": manifest.evidence_digest,
        "recovery_id": state.recovery_id,
        "started_at": state.started_at and written_time(begun),
        "ended_at": written_time(max(ended)) if ended else None,
        "written_at": now.isoformat(timespec="seconds"),
        "seconds": round((max(ended) - begun).total_seconds(), 3) if ended and begun else None,
        "forecast_seconds": plan.seconds,
        "step_seconds": _medians(rounds.values()),
        "pace": state.drill.pace,
        "seed": state.drill.seed if state.mode == "drill" else None,
        "stopped": _stopped(state, rows, known),
        "decisions": {key: dict(value) for key, value in state.decisions.accepted.items()},
        "not_dialled": dict(state.decisions.not_dialled) if state.decisions.not_dialled else None,
        "accounts": rows,
    }
    return Report(body=body)


def _stopped(state: State, rows: Sequence[Mapping[str, Any]], mails: Sequence[Mail]) -> str:
    """Why a guard keeps something from going on: launches (where nothing is left to be started, nothing was), mails."""
    launches = state.stopped if any(row["outcome"] in _OPEN for row in rows) else ""
    return "; ".join(dict.fromkeys(filter(None, (launches, stopped(mails)))))


def _medians(rounds: Iterable[Round]) -> dict[str, float]:
    """Step -> median of its measured seconds, over the accounts that got through it."""
    spent: dict[str, list[float]] = {}
    for step in (s for r in rounds for s in r.steps if s["ok"] and s["seconds"] is not None):
        spent.setdefault(step["step"], []).append(step["seconds"])
    return {name: round(median(spent[name]), 3) for name in ALL_STEPS if name in spent}


def _row(account: Account, planned: Any, latest: Round | None, mails: Sequence[Mail]) -> dict[str, Any]:
    done = latest is not None and latest.outcome == "recovered"
    barred = planned.action == BLOCKED and planned.guarded and not done
    told = latest if not barred else None
    outcome = told.outcome if told is not None else planned.action if planned.action != "recover" else "not started"
    failures = list(told.output["failures"]) if told is not None and told.output is not None else []
    letter = next((m for m in reversed(mails) if m.kind != FAILURE), None)
    return {
        "account_id": account.account_id,
        "customer": planned.customer,
        "outcome": outcome,
        "why": planned.why if told is None else "; ".join(f"{f['step']}: {f['message']}" for f in failures),
        "guarded": barred or any(f["kind"] in GUARD_KINDS for f in failures if not settled(f, letter)),
        "selected": planned.action != LEFT_OUT,
        "in_doubt": any(m.state == "in_doubt" for m in mails),
        "grade": account.grade,
        "price": planned.price,
        "customer_does": _customer_does(account, latest) if outcome == "recovered" else "",
        "steps": list(latest.steps) if latest is not None else [],
        "rounds": latest.number if latest is not None else 0,
        "mail": letter.state if letter is not None else None,
        "mail_to": ("customer" if letter.kind == CONFIRMATION else "staff") if letter is not None else None,
        "message_id": letter.message_id if letter is not None else None,
        "credentials": next((each for each in account.decisions if each.startswith(CHANGED)), ""),
    }


def _customer_does(account: Account, latest: Round | None) -> str:
    told = {s["step"]: s["values"] for s in latest.steps} if latest is not None else {}
    same = told.get("wait_for_ec2_addresses", {}).get("public_host") == account.old_public_host
    if account.grade == "IDENTITY_KEPT" and account.old_public_host and same:
        return "nothing"
    return _GRADE_TO_DO.get(account.grade or "", "")


def _effects(counts: Counts | None, latest: Round | None, begun: datetime | None) -> dict[str, Any]:
    done = latest is not None and latest.outcome == "recovered" and latest.ended_at is not None
    rto = (latest.ended_at - begun).total_seconds() if done and begun and latest and latest.ended_at else None
    return {
        "instances_launched": counts.instances_launched if counts else 0,
        "mails_sent": counts.mails_sent if counts else 0,
        "serverinfo_rows": counts.serverinfo_rows if counts else 0,
        "rto_seconds": round(rto, 3) if rto is not None else None,
    }
