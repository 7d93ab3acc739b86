"""What people see while a run goes on: a live table on a terminal, plain lines when piped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from laerecover.planning.plan import PlannedAccount
from laerecover.runbook.runbook import ON_FAILURE, STEPS, Effect
from laerecover.text import clean, duration

_TELL_EACH = 300.0
_TITLES = ("launch", "address", "install", "bounce", "record", "evidence", "mail", "zenoss")


class PlainWatcher:
    """One line per event, with the time; of a step's waits one in five minutes, or a long wait would fill the log."""

    def __init__(self, stream: TextIO, accounts: Iterable[PlannedAccount]) -> None:
        self._stream = stream
        self._names = {a.account_id: clean(a.account_id, limit=60) for a in accounts}
        self._lock = threading.Lock()
        self._shown_at: dict[str, float] = {}

    def __enter__(self) -> PlainWatcher:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def began(self, account_id: str, step: str) -> None:
        self._shown_at.pop(account_id, None)
        self._line(account_id, step, "begins")

    def waits(self, account_id: str, what: str, seconds: float) -> None:
        now = time.monotonic()
        if now - self._shown_at.get(account_id, -_TELL_EACH) >= _TELL_EACH:
            self._shown_at[account_id] = now
            self._line(account_id, "waits for", f"{clean(what)}, {seconds:.0f} s at the latest")

    def ended(self, account_id: str, effect: Effect) -> None:
        self._line(account_id, effect.step, "done" if effect.ok else f"{effect.kind}: {clean(effect.message)}")

    def finished(self, account_id: str, outcome: str) -> None:
        self._line(account_id, "account", outcome)

    def _line(self, account_id: str, step: str, text: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        with self._lock:
            print(f"{now}  {self._names.get(account_id, '?')}  {step}  {text}", file=self._stream, flush=True)


class _Line:
    def __init__(self, account: PlannedAccount) -> None:
        self.account = account
        self.cells = dict.fromkeys(STEPS, "·")
        self.begun: float | None = None
        self.ended: float | None = None
        self.since: float | None = None
        self.step_began = 0.0
        self.waiting = ""
        self.until: float | None = None
        self.outcome = ""

    @property
    def rank(self) -> tuple[int, float]:
        """Those on their way first, the slowest of them on top; then those to come, then those that ended."""
        if self.outcome:
            return (2 if self.outcome == "recovered" else 1, -(self.ended or 0))
        return (0, self.begun) if self.begun is not None else (1, 0.0)


class LiveWatcher:
    """Accounts x steps, the slowest first; what is waited for; totals and the expected end underneath."""

    def __init__(self, console: Console, accounts: Iterable[PlannedAccount], *, concurrency: int) -> None:
        self._lines = {a.account_id: _Line(a) for a in accounts}
        self._concurrency = concurrency
        self._console = console
        self._begun = time.monotonic()
        self._spent: dict[str, list[float]] = {}
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, vertical_overflow="crop", transient=True
        )

    def __enter__(self) -> LiveWatcher:
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.__exit__(None, None, None)
        self._console.print(self._render())

    def began(self, account_id: str, step: str) -> None:
        with self._lock:
            line, now = self._lines[account_id], time.monotonic()
            line.begun = line.begun or now
            line.since, line.waiting, line.until = now, step, None
            line.step_began = now
            if step != ON_FAILURE:
                line.cells[step] = "▸"

    def waits(self, account_id: str, what: str, seconds: float) -> None:
        with self._lock:
            line, now = self._lines[account_id], time.monotonic()
            line.waiting, line.since, line.until = clean(what, limit=60), now, now + seconds

    def ended(self, account_id: str, effect: Effect) -> None:
        with self._lock:
            line = self._lines[account_id]
            line.begun = line.begun or time.monotonic()
            if effect.ok and line.step_began:
                self._spent.setdefault(effect.step, []).append(time.monotonic() - line.step_began)
            if effect.step != ON_FAILURE:
                line.cells[effect.step] = "✓" if effect.ok else "↻" if effect.kind == "not_listening" else "✗"

    def finished(self, account_id: str, outcome: str) -> None:
        with self._lock:
            line = self._lines[account_id]
            line.outcome, line.waiting, line.ended = outcome, "", time.monotonic()
            if outcome == "recovered" and line.begun is None:
                line.cells = dict.fromkeys(STEPS, "✓")

    def _render(self) -> RenderableType:
        with self._lock:
            lines = sorted(self._lines.values(), key=lambda line: line.rank)
            table = Table(box=None, pad_edge=False, expand=False)
            table.add_column("account", no_wrap=True, max_width=34)
            for title in _TITLES:
                table.add_column(title, justify="center")
            table.add_column("time", justify="right")
            table.add_column("waiting for", no_wrap=True, max_width=44)
            room = max(3, self._console.size.height - 6)
            for line in lines[:room]:
                table.add_row(*self._cells(line))
            more = [Text(f"… and {len(lines) - room} more", style="dim")] if len(lines) > room else []
            return Group(table, *more, self._totals(lines))

    def _cells(self, line: _Line) -> list[Text]:
        now = time.monotonic()
        spent = "" if line.begun is None else duration((line.ended or now) - line.begun)
        waiting = line.outcome
        if line.waiting and line.since is not None:
            left = "" if line.until is None else f", {max(0, line.until - now):.0f} s left"
            waiting = f"{line.waiting} ({now - line.since:.0f} s{left})"
        colours = {"✓": "green", "✗": "red", "▸": "yellow", "↻": "yellow"}
        cells = [Text(line.cells[step], style=colours.get(line.cells[step], "dim")) for step in STEPS]
        return [Text(clean(line.account.customer, limit=34)), *cells, Text(spent), Text(waiting)]

    def _totals(self, lines: list[_Line]) -> Text:
        ended = [line for line in lines if line.outcome]
        failed = sum(1 for line in ended if line.outcome == "failed")
        active = sum(1 for line in lines if line.begun is not None and not line.outcome)
        text = f"{len(ended) - failed} of {len(lines)} recovered, {failed} failed, {active} on their way"
        elapsed = time.monotonic() - self._begun
        rest = self._rest(lines)
        if rest is not None:
            text += f" · expected end in {duration(rest)}"
        return Text(f"{text} · {duration(elapsed)}", style="bold")

    def _rest(self, lines: list[_Line]) -> float | None:
        """Seconds to the expected end, by the mean of the measured times of each step; None while a step was never
        seen.
        """
        means = {step: sum(spent) / len(spent) for step, spent in self._spent.items()}
        waiting = [line for line in lines if not line.outcome]
        if not waiting or not means.keys() >= STEPS.keys():
            return None
        left = [self._left(line, means) for line in waiting]
        return max(*left, sum(left) / self._concurrency)

    def _left(self, line: _Line, means: Mapping[str, float]) -> float:
        to_do = sum(means[step] for step in STEPS if line.cells[step] in "·▸↻")
        at_work = next((step for step in STEPS if line.cells[step] == "▸"), None)
        return to_do - min(means[at_work], time.monotonic() - line.step_began) if at_work else to_do
