"""People's text: the plan, the letters, the report, on a terminal or not."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from laerecover.errors import Guarded
from laerecover.planning.costs import in_words
from laerecover.report.plain_words import without_codes
from laerecover.text import clean, counted

if TYPE_CHECKING:
    import threading

    from laerecover.afterwards.found import Found
    from laerecover.afterwards.verify import Check
    from laerecover.cli._display import EventWatcher, PlainWatcher
    from laerecover.cli._live import LiveWatcher
    from laerecover.cli._readiness import Checked
    from laerecover.manifest import Manifest
    from laerecover.options import Options
    from laerecover.planning.obstacles import Obstacle
    from laerecover.planning.plan import Plan
    from laerecover.state.state import State

_AGAIN = "then plan again; nothing was started"
_COMMAND = 2000
_NAMED = 3
"""So many accounts are named in a command that is proposed."""
COLOURS = {"recovered": "green", "failed": "red", "recover": "green", "blocked": "yellow"}


def console(stream: TextIO) -> Console:
    """No colour and no cutting of lines when it is no terminal."""
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 200, soft_wrap=not stream.isatty())


def watcher(
    planned: Plan, *, json_: bool, stop: threading.Event, events: str | None = None, quiet: bool = False
) -> LiveWatcher | PlainWatcher | EventWatcher:
    """JSON lines if they were asked for; the live view if somebody looks at it; else a line per event on stderr."""
    from laerecover.cli._display import EventWatcher, PlainWatcher
    from laerecover.cli._live import LiveWatcher

    if events:
        return EventWatcher(sys.stderr, planned, stop=stop)
    if quiet:
        return PlainWatcher(Path(os.devnull).open("w", encoding="utf-8"), planned.recover)
    if sys.stdout.isatty() and not json_:
        return LiveWatcher(console(sys.stdout), planned, stop=stop)
    return PlainWatcher(sys.stderr, planned.recover)


def show_rows(
    out: Console, titles: Sequence[str], rows: Sequence[Sequence[Text]], *, whole: Collection[str] = ()
) -> None:
    """A table that folds on a terminal, but for the columns `whole`; piped, a line a row, of which nothing is cut or
    folded.
    """
    if out.is_terminal:
        table = Table(box=None, pad_edge=False)
        for at, title in enumerate(titles):
            widest = max((row[at].cell_len for row in rows), default=0)
            table.add_column(title, overflow="fold", min_width=widest if title in whole else None)
        for row in rows:
            table.add_row(*row)
        out.print(table)
        return
    every = [[Text(title) for title in titles], *rows]
    widths = [max(len(row[at].plain) for row in every) for at in range(len(titles))]
    for row in every:
        told = "  ".join(cell.plain.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        out.print(Text(told), soft_wrap=True)


def ask(question: str) -> bool:
    """A typed yes. Raises Guarded where nobody could type it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Guarded(
            "nobody is there to confirm",
            where="no terminal",
            next_step="look at the plan, then add --yes; nothing was started",
        )
    try:
        return input(f"{question}? Type yes: ").strip().lower() == "yes"
    except EOFError:
        return False


def ask_word(question: str, word: str) -> bool:
    """That very word, typed. False where nobody could type it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return input(f"{question}? Type {word}: ").strip() == word
    except EOFError:
        return False


def show_plan(
    plan: Plan,
    options: Options,
    *,
    obstacles: Sequence[Obstacle] = (),
    checked: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Per account what will be launched, restored and mailed, or why it is blocked; what it costs; what to type next,
    if that is not left to the conclusion of what was `checked`.
    """

    out = console(stream or sys.stdout)
    for account in plan.accounts:
        line = Text.assemble(
            (account.action, COLOURS.get(account.action, "dim")),
            f"  {clean(account.account_id)}  {clean(account.customer)}",
        )
        out.print(line)
        if account.why:
            out.print(Text(f"    {clean(without_codes(account.why))}"))
        if account.action == "recover":
            out.print(Text(f"    {account.grade}: {account.price}"))
            out.print(
                Text(
                    f"    launch {clean(account.image or 'no image')} as {clean(account.size or 'no size')}, in place "
                    f"of one that is {account.server}"
                )
            )
            out.print(Text(f"    restore {', '.join(account.restores) or 'no identity'}; mail {clean(account.mail)}"))
    _show_waves(out, plan)
    for note in plan.notes:
        out.print(Text(f"note: {clean(note)}"))
    minutes = max(1, round(plan.seconds / 60))
    lasts = f", about {minutes} min by {plan.forecast.rests_on}" if plan.recover else ""
    out.print(
        Text(
            f"\n{len(plan.recover)} of {len(plan.accounts)} accounts, as many instances, {plan.concurrency} at a time"
            f"{lasts}; {len(plan.blocked)} blocked"
        )
    )
    for said in in_words(plan.costs):
        out.print(Text(clean(said)))
    out.print(Text(f"manifest {plan.manifest_digest}\nplan     {plan.digest}"))
    key = f"{options.places.fingerprint()} (fingerprint)  {clean(options.places.key)}"
    out.print(Text(f"key      {key}"), soft_wrap=True)
    if not checked:
        _show_next(out, plan, obstacles, options)


