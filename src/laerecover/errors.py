"""Why laerecover stops: each error says what, where, what next.

LaeRecoverError           exit code 2: usage, settings or state refused
 ├─ Guarded               exit code 3: a guard stopped the run
 └─ LockHeld              exit code 75: another runner works on this state

Stopped is no error: it abandons the work in hand, so that the ledger keeps no result for it.
"""

from __future__ import annotations

from laerecover.manifest import OperatorError
from laerecover.text import clean

_COMMAND = 4000
"""A command that is to be pasted is never cut within a screen or two."""
_MEND = "mend it and run the same command again; it goes on where it stopped"
_DATABASE_TROUBLES = tuple(
    f"SQLITE_{trouble}"
    for trouble in ("BUSY", "CANTOPEN", "CORRUPT", "FULL", "IOERR", "LOCKED", "NOTADB", "PERM", "READONLY")
)
"""What SQLite says of a file and its disk, in words that are never about a value; the rest is a mistake of ours."""


class LaeRecoverError(OperatorError):
    """A refusal that an operator can act upon."""

    exit_code = 2


class Guarded(LaeRecoverError):
    """A guard said no; nothing further was started."""

    exit_code = 3


class LockHeld(LaeRecoverError):
    """Another runner holds the lock of this state folder."""

    exit_code = 75


class Stopped(BaseException):
    """Somebody asked to stop. Not an Exception: nothing may swallow it, the ledger least of all."""


def explain(error: Exception) -> str:
    """What, where, what next: for an operator at three in the morning.

    Knows errors of the system and our own mistakes, too.
    """
    if isinstance(error, OperatorError):
        what, where, after = error.what, error.where, error.next_step
    elif isinstance(error, OSError):
        what, where = error.strerror or type(error).__name__, error.filename or "this machine"
        after = _MEND
    elif (name := getattr(error, "sqlite_errorname", "")).startswith(_DATABASE_TROUBLES):
        what, where, after = f"a database cannot be used ({name}): {error}", "the state folder", _MEND
    else:
        what, where = f"a mistake in laerecover ({type(error).__name__})", "unknown; --traceback shows it"
        after = "please report it; what was done is in the ledger, and the same command goes on"
    places = "\n          ".join(clean(place) for place in str(where).split("\n"))
    return f"laerecover: {clean(what)}\n  where   {places}\n  next    {clean(after, limit=_COMMAND)}"


class StepFailed(Exception):
    """A step gives up. `follow_up`: the account is recovered all the same, but a human has something left to do."""

    def __init__(self, message: str, *, kind: str, follow_up: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.follow_up = follow_up
