"""Why laerecover stops: each error says what, where, what next.

LaeRecoverError           exit code 2: usage, settings or state refused
 ├─ Guarded               exit code 3: a guard stopped the run
 └─ LockHeld              exit code 75: another runner works on this state

Stopped is no error: it abandons the work in hand, so that the ledger keeps no result for it.
"""

from __future__ import annotations


class LaeRecoverError(Exception):
    """A refusal that an operator can act upon."""

    exit_code = 2

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{what} · {where} · {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step


class Guarded(LaeRecoverError):
    """A guard said no; nothing further was started."""

    exit_code = 3


class LockHeld(LaeRecoverError):
    """Another runner holds the lock of this state folder."""

    exit_code = 75


class Stopped(BaseException):
    """Somebody asked to stop. Not an Exception: nothing may swallow it, the ledger least of all."""
