"""What is told of a run where nobody watches a terminal: lines for people, JSON lines for programs."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from laerecover.cli._stopping import TOLD_HERE
from laerecover.planning.plan import Plan, PlannedAccount
from laerecover.runbook.values import NOT_LISTENING, TO_LISTEN, Effect, Step
from laerecover.text import clean, spent

_TELL_EACH = 300.0


class PlainWatcher:
    """One line per event, with the time; of a step's waits each new thing that is waited for, and once in five minutes
    that it still is, or a long wait would fill the log.
    """

    def __init__(self, stream: TextIO, accounts: Iterable[PlannedAccount]) -> None:
        self._stream = stream
        self._names = {a.account_id: clean(a.account_id) for a in accounts}
        self._lock = threading.Lock()
        self._shown: dict[str, dict[str, float]] = {}
        self._deaf: dict[str, tuple[float, Effect]] = {}
        """Account -> since when its host does not listen, and what was said of that last."""

    def __enter__(self) -> PlainWatcher:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def began(self, account_id: str, step: Step[Any]) -> None:
        if account_id in self._deaf and self._deaf[account_id][1].step == step:
            return
        self._no_longer_deaf(account_id, listens=False)
        self._shown.pop(account_id, None)
        self._line(account_id, step.name, "begins")

    def waits(self, account_id: str, what: str, seconds: float) -> None:
        if what != TO_LISTEN:
            self._no_longer_deaf(account_id, listens=True)
        now, shown = time.monotonic(), self._shown.setdefault(account_id, {})
        kind = re.sub(r"\d+", "0", what)  # a count that grows is no new thing
        if now - shown.get(kind, -_TELL_EACH) >= _TELL_EACH:
            shown[kind] = now
            self._line(account_id, "waits for", f"{clean(what)}, {seconds:.0f} s at the latest")

    def ended(self, account_id: str, effect: Effect) -> None:
        if effect.kind == NOT_LISTENING:
            now, is_new = time.monotonic(), account_id not in self._deaf
            self._deaf[account_id] = (now if is_new else self._deaf[account_id][0], effect)
            if is_new:
                self._shown.setdefault(account_id, {})[TO_LISTEN] = now
                self._line(account_id, effect.step.name, f"{_what(effect)}; it is asked again until it listens")
            return
        self._no_longer_deaf(account_id, listens=True)
        self._line(account_id, effect.step.name, _what(effect))

    def _no_longer_deaf(self, account_id: str, *, listens: bool) -> None:
        """Its host listens, or was given up: say once for how long it did not."""
        if account_id in self._deaf:
            since, effect = self._deaf.pop(account_id)
            long = spent(time.monotonic() - since)
            told = f"listens, after {long}" if listens else f"{_what(effect)}; for {long}"
            self._line(account_id, effect.step.name, told)

    def finished(self, account_id: str, outcome: str) -> None:
        self._no_longer_deaf(account_id, listens=False)
        self._line(account_id, "account", outcome)

    def _line(self, account_id: str, step: str, text: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        with self._lock:
            print(f"{now}  {self._names.get(account_id, '?')}  {step}  {text}", file=self._stream, flush=True)


def _what(effect: Effect) -> str:
    return "done" if effect.ok else f"{effect.kind}: {clean(effect.message)}"


class EventWatcher:
    """One JSON object a line and event: `at` (UTC), `event`, `account_id`, `step`, and what the event tells besides.

    The first, `run begins`, tells how many accounts there are, and how many were recovered before; the last is
    `run ends`. `stopping` comes before whatever else is told once somebody wants to stop.
    """

    def __init__(self, stream: TextIO, planned: Plan, *, stop: threading.Event) -> None:
        self._stream, self._planned, self._stop = stream, planned, stop
        self._lock, self._said_stopping = threading.Lock(), False

    def __enter__(self) -> EventWatcher:
        TOLD_HERE.set()
        whole, plan = len(self._planned.recover), self._planned
        before = whole - len(plan.starts)
        self._tell("run begins", mode=plan.mode, accounts=whole, recovered_before=before, concurrency=plan.concurrency)
        return self

    def __exit__(self, *exc: object) -> None:
        self._tell("run ends")
        TOLD_HERE.clear()

    def began(self, account_id: str, step: Step[Any]) -> None:
        self._tell("step begins", account_id=account_id, step=step.name)

    def waits(self, account_id: str, what: str, seconds: float) -> None:
        self._tell("waits", account_id=account_id, what=clean(what), at_most_seconds=round(seconds, 3))

    def ended(self, account_id: str, effect: Effect) -> None:
        said = {} if effect.ok else {"kind": effect.kind, "message": clean(effect.message)}
        self._tell("step ends", account_id=account_id, step=effect.step.name, ok=effect.ok, **said)

    def finished(self, account_id: str, outcome: str) -> None:
        self._tell("account ends", account_id=account_id, outcome=outcome)

    def _tell(self, event: str, **more: object) -> None:
        with self._lock:
            if self._stop.is_set() and not self._said_stopping:
                self._said_stopping = True
                tell_event("stopping", stream=self._stream)
            tell_event(event, stream=self._stream, **more)


def tell_event(event: str, *, stream: TextIO, **more: object) -> None:
    """One JSON object on a line of its own."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **more}
    print(json.dumps(line), file=stream, flush=True)
