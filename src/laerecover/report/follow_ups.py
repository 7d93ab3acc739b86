"""What a recovery leaves for a human: a sentence each, with the command that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from laerecover.mail.dialling import NOT_REACHED
from laerecover.mail.outbox import FAILURE, STAFF_NOTE, Mail, current
from laerecover.manifest import Account
from laerecover.planning.plan import BLOCKED, can_accept
from laerecover.report.outcomes import AccountOutcome, FollowUp
from laerecover.runbook.ledger import Round
from laerecover.runbook.values import APPEND, MONITOR, Effect
from laerecover.state.state import State
from laerecover.text import clean, shell_word, short_name

IN_DOUBT = "ask whether the mail arrived; if it did not, say --resend"
_REFUSED_US = "a mail was refused and is held: mend what the server has against us, and send"
_SILENT = "nobody was told, for the server was not reached from here: mend that; then it is dialled again"
_OTHER_KEYS = ("other_keys", "identity_differs")
"""The kinds of failure by which bounce_server says that a key on the host is not the one that this state has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """How further commands are typed: the manifest as the user called it; command -> the options to give it again."""

    manifest: str
    repeated: Mapping[str, str]
    """Each option with a space before it."""
    unselected: Mapping[str, str]
    """The same for an account that was left out: without what selects, for that would leave it out again."""


def follow_ups(
    row: AccountOutcome, account: Account, latest: Round | None, mails: Sequence[Mail], state: State, commands: Commands
) -> tuple[FollowUp, ...]:
    """What is left for a human, each once: mails in doubt first, for until they are settled nobody may send them."""
    commands = commands if row.selected else replace(commands, repeated=commands.unselected)
    by = _CommandsOf(account=account, state=state, commands=commands)
    found = [*_of_outcome(row, by), *_of_mails(row, mails, by), *_untagged(by), *_of_steps(latest, account)]
    cleaned = (replace(each, about=clean(each.about) if each.about else "") for each in found)
    return tuple(sorted(dict.fromkeys(cleaned), key=lambda each: each.do != IN_DOUBT))


@dataclass(frozen=True, slots=True, kw_only=True)
class _CommandsOf:
    """Commands about one account, as they are to be typed."""

    account: Account
    state: State
    commands: Commands

    @property
    def manifest(self) -> str:
        return shell_word(self.commands.manifest)

    @property
    def account_id(self) -> str:
        return shell_word(self.account.account_id)

    def again(self, command: str, more: str = "") -> str:
        """The recovery's own command once more; it looks for the state where it was."""
        place = "" if self._usual else self._place
        return f"laerecover {command} {self.manifest}{more}{place}{self.commands.repeated.get(self.state.mode, '')}"

    def other(self, command: str, more: str = "") -> str:
        """Another one, which looks for a run's state."""
        place = self._place if not self._usual or self.state.mode == "drill" else ""
        return f"laerecover {command} {self.manifest}{more}{place}{self.commands.repeated.get(command, '')}"

    def settle(self, how: str) -> str:
        """What became of its mail is said so."""
        return self.other("resolve", f" {self.account_id} mail {how}")

    @property
    def _usual(self) -> bool:
        return self.state.folder == Path(
            f"{self.commands.manifest}.{'drill' if self.state.mode == 'drill' else 'state'}"
        )

    @property
    def _place(self) -> str:
        return f" --state {shell_word(str(self.state.folder))}"


def _untagged(by: _CommandsOf) -> Iterator[FollowUp]:
    if told := by.state.untagged.get(by.account.account_id):
        do = "run again, so that its instance gets the tag lae-recovered: a cleanup from elsewhere may end it without"
        yield FollowUp(do, f"{told['instance_id']}: {told['why']}", by.again(by.state.mode))


