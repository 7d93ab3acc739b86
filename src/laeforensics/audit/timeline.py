"""When what happened to an account: its runs, the rows of the csv files, its servers, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import outcome
from laeforensics.companions.csv_rows import Row
from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of

COLUMNS = ("account_id", "time", "what", "detail", "evidence", "line")
Cells = dict[str, Any]


def rows(accounts: Iterable[CaseAccount], roles: Mapping[str, str], sources: Sources) -> Iterator[Cells]:
    """Rows of COLUMNS, account by account, each account's in the order of time (what has none last).

    `what` is `run` (a log, or a secrets file whose log is lost; by the time in its name), `server` (by the launch time
    that was told) or `row` (of a csv file). `time` is UTC in ISO 8601, as it was written, or None.
    """
    known = _rows_by_place(sources)
    for account in accounts:
        told = [cells for signup in account.signups for cells in _of_signup(signup, roles[signup.name], known)]
        unique = {(cells["what"], cells["evidence"], cells["line"]): cells for cells in told}
        for cells in sorted(unique.values(), key=lambda c: (c["time"] is None, c["time"] or "", c["evidence"])):
            yield {"account_id": account.account_id, **cells}


def _rows_by_place(sources: Sources) -> dict[tuple[str, int], Row]:
    indexes = (sources.activations, sources.signups, sources.serverinfo)
    return {(row.evidence, row.line): row for index in indexes for found in index.values() for row in found}


def _of_signup(signup: Signup, role: str, known: Mapping[tuple[str, int], Row]) -> Iterator[Cells]:
    start = start_of(signup.name)
    yield _cells(start[0] if start else None, "run", f"{role}, {outcome(signup, role)}", signup.name, 1)
    servers = {fact.value: fact for fact in reversed(signup.asserted("instance_id"))}
    launched = {fact.value: fact for fact in reversed(signup.asserted("launch_time"))}
    for instance, fact in servers.items():
        when = next(iter(launched)) if len(launched) == len(servers) == 1 else None
        place = launched[when] if when is not None else fact
        yield _cells(when, "server", instance, place.locator.evidence, place.locator.line)
    places = {(f.locator.evidence, f.locator.line) for facts in signup.witnesses.values() for f in facts}
    for row in (known[place] for place in sorted(places & known.keys())):
        yield _cells(row.time, "row", row.outcome or "", row.evidence, row.line)


def _cells(time: str | None, what: str, detail: str, evidence: str, line: int) -> Cells:
    return {"time": time, "what": what, "detail": detail, "evidence": evidence, "line": line}
