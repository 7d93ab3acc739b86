"""Patience: how the world is asked again, with pauses that grow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from laerecover.errors import StepFailed
from laerecover.ports.services import Clock

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 30.0
_TRIES_AT_LEAST = 5
"""A machine that was too busy to ask must not call it a deadline."""


def nobody_watches(what: str, seconds: float) -> None:
    """Nobody is watching who waits."""
    del what, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """One account's. Pauses are spread by account, so that not all of them ask at once."""

    account_id: str
    clock: Clock
    waiting: Callable[[str, float], None] = nobody_watches
    """Tells the people watching: what is waited for, how many seconds at the latest."""

    def pause(self, tries: int, until: float, what: str, reason: str) -> None:
        """Wait before asking again, longer each time; StepFailed (`deadline`) when time is up.

        `until`: on the clock's own count of seconds.
        """
        left = max(0.0, until - self.clock.monotonic())
        if left == 0 and tries >= _TRIES_AT_LEAST:
            raise StepFailed(f"{what}: {reason}; waited as long as the settings say", kind="deadline")
        spread = hashlib.sha256(f"{self.account_id} {tries}".encode()).digest()[0] / 255
        self.waiting(f"{what}: {reason}", left)
        self.clock.sleep(min(max(left, 1.0), _LONGEST_PAUSE, _FIRST_PAUSE * 1.6**tries * (0.5 + spread)))
