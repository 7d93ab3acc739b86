"""What the name of a log tells: when its run began, what its files share; a time that never was tells nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from makings import (
    NAME,
    SEED,
)

import laeforensics as lf
from laeforensics.evidence.names import start_of, stem

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


@pytest.mark.parametrize(
    ("name", "stemmed", "start"),
    [
        (f"signup_logs/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (f"leastauthority.com/signup_logs/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (f"secrets/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (
            "secrets/PLAN/2014-06-01T010203Z-ab-cd/SSEC2",
            "secrets/PLAN/2014-06-01T010203Z-ab-cd",
            ("2014-06-01T01:02:03Z", "ab-cd"),
        ),
        (
            "secrets/PLAN/2014-06-01T010203Z-ab-cd/signup_logs",
            "secrets/PLAN/2014-06-01T010203Z-ab-cd",
            ("2014-06-01T01:02:03Z", "ab-cd"),
        ),
        ("signup_logs/notes.txt", "notes.txt", None),
        ("signup_logs/2012-03-20-ab", "2012-03-20-ab", None),
    ],
)
def test_a_name_tells_when_a_run_began_and_what_its_files_share(name, stemmed, start):
    """TIMESTAMP-SEED, in either layout; another name tells nothing."""
    assert (stem(name), start_of(name)) == (stemmed, start)
