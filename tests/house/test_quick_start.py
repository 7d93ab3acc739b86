"""The doors open quickly: heavy imports happen where they are used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from recoveries.vintages import vintages

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
HEAVY = {"pandas", "pyarrow", "numpy", "boto3", "botocore", "dbos", "sqlalchemy", "paramiko", "lark", "matplotlib"}
RUN = """
import sys
sys.argv = {!r}
if sys.argv[0] == "laerecover":
    from laerecover.cli import main
else:
    from laeforensics.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""


def imported_by(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has imported after `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint()\nprint(*sys.modules)"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    return HEAVY & set(told.stdout.rstrip("\n").rpartition("\n")[2].split())


@pytest.mark.parametrize(
    ("code", "borne"),
    [
        ("import laeforensics", set()),
        ("import laerecover", set()),
        (RUN.format(["laerecover", "--help"]), set()),
        (RUN.format(["laeforensics", "--help"]), set()),
    ],
    ids=["import laeforensics", "import laerecover", "laerecover --help", "laeforensics --help"],
)
def test_nothing_heavy_is_imported_at_the_door(code, borne):
    """What is imported is counted, not timed: no table, cloud, ledger or parser library."""
    assert imported_by(code) - borne == set()


def test_how_far_it_is_needs_no_engine(tmp_path, monkeypatch):
    """A ledger as the engine keeps it is read without the engine, and without what that brings along."""
    monkeypatch.setenv("HOME", str(tmp_path))  # with a key of the home folder the manifest is read, too
    killed = "recoveries/drill/append_record.after-act"
    state = vintages()[0].unpack(tmp_path, killed) / killed / "state"
    code = RUN.format(["laerecover", "status", str(tmp_path / "manifest.parquet"), "--state", str(state)])
    assert imported_by(code) == set()
    with closing(sqlite3.connect(state / "ledger.sqlite")) as db, db:
        db.execute("UPDATE dbos_migrations SET version = version + 1")
    assert imported_by(code) == {"dbos", "sqlalchemy"}


def test_the_count_would_notice():
    """The same count names lark as soon as the case module is used."""
    assert "lark" in imported_by("import laeforensics; laeforensics.open_case")


def test_an_audit_needs_no_pandas(tmp_path):
    """The manifest, its table and its page are written without pandas: that takes half a second and forty megabytes."""
    words = ["laeforensics", "audit", str(FIXTURES), "--output", str(tmp_path / "m" / "manifest.parquet")]
    words += ["--key-file", str(tmp_path / "key" / "manifest.key"), "--case", str(tmp_path / "case")]
    loaded = imported_by(RUN.format(words))
    assert "pyarrow" in loaded
    assert "pandas" not in loaded
