"""A host's serial console: a terminal, for whoever writes on it asks whether it is one."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_terminal(kept: Path) -> Iterator[tuple[int, str]]:
    """Descriptor and path of a terminal; what is written there comes behind what `kept` holds."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    reader = threading.Thread(target=_copy, args=(ours, kept), daemon=True)
    reader.start()
    try:
        yield theirs, os.ttyname(theirs)
    finally:
        os.close(theirs)
        reader.join(5)
        os.close(ours)


def _copy(ours: int, kept: Path) -> None:
    """Until nobody holds the other side any more."""
    with kept.open("ab", buffering=0) as file:
        while True:
            try:
                said = os.read(ours, 1 << 12)
            except OSError:
                return
            if not said:
                return
            file.write(said)
