"""What a human decided about a contested field, or that a signup should be finished: kept in the case folder.

A decision about a field is applied while its witness still stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.nodes import NODE_KEYS, follow_decision
from laeforensics.errors import DecisionError
from laeforensics.evidence.read import lines_beside
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laerecover.manifest import FINISH, Secret

FILE = "decisions.jsonl"
SET_ASIDE = "set_aside"
"""By it a line is known as one about a file that was set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: of which account's field which witness is right, who says so, why, and when (UTC, ISO).

    The witness is named by its place and by the fingerprint of its value: a decision holds no secret, and does not
    outlive a change of the evidence. Without a place it withdraws the one before.
    """

    account_id: str
    field: str
    place: str
    fingerprint: str
    who: str
    because: str
    at: str
    among: tuple[str, ...] = ()
    """The fingerprints of everything that the witnesses said: a voice that comes later reopens the question."""

    def __str__(self) -> str:
        what = f"{self.place} is right" if self.place else "withdrawn, contested again"
        if self.field == FINISH:
            what = "the signup should be finished" if self.place else "withdrawn, the signup stays unfinished"
        return f"{self.field}: {what}, says {self.who} on {self.at[:10]}: {self.because}"


def witnesses(account: CaseAccount, field: str) -> list[Fact]:
    """The witnesses that a human may choose from, numbered from 1 in this order: those of the best standing present."""
    facts, hearing = account.witnesses.get(field, []), account.hearing
    best = min(map(hearing.standing, facts), default=0)
    return [f for f in facts if hearing.standing(f) == best]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a human chose.

    The `witness` of that number is right in a contested `field` (0 withdraws), says `who`, `because`; of FINISH any
    number says that the signup should be finished.
    """

    field: str
    witness: int
    who: str
    because: str


def decide(account: CaseAccount, choice: Choice, *, now: datetime, folder: Path) -> Decision:
    """Record a choice in the case folder, which is made if it is not there; one that stands there last is not repeated.

    Raises DecisionError: the field is not contested, there is no such witness, or no reason is given. OSError.
    """
    decision = _decision(account, choice, now)
    if decision.place and decision.field in account.decided:
        same = [d for d in load(folder) if (d.account_id, d.field) == (decision.account_id, decision.field)]
        if same and replace(same[-1], at=decision.at) == decision:
            return same[-1]
    record(folder, [asdict(decision)])
    return decision


def record(folder: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write lines of decisions behind those of the case folder, which is made if it is not there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)


def _decision(account: CaseAccount, choice: Choice, now: datetime) -> Decision:
    field, number = choice.field, choice.witness
    where = f"{account.account_id} {field}"
    if field == FINISH:
        return _to_finish(account, choice, now)
    if field not in account.contested and field not in account.decided:
        raise DecisionError("this field is not contested", where=where, next_step=_to_decide(account))
    if account.is_attempt and number:
        why = "which account they belong to is told by a bucket alone; look for other copies of its files"
        raise DecisionError("nothing waits for a decision about an attempt", where=where, next_step=why)
    heard = account.decided.get(field) or witnesses(account, field)
    withdrawn = number == 0 and field in account.decided
    if not withdrawn and not 1 <= number <= len(heard):
        step = f"choose one of 1 to {len(heard)}"
        step = step if number else f"nothing is decided about it, so nothing can be taken back; {step}"
        raise DecisionError(f"there is no witness {number}", where=where, next_step=step)
    need_reason(choice.who, choice.because, where)
    chosen = None if withdrawn else heard[number - 1]
    return Decision(
        account_id=account.account_id,
        field=field,
        place=str(chosen.locator) if chosen else "",
        fingerprint=Secret(chosen.value).fingerprint if chosen else "",
        who=choice.who,
        because=choice.because,
        at=now.isoformat(timespec="seconds"),
        among=_said(heard),
    )


def _to_decide(account: CaseAccount) -> str:
    """What can be decided about an account, or decided anew."""
    kinds = {"contested": account.contested, "decided": account.decided}
    told = "; ".join(f"{kind} here: {', '.join(sorted(names))}" for kind, names in kinds.items() if names)
    return told or "nothing is to be decided about it; `laeforensics list EVIDENCE --verdict CONTESTED` tells where"


