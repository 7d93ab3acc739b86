"""What the reader says today of two folders is what it said when a human looked."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from tables import EVIDENCE, FIXTURES, MINI, MINI_COLUMNS, evidence_table, mini_table

import laeforensics as lf
from laeforensics.facts.fields import SIGNUP_FIELDS


def test_the_fixtures_read_as_they_did():
    """Role, stage, outcome, verdict, grade and every value of fixtures/evidence; tables.py writes the table anew."""
    assert evidence_table(lf.open_case(FIXTURES)) == EVIDENCE.read_text("utf-8")


def _rows(text: str) -> dict[str, dict[str, str]]:
    return {row["seed"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture(scope="module")
def mini() -> lf.Case:
    """The case of the folder that LAE_EVIDENCE names, if it is the one of the table."""
    folder = os.environ.get("LAE_EVIDENCE")
    if not folder:
        pytest.skip("LAE_EVIDENCE names no folder of real logs")
    names = [path.name for path in Path(folder).rglob("*") if path.is_dir() or "signup_logs" in path.parts]
    missing = [seed for seed in _rows(MINI.read_text("utf-8")) if not any(f"Z-{seed}" in name for name in names)]
    if missing:
        pytest.skip(f"LAE_EVIDENCE names another folder: {len(missing)} logs of the table are not in it")
    return lf.open_case(folder)


def test_real_logs_read_as_they_did(mini):
    """Thirteen logs that the original programs printed: role, stage, outcome, verdict, grade, reason, what is known."""
    assert _rows(mini_table(mini)) == _rows(MINI.read_text("utf-8"))


def test_real_logs_leave_no_residue_and_nothing_contested(mini):
    """Every line of the thirteen is understood, and no two witnesses contradict each other."""
    assert len(mini.residue) == 0
    assert [a.account_id for a in mini.accounts if a.contested] == []


def test_the_table_of_real_logs_holds_no_value():
    """Thirteen rows of judgements and field names, from fixed lists of words."""
    rows = list(csv.DictReader(MINI.open(encoding="utf-8")))
    assert len(rows) == 13
    words = {"origin", "attempt", "complete", "failed", "RECOVERABLE", "UNFINISHED", "ABANDONED", ""}
    words |= {
        "IDENTITY_KEPT",
        "NEW_STORAGE_IDENTITY",
        "mail_sent",
        "settings_told",
        "installing",
        "activated",
        "activating",
    }
    reasons = {"no attested", "bucket", "introducer PROVED", "storage PROVED", "introducer ABSENT", "storage ABSENT"}
    reasons |= {"never-ready", "no attested bucket"}
    for row in rows:
        assert tuple(row) == MINI_COLUMNS
        assert len(row["seed"]) == 8
        assert set(row["known"].split()) <= set(SIGNUP_FIELDS)
        assert set(row["reason"].split(", ")) <= reasons
        assert {row[name] for name in ("role", "stage", "outcome", "verdict", "grade")} <= words
