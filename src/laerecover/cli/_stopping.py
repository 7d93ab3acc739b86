"""Ctrl-C: once ends calmly, twice ends at once, which is as safe as a power cut."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading

_SENT: list[int] = []


def who_stopped() -> str:
    """Who stopped this process, as far as the signal tells."""
    return "Stopped by a signal (SIGTERM)" if signal.SIGTERM in _SENT[:1] else "Stopped by you"


def stop_on_signals() -> threading.Event:
    """Is set by the first SIGINT or SIGTERM; the second ends the process with 130."""
    stop = threading.Event()

    def stopped(number: int, frame: object) -> None:
        if stop.is_set():
            os.write(2, f"\nStopped at once. Go on with the same command:  {same_command()}\n".encode())
            os._exit(130)
        _SENT.append(number)
        stop.set()
        os.write(2, b"\nStopping: the steps in hand are ended or abandoned. Ctrl-C again stops at once.\n")

    signal.signal(signal.SIGINT, stopped)
    signal.signal(signal.SIGTERM, stopped)
    return stop


def same_command() -> str:
    """What was typed, as it must be typed to go on."""
    return shlex.join(["laerecover", *(argument for argument in sys.argv[1:] if argument != "--again")])
