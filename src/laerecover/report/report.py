"""The ledger read back: outcome of each account, measured times, what a human must do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from statistics import median
from typing import Any

from laerecover.credentials import CHANGED
from laerecover.mail.outbox import CONFIRMATION, FAILURE, Mail, mails_in, stopped
from laerecover.manifest import Account, Manifest
from laerecover.planning.plain_words import in_plain_words
from laerecover.planning.plan import BLOCKED, LEFT_OUT, Plan, PlannedAccount, not_planned
from laerecover.report.counts import Counts
from laerecover.report.follow_ups import Commands, follow_ups, settled
from laerecover.report.lost_mails import lost_mails
from laerecover.report.outcomes import AccountOutcome, Proof
from laerecover.runbook.ledger import Round, Span, pauses, read_ledger, written_time
from laerecover.runbook.values import ALL_STEPS, BOUNCE, GUARD_KINDS, WAIT
from laerecover.state.state import State

_OPEN = ("failed", "on its way", "not started")
_GRADE_TO_DO = {
    "IDENTITY_KEPT": "take the new address",
    "NEW_FURL": "take the new furl",
    "NEW_STORAGE_IDENTITY": "take the new furl; old directories are read-only",
}
_NEW_SERVICE = "take the furl of a new service; nothing was there before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is printed, and written as HTML and JSON. Times are ISO 8601, lengths of time are seconds."""

    mode: str
    manifest: str
    manifest_digest: str
    evidence_digest: str
    recovery_id: str
    started_at: str | None
    ended_at: str | None
    written_at: str
    seconds: float | None
    forecast_seconds: float
    step_seconds: Mapping[str, float]
    """Step -> median over the accounts that got through it."""
    pace: float
    seed: int | None
    stopped: str
    """The guard that keeps something from going on."""
    decisions: Mapping[str, Mapping[str, str]]
    not_dialled: Mapping[str, str] | None
    accounts: tuple[AccountOutcome, ...]
    idle_seconds: float = 0.0
    """Of `seconds`: nobody ran the recovery."""
    asked: frozenset[str] = frozenset()
    """Ids of the accounts that --only named; not in `body`."""

    @property
    def seconds_of_work(self) -> float | None:
        """How long it took without the gaps between two runs."""
        return None if self.seconds is None else max(0.0, self.seconds - self.idle_seconds)

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values: what is printed and written for programs."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "asked"}
        return {**own, "accounts": [account.body for account in self.accounts]}

    def number(self, *outcomes: str) -> int:
        """How many accounts had one of these outcomes."""
        return sum(1 for a in self.accounts if a.outcome in outcomes)

    @property
    def closed(self) -> int:
        """How many customers had left before, and are not brought back: some of the blocked."""
        return sum(a.closed and a.outcome == BLOCKED for a in self.accounts)

    @property
    def exit_code(self) -> int:
        """4 (in doubt) before 3 (a guard) before 1 (a failure, or not done yet)."""
        if any(a.in_doubt and a.selected for a in self.accounts):
            return 4
        if self.stopped or any(a.guarded for a in self.accounts):
            return 3
        unsettled = any(a.unplanned or (a.proof and not a.proof.ok) for a in self.accounts)
        return 1 if unsettled or self.number(*_OPEN) else 0


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
    known = mails_in(state.outbox)
    lost = lost_mails(state, rounds, known, {a.account_id: a for a in manifest.accounts}, sender)
    mails: dict[str, list[Mail]] = {}
    for mail in {mail.message_id: mail for mail in (*known, *lost)}.values():
        mails.setdefault(mail.account_id, []).append(mail)
    begun = datetime.fromisoformat(state.started_at) if state.started_at else None
    gone = sorted((rounds.keys() | mails.keys()) - {a.account_id for a in manifest.accounts})
    accounts = (*manifest.accounts, *(Account(account_id=name, verdict="ABANDONED") for name in gone))
    planned = {a.account_id: a for a in (*plan.accounts, *map(not_planned, gone))}
    proofs, gaps, rows = state.proved, pauses(rounds.values(), begun), []
    for account in accounts:
        name = account.account_id
        latest, letters = rounds.get(name), mails.get(name, [])
        row = _outcome(account, planned[name], latest, letters, counts.get(name) or Counts(), begun)
        if row.rto_seconds is not None and latest is not None:
            row = replace(row, idle_seconds=_length(gaps, latest.ended_at))
        if name in proofs or (state.drill.prove and row.outcome == "recovered"):
            row = replace(row, proof=Proof(**proofs.get(name, {"ok": False, "said": "not tried yet"})))
        rows.append(replace(row, follow_ups=follow_ups(row, account, latest, letters, state, commands)))
    ended = max((r.ended_at for r in rounds.values() if r.ended_at is not None), default=None)
    return Report(
        mode=state.mode,
        manifest=commands.manifest,
        manifest_digest=manifest.digest,
        evidence_digest=manifest.evidence_digest,
        recovery_id=state.recovery_id,
        started_at=written_time(begun),
        ended_at=written_time(ended),
        written_at=now.isoformat(timespec="seconds"),
        seconds=_between(begun, ended),
        forecast_seconds=_forecast(plan),
        step_seconds=_medians(rounds.values()),
        pace=state.drill.pace,
        seed=state.drill.seed if state.mode == "drill" else None,
        stopped=_stopped(state, rows, known),
        decisions={key: dict(value) for key, value in state.decisions.accepted.items()},
        not_dialled=dict(state.decisions.not_dialled) if state.decisions.not_dialled else None,
        accounts=tuple(rows),
        idle_seconds=_length(gaps, ended),
    )


