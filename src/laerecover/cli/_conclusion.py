"""What came of it, for people: the conclusion first, then what is left for a human, then the accounts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from laerecover.cli._show import COLOURS, console, show_rows
from laerecover.manifest import ManifestError
from laerecover.planning.plain_words import without_codes
from laerecover.report.follow_ups import grouped
from laerecover.runbook.values import STEPS
from laerecover.state.journal import last_typed
from laerecover.text import clean, clipped, counted, duration, shell_line, short_name, spent

if TYPE_CHECKING:
    from laerecover.options import Options
    from laerecover.report.outcomes import AccountOutcome, Proof
    from laerecover.report.report import Report
    from laerecover.report.status import Status
    from laerecover.runbook.ledger import Round
    from laerecover.state.state import State

_MANY, _COMMAND = 4, 4000
_ROWS = 20
"""So many accounts a terminal shows; the report, and a pipe, have all of them."""
_OUTCOMES = ("failed", "on its way", "not started", "blocked", "left out", "recovered")
"""As people look at them: troubles first."""


def show_report(report: Report, folder: Path | None) -> None:
    """The conclusion, what is left for a human, the outcome of each account, and in which folder the report lies."""
    out = console(sys.stdout)
    out.print(Text(_numbers(report), style="bold"))
    for each in report.accounts:
        if each.account_id in report.asked and each.outcome == "blocked":
            why = clean(without_codes(each.why))
            out.print(Text(f"{short_name(each.account_id, each.customer)} is blocked: {why}; nothing was done for it"))
    if report.stopped:
        out.print(Text(f"Stopped by a guard: {clean(report.stopped)}", style="yellow"))
    if said := report.not_dialled:
        told = f"by {clean(said['by'])}, {clean(said['at'])}: {clean(said['because'])}"
        out.print(Text(f"The new servers were not dialled from here ({told})", style="yellow"))
    if folder is not None:
        out.print(Text(f"report: {clean(folder / 'report.html')}, {clean(folder / 'report.json')}"), soft_wrap=True)
    _show_left(out, report)
    _show_accounts(out, report)


def _numbers(report: Report) -> str:
    """How many are back, what became of the others, how long it took."""
    everybody = report.accounts
    if report.asked:  # by name: of the others nobody wants to know how many there are of a kind
        report = replace(report, accounts=tuple(a for a in everybody if a.account_id in report.asked))
    told = f"{report.number('recovered')} of {len(report.accounts)} accounts recovered"
    for word in ("failed", "blocked", "left out", "on its way", "not started"):
        if report.number(word):
            told += f", {_many(report.number(word), word)}"
        if word == "blocked" and report.closed:
            told += f" ({report.closed} because the customer left)"
    others = len(everybody) - len(report.accounts)
    told += f", {counted(others, 'other')} not selected" if others else ""
    if report.seconds_of_work is None:
        return told
    pause = f", and {spent(report.idle_seconds)} in which nobody ran it" if report.idle_seconds else ""
    return f"{told}, in {spent(report.seconds_of_work)}{pause}"


def _many(number: int, outcome: str) -> str:
    return f"{number} {outcome.replace('its', 'their') if number > 1 else outcome}"


def _show_accounts(out: Console, report: Report) -> None:
    """On a terminal those with troubles first, as many as one looks at, by their short names; piped, all, by id."""
    accounts: Sequence[AccountOutcome] = report.accounts
    if out.is_terminal:
        accounts = sorted(accounts, key=lambda a: _OUTCOMES.index(a.outcome))
    proving = any(a.proof for a in accounts)
    between = ["outcome"] if out.is_terminal else ["customer", "outcome", "grade"]
    titles = ["account", *between, "the customer has to", "mail", "time", *["proof"] * proving]
    rows = []
    for a in accounts[:_ROWS] if out.is_terminal else accounts:
        cells = [a.mail_words, "" if a.seconds_of_work is None else spent(a.seconds_of_work)]
        row = [Text(a.outcome, style=COLOURS.get(a.outcome, "")), Text(a.customer_does)]
        row += [*map(Text, cells), *[_proof(a.proof)] * proving]
        if out.is_terminal:  # what the customer has to do tells the grade; a narrow terminal has no room for both
            name = clipped(clean(a.customer), longest=max(20, out.width // 4))
            rows.append([Text(short_name(a.account_id, name)), *row])
        else:
            grade = Text((a.grade or "").lower().replace("_", " "))
            rows.append([Text(clean(a.account_id)), Text(clean(a.customer)), row[0], grade, *row[1:]])
    out.print()
    show_rows(out, titles, rows, whole=("account", "outcome", "mail", "time"))
    if len(rows) < len(accounts):
        out.print(Text(f"and {len(accounts) - len(rows)} more: see the report", style="dim"))


def _proof(proof: Proof | None) -> Text:
    if proof is None:
        return Text("")
    return Text(("proved: " if proof.ok else "FAILED: ") + clean(proof.said), style="green" if proof.ok else "red")


def _show_left(out: Console, report: Report) -> None:
    """What is left for a human, the same things together; mails in doubt first."""
    left = grouped(report.accounts)
    if left:
        out.print(Text("\nLeft for a human", style="bold"))
    for entry in left:
        many, commands = len(entry.each), entry.commands
        out.print(Text(f"  {clean(entry.do)}: {counted(many, 'account')}"))
        for about, (_, follow_up) in zip(entry.about[:_MANY], entry.each, strict=False):
            out.print(Text(f"      {clean(without_codes(about))}"))
            if follow_up.command and len(commands) > 1:
                out.print(Text(f"        next: {clean(follow_up.command, limit=_COMMAND)}"), soft_wrap=True)
        if many > _MANY:
            out.print(Text(f"      … and {many - _MANY} more, see the report"))
        if len(commands) == 1:
            out.print(Text(f"    next: {clean(commands[0], limit=_COMMAND)}"), soft_wrap=True)


def show_interrupted(report: Report, state: State, seconds: float, command: str, *, stream: TextIO) -> None:
    """What was finished, and how to go on."""
    from laerecover.cli._stopping import who_stopped
    from laerecover.mail.outbox import Outbox

    held = Outbox(state.outbox).numbers().get("held", 0)
    doubts = sum(1 for a in report.accounts if a.in_doubt)
    doubt = f"{doubts} mail{'s are' if doubts > 1 else ' is'} in doubt." if doubts else "Nothing is in doubt."
    mine = report.number("recovered", "failed", "on its way", "not started")
    out = console(stream)
    out.print(
        Text(
            f"{who_stopped()} after {duration(seconds)}.  {report.number('recovered')} of {mine} accounts recovered, "
            f"{report.number('on its way')} on their way, {report.number('not started')} not started.  "
            f"{held} mail{' is' if held == 1 else 's are'} held.  {doubt}"
        )
    )
    out.print(Text(f"Go on with the same command:  {clean(command, limit=_COMMAND)}"), soft_wrap=True)


def _minute(at: str | None) -> str:
    """A moment of the state's, as people write it."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "not yet"


