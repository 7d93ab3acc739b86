"""How far joining is: told every few seconds, with its expected end; where nothing moves any more, it ends.

Sent to hosts as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone

from laerecover.hosts.programs.bucket_shares import Listed

STALLED = 88
"""The program's exit status when nothing has moved for too long."""
PATIENCE = 600.0
"""Seconds without anything done after which nobody waits any longer."""
EACH = 256 << 10
"""A share takes about as long as so many bytes more."""
QUIET = 15.0
"""Seconds without anything done after which that is told."""
TELL = 5.0
"""Seconds between two lines."""


class Progress:
    """What is done of what is to be done; told every few seconds, and whether anything moves at all.

    From the first listing to the last: as long as a `with` lasts.
    """

    def __init__(self) -> None:
        self.stage, self.work = "listing", 0
        self.shares = self.bytes = self.done = self.moved = self.found = 0
        self._lock, self._ended, self._last = threading.Lock(), threading.Event(), time.monotonic()
        self.begun = self._last

    def __enter__(self) -> Progress:
        threading.Thread(target=self._tell, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()

    def listed(self, listing: Iterable[Listed], stage: str) -> Iterator[Listed]:
        """The same objects, each of which is something that moves."""
        for number, entry in enumerate(listing, start=1):
            self.stage, self._last = f"{stage}, {number:,} objects", time.monotonic()
            yield entry

    def begin(self, sizes: Sequence[int]) -> None:
        """Shares of these sizes are to be done."""
        self.shares, self.bytes = len(sizes), sum(sizes)
        self.work, self.begun, self.stage = self.bytes + EACH * self.shares, time.monotonic(), ""

    def at(self, stage: str) -> None:
        """What comes now has no parts that could be counted."""
        self.stage, self._last = stage, time.monotonic()

    def move(self, count: int, *, shares: int = 0, found: bool = False) -> None:
        """So many bytes, so many shares more. `found`: they were there, which took no time."""
        with self._lock:
            self.moved, self.done, self._last = self.moved + count, self.done + shares, time.monotonic()
            self.found += (count + EACH * shares) if found else 0

    @property
    def text(self) -> str:
        """As people read it."""
        if self.stage:
            return f"joining: {self.stage}"
        moved = min(self.moved, self.bytes)
        told = f"joining: {self.done:,} of {self.shares:,} shares, {moved / 1e9:.2f} of {self.bytes / 1e9:.2f} GB"
        spent, done = time.monotonic() - self.begun, moved + EACH * self.done
        if done <= self.found:
            return told
        end = datetime.now(timezone.utc) + timedelta(seconds=spent * (self.work - done) / (done - self.found))
        return f"{told}, expected end {end:%Y-%m-%d %H:%M:%S} UTC"

    def _tell(self) -> None:
        while not self._ended.wait(TELL):
            quiet = time.monotonic() - self._last
            say(
                self.text
                if quiet < QUIET
                else f"{self.text}; nothing was done for {quiet:.0f} s: does the store answer?"
            )
            if quiet > PATIENCE:
                say(f"nothing was done for {PATIENCE:.0f} s: the store does not answer")
                os._exit(STALLED)


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
