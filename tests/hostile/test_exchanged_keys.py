"""Two customers' keys in each other's files: nobody gets another's because one file more speaks for it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from hostile_lab import Lab, keys, signup

from evidence_writer.replacement import make_replacement

PAIR = ("access_key_id", "secret_key")


def three() -> tuple[Lab, list]:
    """A customer with a signup and a replacement, and another customer; of all only their secrets files are left."""
    origin, other = signup("d06", 1), signup("d06", 2)
    when = datetime(2013, 3, 20, tzinfo=UTC)
    later = make_replacement(
        random.Random(7), origin, dialect="d10", when=when, number=41, keys=keys(), throw_away=False
    )
    lab = Lab.of(origin, later, other, csv=False)
    for run in (origin, later, other):
        del lab.files[run.log_file]
    return lab, [origin, later, other]


def exchange(lab: Lab, one, other, names=PAIR) -> None:
    """Exchange fields between two runs' secrets files."""
    first, second = (f"secrets/{run.log_name}" for run in (one, other))
    told = {name: json.loads(lab.files[name]) for name in (first, second)}
    for name in names:
        told[first][name], told[second][name] = told[second][name], told[first][name]
    lab.files |= {name: json.dumps(each).encode() for name, each in told.items()}


@pytest.mark.parametrize("which", [0, 1], ids=["the signup's file", "the replacement's file"])
@pytest.mark.parametrize("names", [PAIR, PAIR[:1], PAIR[1:]], ids=["both keys", "access key", "secret key"])
def test_keys_exchanged_with_another_customer_are_nobodys(which, names, tmp_path):
    """Two files of one account contradict each other, and what either tells, or only one of them, another account
    tells, too: it is not shown which of them is foreign.
    """
    lab, runs = three()
    exchange(lab, runs[which], runs[2], names)
    judged = lab.judge(tmp_path)
    for run in (runs[0], runs[2]):
        row, true = judged.accounts[run.account["account_id"]], run.truth["fields"]
        wrong = [n for n in ("user_access_key_id", "user_secret_key") if row[n] is not None and row[n] != true[n]]
        assert (wrong, row["verdict"]) == ([], "CONTESTED")


def test_unexchanged_they_are_both_recoverable(tmp_path):
    """The same three files, untouched."""
    lab, _ = three()
    judged = lab.judge(tmp_path)
    assert [row["verdict"] for row in judged.accounts.values()] == ["RECOVERABLE"] * 2