def _show_next(out: Console, plan: Plan, obstacles: Sequence[Obstacle], options: Options) -> None:
    if any(each.blocks and each.account_id is None for each in obstacles):
        out.print(Text(f"next: mend what the check names, {_AGAIN}"))
        return
    if not plan.recover:
        out.print(Text(_nobody(plan)))
        return
    drill = f"laerecover drill {options.places.quoted}{options.repeat('drill')}"
    run = f"laerecover run {options.places.quoted}{options.repeat('run', state=True)}"
    out.print(Text(f"next: {drill}, then {run}"))


def _nobody(plan: Plan) -> str:
    why = "mend what blocks them, or select others" if plan.blocked else "select some with --only"
    return f"next: nothing would be recovered: {why}, {_AGAIN}"


def show_key(options: Options, manifest: Manifest) -> None:
    """That it opens the manifest, and by what it is compared."""
    out, places = console(sys.stdout), options.places
    out.print(Text(f"this key opens the manifest, {counted(len(manifest.accounts), 'account')}", style="bold"))
    out.print(Text(f"manifest {manifest.digest}  {clean(places.manifest)}"), soft_wrap=True)
    out.print(Text(f"key      {places.fingerprint()} (fingerprint)  {clean(places.key)}"), soft_wrap=True)
    out.print(
        Text(
            "next: compare the fingerprint with the one that `audit`, `plan` and `status` show where the key comes from"
        ),
        soft_wrap=True,
    )


def _show_waves(out: Console, plan: Plan) -> None:
    """Who starts when; the number of a wave, one line an account."""
    customers = {a.account_id: clean(a.customer) for a in plan.accounts}
    if plan.starts:
        out.print(Text(f"\nin this order, {plan.concurrency} at a time; who ends makes room for the next:"))
    for number, wave in enumerate(plan.waves, start=1):
        for account_id in wave:
            alone = "  (canary: the others start once it is recovered)" if account_id == plan.first else ""
            out.print(Text(f"  {number:>4}  {clean(account_id)}  {customers[account_id]}{alone}"))


def show_checks(obstacles: Sequence[Obstacle]) -> None:
    """What stands in the way, each with its remedy.

    What several accounts have in common is said once, the most common first.
    """
    out = console(sys.stdout)
    common: dict[tuple[str, str, str], list[str]] = {}
    for each in obstacles:
        if each.blocks:
            common.setdefault((each.what, each.message, each.remedy), []).append(each.account_id or "")
    for (what, message, remedy), accounts in sorted(common.items(), key=lambda item: -len(item[1])):
        about = f"{what} {accounts[0]}".strip() if len(accounts) == 1 else f"{what}, {len(accounts)} accounts"
        out.print(Text(f"{clean(about)}: {clean(message)}", style="yellow"))
        out.print(Text(f"    next: {clean(remedy)}"))
        if len(accounts) > 1:
            out.print(Text(f"    of: {', '.join(map(clean, accounts))}"))


