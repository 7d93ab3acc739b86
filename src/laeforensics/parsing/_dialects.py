"""Which program of which weeks wrote a log: recognised by its lines, never needed to read a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laeforensics.parsing.meanings import Dialect, dialects

if TYPE_CHECKING:
    from laeforensics.parsing.logs import SignupLog


def recognise(log: SignupLog) -> str:
    """The dialect's label as in the dated table of the formats; "" for a file in which nothing was recognised."""
    if not log.facts:
        return ""
    return next(dialect.label for dialect in dialects() if _bears(log, dialect))


def _bears(log: SignupLog, dialect: Dialect) -> bool:
    announced, marks = log.announcements, log.marks
    if not (dialect.unless.isdisjoint(announced) and dialect.unless.isdisjoint(marks)):
        return False
    has_sign = bool(dialect.announced or dialect.marked)
    return not (has_sign and dialect.announced.isdisjoint(announced) and dialect.marked.isdisjoint(marks))
