"""The committed table of figures: one row for each class of damage and scale, and what counts as worse."""

from __future__ import annotations

import csv
import fcntl
import io
from collections.abc import Mapping
from pathlib import Path

from damages.classes import CLASSES
from damages.written import FULL, TENTH

TABLE = Path(__file__).resolve().parents[1] / "table.csv"
SCALES = {"full": FULL, "tenth": TENTH}
GIVEN = ("hit", "sound")  # of the damage itself: how many accounts it was aimed at, how many were RECOVERABLE before
BAD = ("wrong", "wrong_recoverable", "wrong_told", "wrong_logs", "raised", "grades_raised", "ghosts", "lowered")
BAD += ("given_up", "crashes")
GOOD = ("kept",)
SET_ASIDE = "set_aside"  # of those given up: what is no reader's fault
COLUMNS = (*GIVEN, *BAD, SET_ASIDE, *GOOD)
Figures = dict[str, int]
Rows = dict[tuple[str, str], Figures]  # by class and scale


def read(text: str | None = None) -> Rows:
    """The committed table (empty where there is none yet), or a text of its form."""
    if text is None:
        text = TABLE.read_text("utf-8") if TABLE.exists() else ""
    found = csv.DictReader(io.StringIO(text))
    return {(row["class"], row["scale"]): {name: int(row[name]) for name in COLUMNS} for row in found}


def not_set_aside(figures: Mapping[str, int]) -> int:
    """The accounts given up of which the evidence does tell the truth."""
    return figures["given_up"] - figures[SET_ASIDE]


def text_of(rows: Rows) -> str:
    """The table as it is committed: sorted; a class that is no more has no row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("class", "scale", *COLUMNS))
    for name, scale in sorted(rows):
        if name in CLASSES:
            writer.writerow((name, scale, *(rows[name, scale][column] for column in COLUMNS)))
    return out.getvalue()


def put(name: str, scale: str, figures: Mapping[str, int]) -> None:
    """Write one row anew; other processes may be writing others."""
    with TABLE.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = read(file.read())
        rows[name, scale] = {column: figures[column] for column in COLUMNS}
        file.truncate(0)
        file.write(text_of(rows))


def changes(before: Mapping[str, int], after: Mapping[str, int], *, worse: bool) -> list[str]:
    """The figures that got worse, or better: `wrong 3 -> 5`."""
    signs = {**dict.fromkeys(BAD, 1), **dict.fromkeys(GOOD, -1)}
    figures = [{**each, "given_up and not set aside": not_set_aside(each)} for each in (before, after)]
    signs["given_up and not set aside"] = 1
    steps = {name: (figures[1][name] - figures[0][name]) * sign for name, sign in signs.items()}
    return [
        f"{name} {figures[0][name]} -> {figures[1][name]}"
        for name in steps
        if (steps[name] > 0 if worse else steps[name] < 0)
    ]


def other_damage(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """What shows that the damage itself is another than when the row was written."""
    return [f"{name} {before[name]} -> {after[name]}" for name in GIVEN if before[name] != after[name]]


def total(rows: Rows, scale: str) -> Figures:
    """The sum over all classes."""
    of_scale = [figures for (_, each), figures in rows.items() if each == scale]
    return {name: sum(figures[name] for figures in of_scale) for name in COLUMNS}
