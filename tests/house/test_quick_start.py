"""The doors open quickly: heavy imports happen where they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
HEAVY = {"pandas", "pyarrow", "numpy", "boto3", "botocore", "dbos", "sqlalchemy", "paramiko", "lark", "matplotlib"}
HELP = """
import sys
from {0}.cli import main
sys.argv = ["{0}", "--help"]
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
        (HELP.format("laerecover"), set()),
        (HELP.format("laeforensics"), set()),
    ],
    ids=["import laeforensics", "import laerecover", "laerecover --help", "laeforensics --help"],
)
def test_nothing_heavy_is_imported_at_the_door(code, borne):
    """What is imported is counted, not timed: no table, cloud, ledger or parser library."""
    assert imported_by(code) - borne == set()


def test_the_count_would_notice():
    """The same count names lark as soon as the case module is used."""
    assert "lark" in imported_by("import laeforensics; laeforensics.open_case")


def test_an_audit_needs_no_pandas(tmp_path):
    """The manifest, its table and its page are written without pandas: that takes half a second and forty megabytes."""
    words = ["laeforensics", "audit", str(FIXTURES), "--output", str(tmp_path / "m" / "manifest.parquet")]
    words += ["--key-file", str(tmp_path / "key" / "manifest.key"), "--case", str(tmp_path / "case")]
    code = f"""
import sys
from laeforensics.cli import main
sys.argv = {words!r}
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    loaded = imported_by(code)
    assert "pyarrow" in loaded
    assert "pandas" not in loaded
