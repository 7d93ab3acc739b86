"""What happened to one account, in the order of time: its runs, its rows, its servers, what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import outcome
from laeforensics.accounts.roles import ATTEMPT, DUPLICATE, ORIGIN, RE_RECORD, REPLACEMENT
from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of
from laeforensics.facts.masking import command, excerpt, plain
from laeforensics.parsing.stages import furthest
from laeforensics.present.words import words

COLUMNS = ("account_id", "time", "what", "detail", "place")
_MOST_OTHERS = 20
"""So many runs of a customer's other accounts are told: of thousands under one address each would tell all."""
_BEGAN = {
    ORIGIN: "signup began",
    ATTEMPT: "attempt began",
    REPLACEMENT: "replacement began",
    RE_RECORD: "secrets re-recorded",
    DUPLICATE: "copy of a run",
}


def rows(judgement: Judgement) -> Iterator[dict[str, Any]]:
    """Rows of COLUMNS, account by account; each account's as `timeline` tells them."""
    for account in judgement.accounts:
        yield from ({"account_id": account.account_id, **row} for row in timeline(judgement, account))


def timeline(judgement: Judgement, account: CaseAccount) -> list[Mapping[str, Any]]:
    """One row (of COLUMNS, without the account) for each thing that happened.

    `time` is UTC in ISO 8601, None where nothing tells it; `place` is a file, with its line where it is a line's.
    No secret is in it, and no control character.
    """
    rows = [row for told in (_runs, _rows, _servers, _decided) for row in told(judgement, account)]
    unique = {tuple(row.values()): row for row in rows}
    return sorted(unique.values(), key=_order)


def customers_timeline(judgement: Judgement, account: CaseAccount) -> list[Mapping[str, Any]]:
    """The same, with the runs of the customer's other attempts and accounts: those under the same e-mail."""
    return sorted([*timeline(judgement, account), *_others(judgement, account)], key=_order)


def _order(row: Mapping[str, Any]) -> tuple[bool, str, str]:
    return row["time"] is None, row["time"] or "", row["place"]


def _others(judgement: Judgement, account: CaseAccount) -> Iterator[Mapping[str, Any]]:
    email = account.values.get("customer_email", "")
    same = judgement.by_customer.get(email.lower(), ())
    found = [(other, s) for other in same if other is not account for s in other.signups]
    for other, signup in found[:_MOST_OTHERS]:
        start = start_of(signup.name)
        what = "other attempt" if other.is_attempt else "other account"
        detail = f"{other.account_id}  {rules.verdict(other).name}  {_ran(judgement, signup)}"
        yield _row(start[0] if start else None, what, detail, signup.name)
    if len(found) > _MOST_OTHERS:
        more = f"{len(found) - _MOST_OTHERS} more runs under this address"
        yield _row(
            None, "and", f"{more}: laeforensics list EVIDENCE --where {command([f'customer_email={email}'])}", ""
        )


def _row(time: str | None, what: str, detail: str, place: str) -> dict[str, Any]:
    return {"time": time, "what": what, "detail": plain(detail), "place": plain(place)}


def _runs(judgement: Judgement, account: CaseAccount) -> Iterator[Mapping[str, Any]]:
    for signup in account.signups:
        start = start_of(signup.name)
        began = _BEGAN[judgement.roles[signup.name]]
        yield _row(start[0] if start else None, began, _ran(judgement, signup), signup.name)


def _ran(judgement: Judgement, signup: Signup) -> str:
    """How a run ended, how far it came, why it failed."""
    if signup.log is None:
        return "its log is lost; its secrets file tells"
    stage = furthest(signup.stages)
    came = f"came to {words(stage)}" if stage else "no stage is told"
    why = f": {excerpt(signup.failure)}" if signup.failure else ""
    return f"{outcome(signup, judgement.roles[signup.name])}, {came}{why}"


def _rows(judgement: Judgement, account: CaseAccount) -> Iterator[Mapping[str, Any]]:
    for signup in account.signups:
        told = {(f.locator.evidence, f.locator.line) for some in signup.witnesses.values() for f in some}
        key = signup.values.get("activation_key") or ""
        for row in judgement.reading.sources.activations.get(key, ()):
            if (row.evidence, row.line) in told:
                yield _row(row.time, "request sent", row.value("customer_email") or "", f"{row.evidence}:{row.line}")
        for row in filter(None, (signup.success_row, signup.failure_row)):
            yield _row(row.time, "run recorded", row.outcome or "", f"{row.evidence}:{row.line}")
        for row in signup.serverinfo_rows:
            what = " at ".join(filter(None, (row.value("instance_id"), row.value("public_host"))))
            yield _row(row.time, "server recorded", what, f"{row.evidence}:{row.line}")


def _servers(judgement: Judgement, account: CaseAccount) -> Iterator[Mapping[str, Any]]:
    for signup in account.signups:
        launched = signup.values.get("launch_time")
        if launched is not None:
            what = " at ".join(filter(None, (signup.values.get("instance_id"), signup.values.get("public_host"))))
            yield _row(launched, "server launched", what, _first_place(signup, "launch_time"))
    if account.server_source is not None:
        yield _row(None, "server now", f"{words(account.server)}, says the {account.server_source}", "")


def _first_place(signup: Signup, name: str) -> str:
    fact = next(iter(signup.asserted(name)), None)
    return f"{fact.locator.evidence}:{fact.locator.line}" if fact is not None else signup.name


def _decided(judgement: Judgement, account: CaseAccount) -> Iterator[Mapping[str, Any]]:
    """Everything that was decided of it, what was withdrawn since, too."""
    names = {account.account_id, *(fact.value for fact in account.decided.get("bucket_name", ()))}
    for decision in (each for name in sorted(names) for each in judgement.decisions.get(name, ())):
        what = "decided" if decision.place else "decision withdrawn"
        yield _row(decision.at, what, f"{decision.field}, by {decision.who}: {decision.because}", decision.place)
