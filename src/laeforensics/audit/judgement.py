"""Judgement: what was read of a case, joined into accounts, each with what a human should know of it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.assembly import accounts
from laeforensics.accounts.roles import roles
from laeforensics.accounts.servers import state_of_servers
from laeforensics.audit import aside, decisions, gaps, questions, unheard
from laeforensics.audit.aside import SetAside
from laeforensics.audit.closed import ClosedList, close
from laeforensics.audit.decisions import Choice, Decision
from laeforensics.audit.gaps import Kind
from laeforensics.audit.mends import Mend, most_useful_first, of_lost_accounts, of_missing_kinds, shopping_list
from laeforensics.companions.inventory import Inventory
from laeforensics.doubting.signups import Signup
from laeforensics.facts.findings import SEVERITIES, Finding
from laeforensics.joining import lost
from laeforensics.joining.join import join, settle
from laeforensics.reading.unread import Unread
from laeforensics.reading.whole import Reading

_NOT_READ = ("unreadable-file", "unread-evidence", "unread-file", "set-aside")


class Judgement:
    """The evidence of one case, joined at once, judged when first asked.

    `root` is what was read, for people; `folder` the case folder, whose decisions are applied. `joined` has one Signup
    for each log, `lost` one for each secrets file whose log is lost; `roles` says by name what each is to its account.
    """

    def __init__(
        self,
        root: Path,
        reading: Reading,
        *,
        folder: Path,
        inventory: Inventory | None = None,
        closed: ClosedList | None = None,
    ) -> None:
        self.root = root
        self.folder = folder
        self.reading = reading
        self._inventory = inventory
        self._closed = closed
        self._closed_findings: list[Finding] = []
        self._harmless: set[str] = set()
        self._no_logs = [lost.no_log_finding(log) for log in reading.logs if lost.is_no_log(log)]
        self.joined: list[Signup] = join([log for log in reading.logs if not lost.is_no_log(log)], reading.sources)
        self.lost: list[Signup] = lost.logs_lost(self.joined, reading.sources)
        settle(self.signups, reading.sources)
        self.roles = roles(self.signups)

    @property
    def signups(self) -> tuple[Signup, ...]:
        """All signups: those with a log, then those whose log is lost."""
        return (*self.joined, *self.lost)

    @cached_property
    def accounts(self) -> list[CaseAccount]:
        """Every account and attempt, sorted by id. Raises DecisionError: the case folder's decisions cannot be read."""
        found = accounts(self.signups, self.roles, self.reading.sources.secrets.values())
        decisions.apply(found, decisions.load(self.folder))
        self._harmless = unheard.block(found, self.unread)
        if self._closed is not None:
            self._closed_findings = close(found, self._closed)
        if self._inventory is not None:
            for account in found:
                account.server = state_of_servers(account, self._inventory)
                account.server_source = self._inventory.source
        return found

    @cached_property
    def by_customer(self) -> dict[str, list[CaseAccount]]:
        """The accounts and attempts of each customer, by e-mail in small letters."""
        found: dict[str, list[CaseAccount]] = {}
        for account in self.accounts:
            if email := account.values.get("customer_email"):
                found.setdefault(email.lower(), []).append(account)
        return found

    @cached_property
    def decisions(self) -> dict[str, list[Decision]]:
        """All that was decided about fields of each account, by the id that it had then, be it withdrawn or not."""
        found: dict[str, list[Decision]] = {}
        for decision in decisions.load(self.folder):
            found.setdefault(decision.account_id, []).append(decision)
        return found

    @property
    def unread(self) -> list[Unread]:
        """What may be evidence, was not read, and was not set aside."""
        return self._unread_and_aside[0]

    @cached_property
    def _unread_and_aside(self) -> tuple[list[Unread], list[tuple[Unread, SetAside]]]:
        return aside.covered(self.reading.unread, aside.load(self.folder))

    @property
    def findings(self) -> list[Finding]:
        """The findings of reading, joining and auditing, most severe first."""
        heard = {id(s) for a in self.accounts for s in a.signups}
        others = (f for s in self.signups if id(s) not in heard for f in s.findings)
        no_logs = {f.signup for f in self._no_logs}
        sources = self.reading.sources
        read = [*(f for f in self.reading.findings if f.signup not in no_logs), *self._no_logs]
        found = [
            *unheard.findings(self.accounts, read, *self._unread_and_aside, harmless=self._harmless),
            *sources.findings,
            *(f for a in self.accounts for f in questions.findings_of(a)),
            *(questions.unsettled(f) if f.blocks else f for f in others),
            *self._closed_findings,
            *gaps.lost_accounts(self.accounts, sources),
            *(named := [*gaps.without_account(self.accounts, self.reading, harmless=self._harmless)]),
            *gaps.unknown_ends(self.accounts, named),
            *gaps.missing_evidence(self.missing_kinds),
        ]
        return sorted(
            found, key=lambda f: (SEVERITIES.index(f.severity), f.code, f.signup or "", f.field or "", f.message)
        )

    @property
    def not_read(self) -> list[tuple[str, str, str]]:
        """The files that are counted, and of which nothing was read: name, why, remedy; those that count most first."""
        counted = {file.name for file, _ in self.reading.files}
        found = sorted((f for f in self.findings if f.code in _NOT_READ), key=lambda f: _NOT_READ.index(f.code))
        waiting = [(f.signup, f.message, f.remedy) for f in found if f.signup is not None and f.signup in counted]
        return [*waiting, *((name, str(why), why.remedy) for name, why in self.reading.passed_over)]

    @property
    def missing_kinds(self) -> list[Kind]:
        """The kinds of evidence of which there is no file at all."""
        return gaps.missing_kinds(self.reading, self.accounts)

    @property
    def mends(self) -> list[Mend]:
        """What evidence would help, most useful first."""
        without_evidence = gaps.lost_accounts(self.accounts, self.reading.sources)
        lost_accounts, missing = of_lost_accounts(without_evidence), of_missing_kinds(self.missing_kinds, self.accounts)
        return most_useful_first([*lost_accounts, *missing, *shopping_list(self.accounts)])

    def set_aside(
        self, file: str, *, who: str, because: str, now: datetime | None = None, is_undone: bool = False
    ) -> list[SetAside]:
        """Record that an unread file is set aside, or is no longer; accounts are then judged anew.

        Raises DecisionError, OSError.
        """
        unread, decided = self._unread_and_aside
        known = [decision for _, decision in decided] if is_undone else map(SetAside.of, unread)
        now = now or datetime.now(UTC)
        found = aside.decide(file, known, who=who, because=because, now=now, folder=self.folder, is_undone=is_undone)
        self._judge_anew()
        return found

    def decide(self, account: CaseAccount, choice: Choice, *, now: datetime | None = None) -> Decision:
        """Record a decision in the case folder; the accounts are then judged anew. Raises DecisionError, OSError."""
        decision = decisions.decide(account, choice, now=now or datetime.now(UTC), folder=self.folder)
        self._judge_anew()
        return decision

    def _judge_anew(self) -> None:
        for name in ("accounts", "by_customer", "decisions", "_unread_and_aside"):
            self.__dict__.pop(name, None)
