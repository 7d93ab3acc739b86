"""The live view of a run on a terminal: problems first, then work in hand; counts for the rest; when it will end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from laerecover.cli._stopping import TOLD_HERE
from laerecover.planning.plan import Plan, PlannedAccount
from laerecover.runbook.values import NOT_LISTENING, NOTICE, STEPS, Effect, Step
from laerecover.text import clean, clipped, counted, duration, short_name, shortened

_COLOURS = {"✓": "green", "✗": "red", "▸": "yellow", "↻": "yellow"}
_AROUND = 6
"""Lines of the screen that are not an account's."""
_FOLDED = 3
"""So many lines may tell of one trouble, where the screen has room."""
_NARROW = 100


@dataclass(kw_only=True)
class _Line:
    """One account: a glyph for each step, what is waited for, what came of it. Times are those of the clock."""

    account: PlannedAccount
    before: bool
    cells: dict[Step[Any], str] = field(default_factory=lambda: dict.fromkeys(STEPS, "·"))
    begun: float | None = None
    ended: float | None = None
    since: float | None = None
    step: Step[Any] | None = None
    step_began: float = 0.0
    waiting: str = ""
    until: float | None = None
    outcome: str = ""
    troubles: dict[Step[Any], str] = field(default_factory=dict)
    """Step -> why it failed, until it goes well after all."""

    @property
    def trouble(self) -> str:
        return next(iter(self.troubles.values()), "")

    @property
    def is_at_work(self) -> bool:
        return self.begun is not None and not self.outcome

    @property
    def has_trouble(self) -> bool:
        """Failed, or recovered with something left to do."""
        return self.outcome not in ("", "recovered") or (self.outcome == "recovered" and bool(self.trouble))


def _style(line: _Line) -> str:
    return "red" if line.outcome == "failed" else "yellow" if line.has_trouble else ""


