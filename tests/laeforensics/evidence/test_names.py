"""Times that never were, and torn secrets in what nobody understood."""

from __future__ import annotations

import shutil
from pathlib import Path

import laeforensics as lf
from laeforensics.facts.fact import Residue
from laeforensics.facts.masking import excerpt

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "evidence"


def test_a_name_whose_digits_are_no_time_is_read_all_the_same(tmp_path):
    """A log named for the 41st day of month 99 keeps the values of its text, and stops nothing."""
    evidence = shutil.copytree(FIXTURES, tmp_path / "evidence")
    log = sorted((evidence / "signup_logs").iterdir())[5]
    before = lf.open_case(evidence).signups.set_index("log_file").loc[f"signup_logs/{log.name}"]
    renamed = log.rename(log.with_name("2012-99-41T256199Z-" + log.name.rpartition("-")[2]))
    after = lf.open_case(evidence).signups.set_index("log_file").loc[f"signup_logs/{renamed.name}"]
    assert before["bucket_name"] is not None
    assert after["bucket_name"] == before["bucket_name"]


def test_a_csv_row_of_a_day_that_never_was_is_damaged(tmp_path):
    """The 31st of February is no time: the row is a finding, not a crash, and tells nothing."""
    evidence = shutil.copytree(FIXTURES, tmp_path / "evidence")
    for name in ("signups.csv", "activation_requests.csv"):
        path = evidence / name
        changed = path.read_bytes().replace(b"2011-11-29T", b"2011-02-31T")
        assert changed != path.read_bytes()
        path.write_bytes(changed)
    found = lf.open_case(evidence).findings.query("code == 'damaged-row'")
    assert set(found["signup"]) == {"signups.csv", "activation_requests.csv"}
    assert all("no time" in message for message in found["message"])


def test_a_torn_secret_is_not_shown_as_residue():
    """Half a secret is secret, however short; a residue's repr shows its place only."""
    for line in ("secret_key = 'halfASecret\n", "usertoken = '{UserToken}AA\n", "y = 'halfASecret\n"):
        assert "half" not in excerpt(line)
        assert "{UserToken}AA" not in excerpt(line)
        assert "half" not in repr(Residue("log", 1, 0, 9, line))