def _of_outcome(row: AccountOutcome, by: _CommandsOf) -> Iterator[FollowUp]:
    if row.unplanned:
        do = "begun, but the manifest no longer recovers it: mend the manifest and plan again, or see to its server "
        yield FollowUp(f"{do}and its mail", f"{row.account_id}: {row.outcome}, mail {row.mail or 'none'}")
    elif row.outcome == "failed" and any(step.kind in _OTHER_KEYS for step in row.steps):
        do = "another recovery put its keys there: go on with the state folder, or the evidence, that has them"
        yield FollowUp(do, row.why)
    elif row.outcome == "failed":
        yield FollowUp("mend it and run again", row.why, by.again(by.state.mode))
    elif row.proof and not row.proof.ok:
        do = "not proved; look into it on the rig, which runs on, or try again"
        yield FollowUp(do, row.proof.said, by.again("drill"))
    elif row.outcome == BLOCKED and not row.closed:
        accepts = can_accept(row.guarded, row.why)
        yield FollowUp("blocked", row.why, by.again("run", f" --accept {by.account_id} --because …") if accepts else "")
    if row.joined and row.joined["left_out"]:
        do = "shares could not be joined, and are left out: their files can only be uploaded again, as the mail says"
        yield FollowUp(do, f"{row.joined['left_out']:,}: {', '.join(row.joined['left_out_shares'])}")


def _of_mails(row: AccountOutcome, mails: Sequence[Mail], by: _CommandsOf) -> Iterator[FollowUp]:
    silent = any(step.kind == NOT_REACHED for step in row.steps)
    for mail in mails:
        if mail.state == "held" and (mail.kind != FAILURE or mail.guarded) and not row.unplanned:
            do = _REFUSED_US if mail.guarded else _SILENT if silent else "a mail is held: look and send"
            yield FollowUp(do, mail.answer, by.other("notify"))
        elif mail.state == "in_doubt":
            yield FollowUp(IN_DOUBT, mail.answer, by.settle("--sent"))
        elif mail.state == "refused" and mail.message_id in current(mails):
            do = "the staff were not told" if mail.kind == FAILURE else "tell the customer another way, and say --sent"
            yield FollowUp(f"{do}; or have the mail sent again", mail.answer, by.settle("--resend"))
        elif mail.state == "sent" and mail.kind == STAFF_NOTE:
            yield FollowUp("tell the customer", mail.detail)


def _of_steps(latest: Round | None, account: Account) -> Iterator[FollowUp]:
    """Of a signup that is finished no server was lost: what was launched then was neither recorded nor watched."""
    if latest is None:
        return
    zenoss = latest.done(MONITOR)
    if zenoss is not None and zenoss.kind == "monitoring_missing":
        yield FollowUp("watch the new server", zenoss.message)
    if latest.has(MONITOR):
        watched = latest.values_of(MONITOR)
        if not watched.watched:
            yield FollowUp("watch the new server", "no monitoring is configured")
        if watched.unwatch and not account.finishes_signup:
            yield FollowUp("remove the lost server from monitoring", watched.unwatch)
    superseded = latest.values_of(APPEND).superseded if latest.has(APPEND) else None
    if superseded and not account.finishes_signup:
        do = "the lost server's row stays in serverinfo.csv: whoever reads it must know that it is superseded"
        yield FollowUp(do, superseded)


def settled(failure: Effect, letter: Mail | None) -> bool:
    """Whether what failed has been mended since: a mail leaves only for a server that was reached, or as a human
    wants.
    """
    return failure.kind == NOT_REACHED and letter is not None and letter.state not in ("prepared", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One thing that is left to do, for each account that it is about: its customer, about what, and the command."""

    do: str
    each: tuple[tuple[AccountOutcome, FollowUp], ...]

    @property
    def about(self) -> list[str]:
        """The accounts by their short names, each with what it is about."""
        names = [short_name(a.account_id, a.customer) for a, _ in self.each]
        return [f"{name} ({f.about})" if f.about else name for name, (_, f) in zip(names, self.each, strict=True)]

    @property
    def urgent(self) -> bool:
        """Nobody may send these mails until somebody has said what became of them."""
        return self.do == IN_DOUBT

    @property
    def accounts(self) -> int:
        """How many accounts it is about."""
        return len({a.account_id for a, _ in self.each})

    @property
    def commands(self) -> tuple[str, ...]:
        """Those that do it: one that does it for all, or one for each account."""
        return tuple(dict.fromkeys(f.command for _, f in self.each if f.command))


def grouped(accounts: Sequence[AccountOutcome]) -> list[Left]:
    """The same things together: mails in doubt first, then what concerns most accounts."""
    left: dict[str, list[tuple[AccountOutcome, FollowUp]]] = {}
    for account in accounts:
        for each in account.follow_ups:
            left.setdefault(each.do, []).append((account, each))
    every = [Left(do=do, each=tuple(each)) for do, each in left.items()]
    return sorted(every, key=lambda one: (not one.urgent, -one.accounts))