def _between(begun: datetime | None, ended: datetime | None) -> float | None:
    return round((ended - begun).total_seconds(), 3) if begun and ended else None


def _length(gaps: Sequence[Span], until: datetime | None) -> float:
    lengths = ((ended - begun).total_seconds() for begun, ended in gaps if until and ended <= until)
    return round(sum(lengths, start=0.0), 3)


def _stopped(state: State, rows: Sequence[AccountOutcome], mails: Sequence[Mail]) -> str:
    """Why a guard keeps something from going on: launches (where nothing is left to be started, nothing was), mails."""
    launches = state.stopped if any(row.outcome in _OPEN for row in rows) else ""
    return "; ".join(dict.fromkeys(filter(None, (launches, stopped(mails)))))


def _forecast(plan: Plan) -> float:
    """What `plan` told before all were recovered: the first of them alone, as long as nobody wanted it otherwise."""
    return replace(plan, first=plan.first or next((each.account_id for each in plan.recover), "")).seconds


def _medians(rounds: Iterable[Round]) -> dict[str, float]:
    spent: dict[str, list[float]] = {}
    for step in (s for r in rounds for s in r.steps if s.ok):
        if step.seconds is not None:
            spent.setdefault(step.step.name, []).append(step.seconds)
    return {each.name: round(median(spent[each.name]), 3) for each in ALL_STEPS if each.name in spent}


def _outcome(
    account: Account,
    planned: PlannedAccount,
    latest: Round | None,
    mails: Sequence[Mail],
    counts: Counts,
    begun: datetime | None,
) -> AccountOutcome:
    done = latest is not None and latest.outcome == "recovered"
    barred = planned.action == BLOCKED and planned.guarded and not done
    told = latest if not barred else None
    outcome = told.outcome if told is not None else planned.action if planned.action != "recover" else "not started"
    failures = told.ended.failures if told is not None and told.ended is not None else ()
    letter = next((m for m in reversed(mails) if m.kind != FAILURE), None)
    bounced = latest.values_of(BOUNCE) if latest is not None and latest.has(BOUNCE) else None
    return AccountOutcome(
        account_id=account.account_id,
        customer=planned.customer,
        outcome=outcome,
        why=planned.why if told is None else "; ".join(f"{f.step.name}: {f.message}" for f in failures),
        guarded=barred or any(f.kind in GUARD_KINDS for f in failures if not settled(f, letter)),
        selected=planned.action != LEFT_OUT,
        in_doubt=any(m.state == "in_doubt" for m in mails),
        grade=account.grade,
        price=planned.price,
        customer_does=_customer_does(account, latest) if outcome == "recovered" else "",
        steps=latest.steps if latest is not None else (),
        rounds=latest.number if latest is not None else 0,
        mail=letter.state if letter is not None else None,
        mail_to=("customer" if letter.kind == CONFIRMATION else "staff") if letter is not None else None,
        message_id=letter.message_id if letter is not None else None,
        credentials=next((each for each in account.decisions if each.startswith(CHANGED)), ""),
        **asdict(counts),
        rto_seconds=_between(begun, latest.ended_at) if done and latest is not None else None,
        bucket=bounced.bucket if bounced is not None else None,
        joined=bounced.joined if bounced is not None else None,
        unplanned=account.verdict != "RECOVERABLE" and (latest is not None or bool(mails)),
        closed=account.verdict == "CLOSED",
        plain="" if outcome == "recovered" else in_plain_words(account, planned.why if told is None else "", failures),
    )


def _customer_does(account: Account, latest: Round | None) -> str:
    if account.finishes_signup:
        return _NEW_SERVICE
    same = latest is not None and latest.has(WAIT) and latest.values_of(WAIT).public_host == account.old_public_host
    if account.grade == "IDENTITY_KEPT" and account.old_public_host and same:
        return "nothing"
    return _GRADE_TO_DO.get(account.grade or "", "")
