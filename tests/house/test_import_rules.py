"""Imports point one way: the contracts of pyproject.toml, kept and able to break."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")

# A module, an import that it must not make, and words of the contract that forbids it.
TRESPASSES = (
    ("laerecover/planning/plan.py", "import lark", "laerecover never imports"),
    ("laerecover/planning/plan.py", "import pandas", "laerecover never imports"),
    ("laerecover/planning/plan.py", "import laeforensics.audit.rules", "laerecover never imports"),
    ("laeforensics/audit/rules.py", "import laerecover.settings", "imports of laerecover only the manifest"),
    ("laeforensics/audit/rules.py", "import boto3", "laeforensics never imports"),
    ("laeforensics/audit/rules.py", "import lark", "only laeforensics.parsing.parser"),
    ("laeforensics/facts/fields.py", "import laeforensics.audit.rules", "the rooms of laeforensics"),
    ("laerecover/planning/plan.py", "import paramiko", "only laerecover.adapters"),
    ("laerecover/planning/plan.py", "import smtplib", "only laerecover.adapters"),
    ("laerecover/planning/plan.py", "import dbos", "only laerecover.runbook.engine"),
    ("laerecover/hosts/vault.py", "import laerecover.planning.plan", "the rooms of laerecover"),
)


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over `root`/src with `root`/pyproject.toml."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [LINTER, "--no-cache", "--config", root / "pyproject.toml"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_every_contract_is_kept():
    """import-linter finds no import that pyproject.toml forbids."""
    told = lint(ROOT)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_contract_can_break(tmp_path):
    """A copy of the tree with one forbidden import of each kind breaks every contract."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line, _ in TRESPASSES:
        path = tmp_path / "src" / name
        path.write_text(f"{path.read_text('utf-8')}\n\n{line}\n", "utf-8")
    told = lint(tmp_path)
    broken = [line for line in told.stdout.split("\n") if " BROKEN" in line]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert told.returncode == 1, told.stdout + told.stderr
    assert len(broken) == len(contracts)
    for _, _, words in TRESPASSES:
        assert any(words in line for line in broken), (words, broken)


@pytest.mark.parametrize("path", sorted((ROOT / "src/laerecover/manifest").glob("*.py")), ids=lambda path: path.name)
def test_the_manifest_stands_on_the_standard_library_and_pyarrow(path):
    """The contract between the packages imports nothing else: whoever reads a manifest needs nothing else."""
    allowed = {*sys.stdlib_module_names, "pyarrow"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for name in names:
            own = name.startswith("laerecover.manifest")
            assert own or name.split(".")[0] in allowed, f"{path.name} line {node.lineno} imports {name}"
