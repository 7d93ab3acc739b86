"""The program's door: Ctrl-C is answered from the first moment on, before what is slow to load is there."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGINT, _stopped)
    from laerecover.cli import main as shell

    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on the verbs clean up behind themselves
    shell()


def _stopped(number: int, frame: object) -> None:
    os.write(2, b"\nlaerecover: stopped; nothing was started\n")
    os._exit(130)


if __name__ == "__main__":
    main()
