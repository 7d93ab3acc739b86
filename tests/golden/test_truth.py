"""The reader against the truth of generated folders: no wrong value, and every value that stands in the evidence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from doors import Secret
from tables import FIXTURES

import laeforensics as lf
from evidence_writer import write_evidence
from evidence_writer.dialects import DIALECTS

OF_A_LOG = ("role", "stage", "outcome")
OF_AN_ACCOUNT = ("verdict", "grade", "introducer_identity", "storage_identity", "log_file")


@dataclass
class Score:
    """What was found of what is true.

    A field named in `unsure` may be the value or None, and is counted only if given.
    """

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)

    def add(self, record: dict[str, Any], row: dict[str, Any]) -> None:
        where = f"{record.get('dialect', '')} {record['kind']} {record['log_file'] or record.get('account_id')}"
        for name in OF_A_LOG if record["kind"] == "log" else OF_AN_ACCOUNT:
            if row[name] != record[name] and name not in record["unsure"]:
                self.judged.append(f"{where}: {name} is {row[name]}, not {record[name]}")
        for name, true in record["fields"].items():
            value = row[name].reveal() if isinstance(row[name], Secret) else row[name]
            if value == true:
                self.right += value is not None
            elif value is not None:
                self.wrong.append(f"{where}: {name}")
            elif name not in record["unsure"]:
                self.missed.append(f"{where}: {name}")

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.wrong))

    @property
    def recall(self) -> float:
        return self.right / (self.right + len(self.missed))


def score(folder: Path, truth: list[dict[str, Any]]) -> Score:
    """Hold every row of signups and audit against its record; a row too many or too few is wrong."""
    case = lf.open_case(folder)
    logs = {row["log_file"]: row for row in case.signups.to_dict("records")}
    accounts = {row["account_id"]: row for row in case.audit.to_dict("records")}
    assert sorted(r["log_file"] for r in truth if r["kind"] == "log") == sorted(logs)
    assert sorted(r["account_id"] for r in truth if r["kind"] != "log") == sorted(accounts)
    found = Score()
    for record in truth:
        found.add(record, logs[record["log_file"]] if record["kind"] == "log" else accounts[record["account_id"]])
    return found


def test_the_fixtures_are_read_without_a_fault():
    """fixtures/evidence against its truth: precision 1.0, recall 1.0, every judgement right."""
    lines = FIXTURES.with_name("evidence.truth.jsonl").read_text("utf-8").split("\n")
    found = score(FIXTURES, [json.loads(line) for line in lines if line])
    assert (found.wrong, found.missed, found.judged) == ([], [], [])
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.right > 500


@pytest.mark.parametrize("seed", [11, 12])
def test_generated_folders_of_all_dialects_are_read_without_a_fault(seed, tmp_path):
    """Eighty accounts with their failures, losses, replacements and re-records: precision 1.0, recall 1.0."""
    truth = write_evidence(tmp_path, seed=seed, accounts=80, dialects=list(DIALECTS), noise="small")
    assert {record["dialect"] for record in truth if record["kind"] == "log"} >= set(DIALECTS)
    found = score(tmp_path, truth)
    assert (found.wrong, found.missed, found.judged) == ([], [], [])
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.right > 2000


def test_a_wrong_and_a_missing_value_are_counted():
    """The score can fail: a changed truth makes a value wrong, a value that nobody wrote is missed."""
    lines = FIXTURES.with_name("evidence.truth.jsonl").read_text("utf-8").split("\n")
    truth = [json.loads(line) for line in lines if line]
    first = next(r for r in truth if r["kind"] == "log" and r["fields"]["customer_keyinfo"] is None)
    first["fields"] |= {"public_host": "192.0.2.254", "customer_keyinfo": "0xABCD"}
    found = score(FIXTURES, truth)
    assert [text.rpartition(": ")[2] for text in found.wrong] == ["public_host"]
    assert [text.rpartition(": ")[2] for text in found.missed] == ["customer_keyinfo"]
    assert found.precision < 1.0
    assert found.recall < 1.0
