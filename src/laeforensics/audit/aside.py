"""What a human set aside: files that were not read, because they are no evidence, or none that is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from laeforensics.audit.decisions import FILE, lines_of, record
from laeforensics.errors import DecisionError
from laeforensics.reading.unread import Unread

_WITHDRAWN = "withdrawn"
"""Stands for the cause in a line that takes the ones before it back; no file has it."""
KEY = "set_aside"
"""By it a line of the decisions is known as one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One file that was set aside: its name, its SHA-256, why it could not be read; who says so, why, when (UTC, ISO).

    It does not outlive a change of the file; for one that could not be hashed it holds while the cause is the same.
    """

    set_aside: str
    sha256: str
    cause: str
    who: str
    because: str
    at: str

    def covers(self, unread: Unread) -> bool:
        """True if this file was set aside, as it is today."""
        same = self.sha256 == unread.sha256 if unread.sha256 else self.cause == str(unread.problem)
        return self.set_aside == unread.file and same

    def withdraws(self, unread: Unread) -> bool:
        """True if it takes back what was decided about this file before."""
        return self.cause == _WITHDRAWN and self.set_aside == unread.file

    def __str__(self) -> str:
        how = "no longer set aside" if self.cause == _WITHDRAWN else "set aside"
        return f"{self.set_aside}: {how}, says {self.who} on {self.at[:10]}: {self.because}"


def set_aside(
    name: str, unread: Sequence[Unread], *, who: str, because: str, now: datetime, folder: Path
) -> list[SetAside]:
    """Record in the case folder (made if missing) that a file is set aside; with an archive all its unread members.

    Raises DecisionError: nothing of that name was unread, or no reason is given. OSError.
    """
    meant = [u for u in unread if u.file == name or u.file.startswith(f"{name}/")]
    if not meant:
        names = ", ".join(u.file for u in unread[:5]) or "none"
        raise DecisionError("no file of that name is unread", where=name, next_step=f"unread here: {names}")
    if not because.strip() or not who.strip():
        raise DecisionError("a decision needs a name and a reason", where=name, next_step="give --who and --because")
    at = now.isoformat(timespec="seconds")
    found = [
        SetAside(set_aside=u.file, sha256=u.sha256, cause=str(u.problem), who=who, because=because, at=at)
        for u in meant
    ]
    record(folder, map(asdict, found))
    return found


def withdraw(
    name: str, aside: Sequence[SetAside], *, who: str, because: str, now: datetime, folder: Path
) -> list[SetAside]:
    """Record that a file that was set aside, with all members of an archive, is waited for again.

    Raises DecisionError: nothing of that name is set aside, or no reason is given. OSError.
    """
    meant = [one for one in aside if one.set_aside == name or one.set_aside.startswith(f"{name}/")]
    if not meant:
        names = ", ".join(one.set_aside for one in aside[:5]) or "none"
        raise DecisionError("no file of that name is set aside", where=name, next_step=f"set aside here: {names}")
    if not because.strip() or not who.strip():
        raise DecisionError("a decision needs a name and a reason", where=name, next_step="give --who and --because")
    at = now.isoformat(timespec="seconds")
    found = [replace(one, cause=_WITHDRAWN, who=who, because=because, at=at) for one in meant]
    record(folder, map(asdict, found))
    return found


def load(folder: Path) -> list[SetAside]:
    """What was set aside in a case folder, in its order. Raises DecisionError: a line is damaged."""
    found = []
    for number, told in lines_of(folder):
        if KEY in told:
            try:
                found.append(SetAside(**told))
            except TypeError:
                raise DecisionError(
                    f"line {number} is no decision", where=str(folder / FILE), next_step="mend or remove that line"
                ) from None
    return found


def covered(
    unread: Iterable[Unread], decided: Sequence[SetAside]
) -> tuple[list[Unread], list[tuple[Unread, SetAside]]]:
    """What stays unread, and what was set aside, with the last decision about it."""
    left, aside = [], []
    for one in unread:
        decision = next((d for d in reversed(decided) if d.covers(one) or d.withdraws(one)), None)
        if decision is None or decision.withdraws(one):
            left.append(one)
        else:
            aside.append((one, decision))
    return left, aside
