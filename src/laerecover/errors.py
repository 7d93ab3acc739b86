"""Why laerecover stops: each error says what, where, what next.

LaeRecoverError           exit code 2: usage, settings or state refused
 ├─ Mistakes              exit code 2: several mistakes at once, each with its place
 ├─ Guarded               exit code 3: a guard stopped the run
 └─ LockHeld              exit code 75: another runner works on this state

Stopped is no error: it abandons the work in hand, so that the ledger keeps no result for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from laerecover.manifest import OperatorError
from laerecover.text import clean

T = TypeVar("T")
U = TypeVar("U")
_NOTHING = "; nothing was started"
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


class Mistakes(LaeRecoverError):
    """Mistakes in what the operator wrote, each with its place; `of` what they are; `what`: all of them in words."""

    def __init__(self, mistakes: Sequence[tuple[str, str]], *, of: str = "", what: str = "", next_step: str) -> None:
        said, where = mistakes[0]
        if what or len(mistakes) > 1:
            said = what or f"{len(mistakes)} {of} are missing or wrong"
            where = "\n".join(f"{wrong} · {place}" for wrong, place in mistakes)
        super().__init__(said, where=where, next_step=next_step)
        self.mistakes = tuple(mistakes)


def together(one: Callable[[], T], other: Callable[[], U]) -> tuple[T, U]:
    """What both give. Raises what one of them was refused for; if both were, one error that tells each mistake once."""
    answers: list[Any] = []
    refused: list[OperatorError] = []
    for question in (one, other):
        try:
            answers.append(question())
        except OperatorError as error:
            refused.append(error)
    if not refused:
        return answers[0], answers[1]
    told = [error.mistakes if isinstance(error, Mistakes) else ((error.what, error.where),) for error in refused]
    if len(refused) == 1 or told[0] == told[1]:
        raise refused[0]
    steps = dict.fromkeys(error.next_step.removesuffix(_NOTHING) for error in refused)
    mistakes = list(dict.fromkeys([*told[0], *told[1]]))
    raise Mistakes(mistakes, of="things", next_step=f"{'; '.join(steps)}{_NOTHING}") from refused[0]


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
