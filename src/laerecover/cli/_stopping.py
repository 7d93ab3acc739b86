"""Ctrl-C: once ends calmly, twice ends at once, which is as safe as a power cut."""

from __future__ import annotations

import os
import signal
import sys
import threading

from laerecover.cli._streams import tell
from laerecover.text import shell_line

TOLD_HERE = threading.Event()
"""Is set while a live view, or lines of JSON, tell of a stop themselves: a line from here would spoil them."""
_SENT: list[int] = []
_AT_ONCE = 1.0
"""Seconds that an end at once may take."""


def who_stopped() -> str:
    """Who stopped this process, as far as the signal tells."""
    sent = [signal.Signals(number).name for number in _SENT[:1] if number != signal.SIGINT]
    return f"Stopped by a signal ({sent[0]})" if sent else "Stopped by you"


def stop_on_signals() -> threading.Event:
    """Is set by the first SIGINT, SIGTERM or SIGHUP; a second SIGINT or SIGTERM ends the process with 130.

    A terminal that closes says SIGHUP, often twice (the shell and the system): no second one ends anything. Where it
    was ignored from the start (nohup), it stays so.
    """
    stop = threading.Event()

    def stopped(number: int, frame: object) -> None:
        if stop.is_set():
            if number == signal.SIGHUP:
                return
            tell(f"\nStopped at once. Go on with the same command:  {same_command()}\n".encode())
            _enter_end()
            os._exit(130)
        _SENT.append(number)
        stop.set()
        if not TOLD_HERE.is_set():
            tell(b"\nStopping: the steps in hand are ended or abandoned. Ctrl-C again stops at once.\n")

    signal.signal(signal.SIGINT, stopped)
    signal.signal(signal.SIGTERM, stopped)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stopped)
    return stop


def _enter_end() -> None:
    """The journal's last word of this command; not waited for where it cannot be written now."""
    from laerecover.state.journal import enter_end

    writer = threading.Thread(target=enter_end, args=(130,), daemon=True)
    writer.start()
    writer.join(_AT_ONCE)


def same_command(*more: str) -> str:
    """What was typed, as it must be typed to go on; with these words, too."""
    return shell_line(["laerecover", *(argument for argument in sys.argv[1:] if argument != "--again"), *more])