def _key(options: Options) -> str:
    """Its fingerprint, if it opens the manifest; to look, nobody needs a key."""
    unseen = "key not looked at; --key-file FILE shows by which digits it is compared"
    if not options.places.key.is_file():
        return unseen
    from laerecover.manifest import read_manifest  # brings Arrow

    try:
        read_manifest(options.places.manifest, key_file=options.places.key)
        return f"key {options.places.fingerprint()} (fingerprint) · {clean(options.places.key)}"
    except ManifestError:
        return unseen


def _now(latest: Round, runner: str | None) -> str:
    """What was done last of an account, and what is in hand."""
    done = latest.went_well
    last = f"{done[-1].title} done" if done else "nothing done yet"
    step = next((step.title for step in STEPS if step not in done), "")
    return f"{last}, {step} in hand" if runner and step and latest.outcome == "on its way" else last


def show_status(found: Status, options: Options) -> None:
    """The state in numbers, then each account that was begun: troubles first."""
    out, state = console(sys.stdout), found.state
    told = [_many(found.number(word), word) for word in reversed(_OUTCOMES) if found.number(word)]
    if (whole := state.planned.recover) is None:
        begun = f"{', '.join(told)} of those that were begun" if told else "no account was begun"
        out.print(Text(begun, style="bold"))
    elif not whole and not told:
        why = f"all that were selected are blocked; {state.planned.customers} in the manifest"
        out.print(Text(f"no account was begun: {why}", style="bold"))
    else:
        told += [f"{found.waiting} not begun"] * bool(found.waiting)
        numbers = f"of {whole} accounts to recover, {state.planned.customers} in the manifest"
        out.print(Text(f"{', '.join(told) or 'nothing'}; {numbers}", style="bold"))
    out.print(Text(f"{state.mode} · {clean(state.folder)} · begun {_minute(state.started_at)}"), soft_wrap=True)
    out.print(Text(_key(options)), soft_wrap=True)
    out.print(Text(found.runner or "no runner is at work"))
    for account, latest in sorted(found.rounds.items(), key=lambda item: _OUTCOMES.index(item[1].outcome)):
        row = f"  {latest.outcome:<11}  {clean(account)}  {_now(latest, found.runner)}"
        out.print(Text(row), soft_wrap=True)
    mails = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in sorted(found.mails.items()))
    out.print(Text(f"mails: {mails or 'none'}"))
    if found.mails.get("in_doubt"):
        out.print(
            Text(f"next: {options.again('report')} names each mail in doubt, with what settles it"), soft_wrap=True
        )
    if found.lost_mails:
        out.print(Text(f"not in the outbox as the ledger knows them: {found.lost_mails}; see the report"))
    if not found.rounds and state.planned.recover == 0:
        out.print(Text(f"next: {options.again('report')} says why"), soft_wrap=True)
    elif not found.runner and (found.number("on its way", "failed") or found.waiting or not found.rounds):
        out.print(Text(f"next: {_to_go_on(state, options)}"), soft_wrap=True)


def _to_go_on(state: State, options: Options) -> str:
    """The recovery's own command, as it was typed last: whoever looks need not have its key at hand."""
    words = [word for word in last_typed(state.folder, state.mode) if word != "--again"]
    if words:
        return f"{clean(shell_line(words), limit=_COMMAND)}    (as it was typed last; it goes on where it stopped)"
    command = f"laerecover {state.mode} {options.places.quoted}{options.repeat(state.mode, state=True)}"
    return f"{command}, with what else it was given, goes on where it stopped"