def show_conclusion(plan: Plan, obstacles: Sequence[Obstacle], options: Options) -> None:
    """The end of a check: whether anything stands in the way, and which command goes on."""
    from laerecover.planning.plan import can_accept

    out, run = console(sys.stdout), f"laerecover run {options.places.quoted}{options.repeat('run', state=True)}"
    waiting = {o.account_id: o for o in obstacles if o.account_id is not None and o.blocks}
    doubtful = [a for a in plan.blocked if can_accept(a.guarded, a.why)]
    if any(each.blocks and each.account_id is None for each in obstacles):
        out.print(Text("check: nothing is started before the above is mended; then the same command again"))
        return
    if waiting or doubtful:
        free, back = len(plan.recover), len(waiting.keys() | {a.account_id for a in doubtful})
        out.print(Text(f"check: nothing stands in the way of {free} of {free + back} accounts"))
    else:
        out.print(Text("check: nothing stands in the way"))
    if plan.recover:
        out.print(Text(f"next: {run}"), soft_wrap=True)
    elif not doubtful:
        out.print(Text(_nobody(plan)))
    if doubtful:
        words = " ".join(_consent(a.account_id, waiting.get(a.account_id)) for a in doubtful[:_NAMED])
        more = f" (and {len(doubtful) - _NAMED} more)" if len(doubtful) > _NAMED else ""
        said = f"only if their other servers surely do no harm{more}: {run} {words} --because WHY"
        out.print(Text(f"next, {said}"), soft_wrap=True)


def _consent(account_id: str, obstacle: Obstacle | None) -> str:
    living = obstacle.instances if obstacle is not None else ()
    return " ".join(f"--accept {account_id}={each}" for each in living) or f"--accept {account_id}"


def show_progress(said: str) -> None:
    """How far something long is, for people."""
    console(sys.stderr).print(Text(clean(said)))


def tell_progress(said: str) -> None:
    """The same for programs."""
    from laerecover.cli._display import tell_event

    tell_event("progress", stream=sys.stderr, said=clean(said))


def show_instances(found: Sequence[Found], *, stream: TextIO | None = None) -> None:
    """Every instance with what it holds."""
    out = console(stream or sys.stdout)
    for each in found:
        out.print(Text(f"{clean(each.instance_id)}  {clean(each.account_id)}  {clean(each.customer)}"))
        out.print(Text(f"    launched {clean(each.launch_time)}; {clean(each.holds)}"))


def show_checked(check: Checked) -> None:
    """One check of `ready`, and what to do where it failed."""
    out = console(sys.stdout)
    word, style = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("not checked", "dim")}[check.ok]
    out.print(Text(f"{check.check:<8} {word:<11} {check.said}", style=style), soft_wrap=True)
    if check.next:
        out.print(Text(f"         next: {check.next}"), soft_wrap=True)


LETTERS_STAY = "nobody is mailed; these letters stay in the rehearsal's own world"


def say_drill(state: State, said: str = LETTERS_STAY, *, stream: TextIO | None = None) -> None:
    """Of a drill, that it is none of a customer's business."""
    if state.mode == "drill":
        console(stream or sys.stdout).print(Text(f"DRILL: {said}", style="bold"))


def show_verified(checks: Sequence[Check], *, stream: TextIO | None = None) -> None:
    """One line per check, failures first; then how many accounts are well."""
    out = console(stream or sys.stdout)
    rows = []
    words = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("not asked", "dim")}
    for check in sorted(checks, key=lambda check: check.ok is not False):
        word, style = words[check.ok]
        said = clean(check.said)
        answer = Text(said if said.startswith(word) else f"{word}: {said}", style=style)
        rows.append((Text(clean(check.customer)), Text(check.what), Text(clean(check.where)), answer))
    show_rows(out, ("customer", "check", "where", "answer"), rows)
    remedies: dict[str, list[str]] = {}
    for check in checks:
        if check.next:
            remedies.setdefault(check.next, []).append(clean(check.customer))
    for remedy, whose in remedies.items():
        more = f" and {len(whose) - 1} more" if len(whose) > 1 else ""
        out.print(Text(f"next, for {whose[0]}{more}: {clean(remedy, limit=_COMMAND)}"), soft_wrap=True)
    accounts = {check.account_id for check in checks}
    failed = {check.account_id for check in checks if check.ok is False}
    told = (
        f"{len(accounts - failed)} of {len(accounts)} recovered accounts are well"
        if accounts
        else "no account is recovered yet"
    )
    out.print(Text(f"\n{told}", style="bold"))
