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
from laerecover.text import clean, clipped, counted, short_name

if TYPE_CHECKING:
    import threading

    from laerecover.afterwards.found import Found
    from laerecover.afterwards.verify import Check
    from laerecover.cli._display import EventWatcher, PlainWatcher
    from laerecover.cli._live import LiveWatcher
    from laerecover.cli._readiness import Checked
    from laerecover.manifest import Manifest
    from laerecover.options import Options
    from laerecover.planning.plan import Plan
    from laerecover.state.state import State

_COMMAND = 2000
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


def _whose(check: Check) -> str:
    """The customer; who has no name is told by the short id, as everywhere."""
    return clean(check.customer) if check.customer != "(unknown)" else short_name(check.account_id, check.customer)


def show_verified(checks: Sequence[Check], *, stream: TextIO | None = None) -> None:
    """One line per check, failures first; then how many accounts are well."""
    out = console(stream or sys.stdout)
    rows = []
    words = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("not asked", "dim")}
    for check in sorted(checks, key=lambda check: check.ok is not False):
        word, style = words[check.ok]
        said, customer = clean(check.said), _whose(check)
        answer = Text(said if said.startswith(word) else f"{word}: {said}", style=style)
        rows.append(
            (
                Text(clipped(customer, longest=max(20, out.width // 4)) if out.is_terminal else customer),
                Text(check.what),
                Text(clean(check.where)),
                answer,
            )
        )
    show_rows(out, ("customer", "check", "where", "answer"), rows)
    remedies: dict[str, list[str]] = {}
    for check in checks:
        if check.next:
            remedies.setdefault(check.next, []).append(_whose(check))
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
