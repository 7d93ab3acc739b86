"""The doors open quickly: heavy imports happen where they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
    """The same count names pandas and lark as soon as the case module is used."""
    assert {"pandas", "lark"} <= imported_by("import laeforensics; laeforensics.open_case")
