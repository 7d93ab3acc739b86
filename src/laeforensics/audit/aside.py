"""What a human set aside: files that were not read, because they are no evidence, or none that is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from laeforensics.audit.decisions import FILE, SET_ASIDE, need_reason, record, refused
from laeforensics.errors import DecisionError
from laeforensics.evidence.read import lines_beside
from laeforensics.reading.unread import Unread

_WITHDRAWN = "withdrawn"
"""Stands for the cause in a line that takes the ones before it back; no file has it."""


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

    @classmethod
    def of(cls, unread: Unread) -> SetAside:
        """The file as it is today; nobody has said anything yet."""
        return cls(set_aside=unread.file, sha256=unread.sha256, cause=str(unread.problem), who="", because="", at="")

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


def decide(
    name: str, known: Iterable[SetAside], *, who: str, because: str, now: datetime, folder: Path, is_undone: bool
) -> list[SetAside]:
    """Record in the case folder (made if missing) that a file is set aside, or `is_undone`; with an archive all of it.

    A name with `*` means all that it fits: each is recorded by itself, with its digest.

    `known` is what may be meant: the files that are unread, or those that are set aside.
    Raises DecisionError: nothing of that name is, or no reason is given. OSError.
    """
    known, which = list(known), "set aside" if is_undone else "unread"
    meant = [one for one in known if one.set_aside == name or one.set_aside.startswith(f"{name}/")]
    meant = meant or [one for one in known if "*" in name and fnmatchcase(one.set_aside, name)]
    if not meant:
        names = ", ".join(one.set_aside for one in known[:5]) or "none"
        raise DecisionError(f"no file of that name is {which}", where=name, next_step=f"{which} here: {names}")
    need_reason(who, because, name)
    said = {"who": who, "because": because, "at": now.isoformat(timespec="seconds")}
    found = [replace(one, cause=_WITHDRAWN if is_undone else one.cause, **said) for one in meant]
    record(folder, map(asdict, found))
    return found


def load(folder: Path) -> list[SetAside]:
    """What was set aside in a case folder, in its order. Raises DecisionError: a line is damaged."""
    found = lines_beside(folder / FILE, lambda told: SetAside(**told) if SET_ASIDE in told else None, refused(folder))
    return list(found)


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