def need_reason(who: str, because: str, where: str) -> None:
    """Raises DecisionError: it is not told who decides, or why."""
    if not because.strip() or not who.strip():
        raise DecisionError("a decision needs a name and a reason", where=where, next_step="give --who and --because")


def _to_finish(account: CaseAccount, choice: Choice, now: datetime) -> Decision:
    """That an account's signup should be finished, which no witness tells: its place is the run that came to no end."""
    where, is_asked = account.account_id, account.ready is False and not account.is_attempt
    if choice.witness == 0 and FINISH not in account.decided:
        step = "nothing can be taken back"
        raise DecisionError("nothing is decided about finishing this signup", where=where, next_step=step)
    if not is_asked:
        what = "an attempt has no bucket to go on with" if account.is_attempt else "this signup was finished"
        step = "nothing is to be decided; `laeforensics list EVIDENCE --verdict UNFINISHED` tells whom to ask"
        raise DecisionError(what, where=where, next_step=step)
    need_reason(choice.who, choice.because, where)
    run = account.origin or next(iter(account.signups))
    return Decision(
        account_id=account.account_id,
        field=FINISH,
        place=run.name if choice.witness else "",
        fingerprint="",
        who=choice.who,
        because=choice.because,
        at=now.isoformat(timespec="seconds"),
    )


def _said(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(sorted({Secret(f.value).fingerprint for f in facts}))


def load(folder: Path) -> list[Decision]:
    """The decisions of a case folder about fields, in their order; none if there is no file.

    Raises DecisionError: a line is damaged.
    """

    def decision(told: dict[str, Any]) -> Decision | None:
        return None if SET_ASIDE in told else Decision(**{**told, "among": tuple(told.get("among", ()))})

    return list(lines_beside(folder / FILE, decision, refused(folder)))


def refused(folder: Path) -> Callable[[int], DecisionError]:
    """What is said of a line, by its number, that is no decision."""
    return lambda number: DecisionError(
        f"line {number} is no decision", where=str(folder / FILE), next_step="mend or remove that line"
    )


def apply(accounts: Iterable[CaseAccount], decisions: Iterable[Decision]) -> None:
    """Settle contested fields by the last decision about each, in place; so is it settled whether signups go on.

    A decision whose witness is gone is a finding.
    """
    latest = list(decisions)[::-1]
    for account in accounts:
        ids = {account.account_id}
        if "bucket_name" in account.contested:  # the account bears the decided name from then on
            ids |= {f.value for f in account.witnesses["bucket_name"]}
        last = {d.field: d for d in reversed(latest) if d.account_id in ids}
        if account.ready is False and FINISH in last and last[FINISH].place:
            account.decided[FINISH] = []
            account.decisions += (str(last[FINISH]),)
            account.findings = [found for found in account.findings if found.code != "never-ready"]
        for field in sorted(account.contested):
            if field in last and last[field].place:
                _apply(account, field, last[field])
        for field in sorted(account.contested & account.decided.keys()):  # what follows a node key is asked anew
            del account.decided[field]
            account.decisions = tuple(told for told in account.decisions if told != str(last[field]))
            _apply(account, field, last[field])


def _apply(account: CaseAccount, field: str, decision: Decision) -> None:
    choice = witnesses(account, field)
    heard = not decision.among or set(_said(choice)) <= set(decision.among)
    same = [f for f in choice if Secret(f.value).fingerprint == decision.fingerprint] if heard else []
    there = [f for f in same if str(f.locator) == decision.place]
    # An earlier version may have told other bytes of the same line.
    there = there or [f for f in same if decision.place.startswith(f"{f.locator.evidence}:{f.locator.line} [")]
    for fact in there:
        account.decided[field] = choice
        account.values[field] = fact.value
        account.witnesses[field] = [f for f in account.witnesses[field] if f.value == fact.value]
        account.contested.discard(field)
        account.decisions += (str(decision),)
        if field == "bucket_name":
            account.account_id = fact.value
        if field in NODE_KEYS:
            follow_decision(account, field)
        return
    account.findings.append(
        finding(
            "stale-decision",
            f"a decision about {field} names a witness that does not stand there any more"
            if heard
            else f"since the decision about {field} another witness has come, who says something else",
            signup=account.account_id,
            field=field,
        )
    )