def _minutes(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss`."""
    hours, rest = divmod(int(max(0.0, seconds)), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


class LiveWatcher:
    """What there is to see of a run; what was recovered before it counts, too, as the ledger says."""

    def __init__(self, console: Console, planned: Plan, *, stop: threading.Event) -> None:
        before = {a.account_id for a in planned.recover}.difference(planned.starts)
        self._lines = {a.account_id: _Line(account=a, before=a.account_id in before) for a in planned.recover}
        for account_id in before:
            self._lines[account_id].outcome = "recovered"
        self._planned, self._console, self._stop = planned, console, stop
        self._begun = time.monotonic()
        self._spent: dict[Step[Any], list[float]] = {}
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, vertical_overflow="crop", transient=True
        )

    def __enter__(self) -> LiveWatcher:
        TOLD_HERE.set()
        self._live.__enter__()
        # Rich hides the cursor, and a process that is killed could not show it again.
        self._console.show_cursor(True)
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.__exit__(None, None, None)
        TOLD_HERE.clear()
        self._console.print(self._render())

    def began(self, account_id: str, step: Step[Any]) -> None:
        with self._lock:
            line, now = self._lines[account_id], time.monotonic()
            line.begun = line.begun or now
            line.since, line.waiting, line.until = now, step.title, None
            line.step, line.step_began = step, now
            if step != NOTICE:
                line.cells[step] = "▸"

    def waits(self, account_id: str, what: str, seconds: float) -> None:
        with self._lock:
            line, now = self._lines[account_id], time.monotonic()
            if line.waiting != clean(what):
                line.waiting, line.since = clean(what), now
            line.until = now + seconds

    def ended(self, account_id: str, effect: Effect) -> None:
        with self._lock:
            line = self._lines[account_id]
            line.begun = line.begun or time.monotonic()
            if effect.ok:
                line.troubles.pop(effect.step, None)
            if effect.ok and line.step_began:
                self._spent.setdefault(effect.step, []).append(time.monotonic() - line.step_began)
            if not effect.ok and effect.kind != NOT_LISTENING:
                line.troubles.setdefault(effect.step, f"{effect.kind}: {clean(effect.message)}")
            if effect.step != NOTICE:
                line.cells[effect.step] = "✓" if effect.ok else "↻" if effect.kind == NOT_LISTENING else "✗"

    def finished(self, account_id: str, outcome: str) -> None:
        with self._lock:
            line = self._lines[account_id]
            line.outcome, line.waiting, line.ended = outcome, "", time.monotonic()

    def _render(self) -> RenderableType:
        with self._lock:
            lines = list(self._lines.values())
            room = max(3, self._console.size.height - _AROUND)
            problems = sorted((a for a in lines if a.has_trouble), key=lambda line: line.outcome == "recovered")
            at_work = sorted((a for a in lines if a.is_at_work), key=lambda line: line.begun or 0.0)
            shown = [*problems[: max(room // 2, room - len(at_work))], *at_work]
            table, number = self._table(shown[:room], room), min(room, len(shown))
            titles = " ".join(step.title for step in STEPS)
            steps = Text(f"a glyph a step: {titles}", style="dim")
            return Group(steps, table, *self._footer(lines, len(problems) + len(at_work) - number))

    def _table(self, shown: list[_Line], room: int) -> Table:
        """A line an account. What went wrong may take more, as long as there are lines to spare."""
        rows = [self._cells(line) for line in shown]
        gap = 1 if self._console.size.width < _NARROW else 2
        widths = [max((cell.cell_len for cell in column), default=0) for column in zip(*rows, strict=True)]
        last = max(10, self._console.size.width - sum(widths) - 3 * gap - 1)
        table, spare = Table(box=None, pad_edge=False, show_header=False, padding=(0, gap, 0, 0)), room - len(rows)
        for at, width in enumerate(widths):
            table.add_column(no_wrap=True, min_width=width, justify="right" if at == len(widths) - 1 else "left")
        table.add_column(overflow="fold", max_width=last)
        for line, row in zip(shown, rows, strict=True):
            whole = self._said(line, last)
            fits = (Text(shortened(whole.plain, many * last), style=whole.style) for many in range(_FOLDED, 0, -1))
            said = next((text for text in fits if len(text.wrap(self._console, last)) - 1 <= spare), whole)
            spare -= len(said.wrap(self._console, last)) - 1
            table.add_row(*row, said)
        return table

    def _cells(self, line: _Line) -> list[Text]:
        glyphs, width = Text(), self._console.size.width
        for step in STEPS:
            glyphs.append(line.cells[step], style=_COLOURS.get(line.cells[step], "dim"))
        name = short_name(line.account.account_id, clipped(clean(line.account.customer), longest=max(24, width // 4)))
        spent = "" if line.begun is None else _minutes((line.ended or time.monotonic()) - line.begun)
        return [glyphs, Text(name, style=_style(line)), Text(spent)]

    def _said(self, line: _Line, width: int) -> Text:
        """What went wrong; or what is waited for, whose end gives way to how long, and how long at the most."""
        if not line.waiting or line.since is None:
            return Text(line.trouble if line.outcome else "", style=_style(line))
        now = time.monotonic()
        most = "" if line.until is None else f" of {line.until - line.since:.0f}"
        long = f", {now - line.since:.0f}{most} s"
        return Text(f"{shortened(line.waiting, max(8, width - len(long)))}{long}")

    def _footer(self, lines: list[_Line], hidden: int) -> list[Text]:
        recovered = [line for line in lines if line.outcome == "recovered"]
        before = sum(line.before for line in recovered)
        numbers = {
            "failed": sum(1 for line in lines if line.outcome == "failed"),
            "on their way": sum(line.is_at_work for line in lines),
            "to come": sum(line.begun is None and not line.outcome for line in lines),
            "not shown": hidden,
        }
        told = f"{len(recovered)} of {len(lines)} recovered" + (f" ({before} from before)" if before else "")
        counts = [told, *(f"{number} {word}" for word, number in numbers.items() if number)]
        return [Text(" · ".join(counts), style="bold"), self._outlook(lines)]

    def _outlook(self, lines: list[_Line]) -> Text:
        """When it will end; or, once somebody wants to stop, what it still waits for."""
        now = time.monotonic()
        at_work = [line for line in lines if line.is_at_work]
        if self._stop.is_set() and at_work:
            many = f"{counted(len(at_work), 'step')} finishing"
            last = min(at_work, key=lambda line: line.step_began or now)
            longest = f"{last.step.title if last.step else 'a step'} for {duration(now - (last.step_began or now))}"
            told = f"STOPPING: {many}, the longest {longest}\nCtrl-C again stops at once"
            return Text(told, style="bold yellow")
        if not any(line.begun or line.ended for line in lines) and self._planned.starts:
            return Text("starting; what an earlier run began goes on where it stopped")
        told = f"running for {duration(now - self._begun)}"
        rest = self._rest(lines)
        if rest is not None:
            at = (datetime.now().astimezone() + timedelta(seconds=rest)).strftime("%H:%M")
            told = f"expected end in {duration(rest)}, at {at} · {told}"
        elif self._planned.mode == "run" and self._planned.starts:
            told = f"about {duration(self._planned.seconds_of(len(self._planned.starts)))} by the plan · {told}"
        return Text(f"{told} · Ctrl-C stops calmly" if at_work else told)

    def _rest(self, lines: list[_Line]) -> float | None:
        """Seconds to the expected end, by the mean of the measured times of each step; None while a step was never
        seen.
        """
        means = {step: sum(spent) / len(spent) for step, spent in self._spent.items()}
        waiting = [line for line in lines if not line.outcome]
        if not waiting or not means.keys() >= set(STEPS):
            return None
        left = [self._left(line, means) for line in waiting]
        return max(*left, sum(left) / self._planned.concurrency)

    def _left(self, line: _Line, means: Mapping[Step[Any], float]) -> float:
        to_do = sum(means[step] for step in STEPS if line.cells[step] in "·▸↻")
        at_work = next((step for step in STEPS if line.cells[step] == "▸"), None)
        return to_do - min(means[at_work], time.monotonic() - line.step_began) if at_work else to_do
