"""What the verbs that recover do alike: a display, a calm stop, the report at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import print_json
from laerecover.cli._stopping import same_command, stop_on_signals

if TYPE_CHECKING:
    from laerecover.recovery import Watch
    from laerecover.report.report import Report
    from laerecover.state.state import State


def work(
    json_: bool,
    events: str | None,
    operation: Callable[[threading.Event, Watch], tuple[State, Report]],
    *,
    quiet: bool = False,
) -> None:
    """Drill or run: with a display, a calm stop, and the report at the end; if `quiet`, only if something failed."""
    from laerecover.cli._conclusion import show_interrupted, show_report
    from laerecover.cli._show import watcher

    if events not in (None, "jsonl"):
        raise typer.BadParameter("--events is jsonl")

    begun, stop = time.monotonic(), stop_on_signals()
    state, made = operation(stop, lambda planned: watcher(planned, json_=json_, stop=stop, events=events, quiet=quiet))
    if json_:
        print_json(made.body)
    elif made.exit_code or not quiet:
        show_report(made, state.folder)
    if stop.is_set():
        if not (json_ and events):
            show_interrupted(
                made, state, time.monotonic() - begun, same_command(), stream=sys.stdout if events else sys.stderr
            )
        raise typer.Exit(130)
    raise typer.Exit(made.exit_code)
