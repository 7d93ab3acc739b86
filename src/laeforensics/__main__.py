"""The program's door: Ctrl-C is answered from the first moment on, before what is slow to load is there."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGINT, _stopped)
    from laeforensics.cli import main as shell

    shell()


def _stopped(number: int, frame: object) -> None:
    os.write(2, b"\nlaeforensics: stopped by you; the evidence is as it was\n")
    os._exit(130)


if __name__ == "__main__":
    main()
