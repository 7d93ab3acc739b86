"""The list of closed accounts: customers who left must not be brought back."""

from __future__ import annotations

import csv
import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from laeforensics.accounts.account import CaseAccount, keys_of
from laeforensics.errors import ClosedListError
from laeforensics.evidence.names import start_of
from laeforensics.facts.findings import Finding, finding

_NEXT = "write one line for each: account or e-mail, date (YYYY-MM-DD), reason"
_CELLS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """One line of the list: an account's id, seed, log or e-mail; when it was closed (ISO), why."""

    key: str
    on: str
    because: str
    line: int

    def __str__(self) -> str:
        return f"{self.on}: {self.because}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedList:
    """The whole list, with the name of its file."""

    source: str
    entries: tuple[Closed, ...]


def read_closed(data: bytes, source: str) -> ClosedList:
    """Read the list: csv, `account or e-mail, date, reason`; empty lines and those that begin with # are skipped.

    Raises ClosedListError: a line is none. What is half understood might bring a customer back.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ClosedListError("the list is no UTF-8 text", where=source, next_step=_NEXT) from None
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
            except (csv.Error, StopIteration):
                cells = []
            if len(cells) < _CELLS or not all(cells[:_CELLS]) or not _is_day(cells[1]):
                raise ClosedListError(f"line {number} is no closed account", where=source, next_step=_NEXT)
            found.append(Closed(key=cells[0], on=cells[1], because=", ".join(cells[2:]), line=number))
    return ClosedList(source=source, entries=tuple(found))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2014-01-31")


def close(accounts: Sequence[CaseAccount], listed: ClosedList) -> list[Finding]:
    """Mark the accounts that the list names, in place; a blocking finding for each line that names none of them.

    An e-mail closes every account of which some believable witness tells it, but for those that its customer signed up
    for after that day: a finding tells which.
    """
    bearers: dict[str, list[CaseAccount]] = defaultdict(list)
    for account in accounts:
        for name in {key.lower() for key in (*keys_of(account), *_addresses(account))}:
            bearers[name].append(account)
    unknown, again = list[Finding](), list[tuple[Closed, list[CaseAccount]]]()
    for entry in listed.entries:
        named = bearers.get(entry.key.lower(), [])
        later = [account for account in named if "@" in entry.key and _began(account) > entry.on]
        for account in named:
            if not later or _began(account) <= entry.on:
                account.closed = str(entry)
        again.append((entry, later))
        if not named:
            unknown.append(_unknown(entry, listed, bearers))
    open_yet = [(entry, [account for account in later if account.closed is None]) for entry, later in again]
    return [*unknown, *(_came_back(entry, listed, later) for entry, later in open_yet if later)]


def _began(account: CaseAccount) -> str:
    """The day on which its first run began; "" where no name tells it."""
    return min((start[0][:10] for s in account.signups if (start := start_of(s.name))), default="")


def _came_back(entry: Closed, listed: ClosedList, later: Iterable[CaseAccount]) -> Finding:
    names = ", ".join(account.account_id for account in later)
    what = f"line {entry.line} of the list of closed accounts names an address whose customer signed up again later"
    return finding("closed-came-back", f"{what}: {names}", signup=listed.source)


def _addresses(account: CaseAccount) -> set[str]:
    return {fact.value for signup in account.signups for fact in signup.asserted("customer_email")}


def _unknown(entry: Closed, listed: ClosedList, names: Iterable[str]) -> Finding:
    near = difflib.get_close_matches(entry.key.lower(), list(names), n=3, cutoff=0.75)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    what = f"line {entry.line} of the list of closed accounts names nobody here{hint}"
    return finding("closed-unknown", what, signup=listed.source)
