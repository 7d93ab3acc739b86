"""The doors of the Makefile and of .ci/run: each test belongs to one, each is timed, and nothing is skipped unseen."""

from __future__ import annotations

import ast
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/e2e/allowed_skips.toml"
TESTS = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_without_a_tool(n):
    pytest.skip(f"no tool number {n}")

@pytest.mark.skipif(True, reason="never on this machine")
def test_marked():
    pass

@pytest.fixture
def rig():
    pytest.skip("no rig")

def test_of_a_rig(rig):
    pass

@pytest.mark.xfail(reason="known")
def test_known():
    assert False
"""
RUNS, WHOLE = "def test_runs():\n    pass\n", "import pytest\npytest.skip('no module', allow_module_level=True)\n"
EVERY_SKIP = {
    "test_a.py::test_without_a_tool": "no tool",
    "test_a.py::test_marked": "never on this",
    "test_a.py::test_of_a_rig": "no rig",
    "test_b.py": "no module",
}


def session(folder: Path, allowed: dict[str, str] | None, **files: str) -> subprocess.CompletedProcess[str]:
    """pytest over these files, under a copy of the conftest that is at work here."""
    shutil.copy(ROOT / "tests/conftest.py", folder)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    given = []
    if allowed is not None:
        (folder / "allowed.toml").write_text("".join(f'"{test}" = "{reason}"\n' for test, reason in allowed.items()))
        given = ["--allowed-skips=allowed.toml"]
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    fuzz\n    long\n    thorough\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", *given]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_without_a_list_skips_are_said_and_allowed(tmp_path):
    """As anybody but root has it."""
    told = session(tmp_path, None, test_a=TESTS, test_b=WHOLE)
    assert (told.returncode, "no tool number 2" in told.stdout) == (0, True)


def test_what_the_list_names_may_be_skipped(tmp_path):
    """A test with all its parameters, a mark, a fixture, a whole file; a failure that is expected is no skip."""
    told = session(tmp_path, EVERY_SKIP, test_a=TESTS + RUNS, test_b=WHOLE)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("without", EVERY_SKIP)
def test_what_the_list_does_not_name_is_a_failure(tmp_path, without):
    """Each kind of skip, taken off the list, fails the session and is named with its reason."""
    allowed = {test: reason for test, reason in EVERY_SKIP.items() if test != without}
    told = session(tmp_path, allowed, test_a=TESTS + RUNS, test_b=WHOLE)
    assert told.returncode == 1
    missed = re.findall(r"skipped, though allowed.toml does not list it: (\S+?)(?:\[\d\])?: (.*)", told.stdout)
    assert {test for test, _ in missed} == {without}
    assert all(EVERY_SKIP[without] in reason for _, reason in missed)


def test_a_listed_test_that_skips_for_another_reason_is_a_failure(tmp_path):
    """The list is about reasons, not about tests alone."""
    told = session(tmp_path, {**EVERY_SKIP, "test_b.py": "no network"}, test_a=TESTS + RUNS, test_b=WHOLE)
    assert (told.returncode, "test_b.py: Skipped: no module" in told.stdout) == (1, True)


@pytest.mark.parametrize("files", [{}, {"test_b": WHOLE}])
def test_a_session_that_runs_nothing_is_a_failure(tmp_path, files):
    """However much may be skipped, something must be run."""
    told = session(tmp_path, EVERY_SKIP, **files)
    assert (told.returncode, "no test was run at all" in told.stdout) == (1, True)


def test_a_failure_stays_a_failure(tmp_path):
    """The list changes nothing about tests that run."""
    told = session(tmp_path, {}, test_a="def test_fails():\n    assert False\n")
    assert told.returncode == 1


def test_the_list_names_tests_that_exist():
    """Whoever mends a skip strikes it off."""
    for name in tomllib.loads(LIST.read_text("utf-8")):
        path, _, test = name.partition("::")
        names = [node.name for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))) if hasattr(node, "name")]
        assert not test or test.rpartition("::")[2] in names, name


def test_each_test_belongs_to_one_door():
    """By its markers: `long` beats all others, and no test is left out or run twice."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    doors = re.findall(r"^(\w[\w-]*):.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    found = {name: re.findall(r'-m ("[^"]+"|(?!pytest|pip|venv)\w+)', lines) for name, lines in doors}
    chosen = {name: [words.strip('"') for words in each] for name, each in found.items() if each and name != "long"}
    assert {*chosen} == {"test", "thorough", "e2e", "fuzz"}
    chosen["long"] = ["long"]
    for kind, long in itertools.product(("", "e2e", "fuzz", "thorough"), ("", "long")):
        markers = {"e2e": False, "fuzz": False, "thorough": False, "long": False} | {kind: True, long: True}
        opened = [name for name, (expression,) in chosen.items() if eval(expression, {}, markers)]
        assert opened == ["long" if long else kind or "test"], (kind, long)


MAKE = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/../called"
[ "$1" != "$BREAKS" ]
"""


@pytest.mark.parametrize("breaks", ["", "thorough"])
def test_ci_tells_the_minutes_of_each_door_however_it_ends(tmp_path, breaks):
    """A stand-in for make ends at once, or fails at a door.

    The doors up to there are told, and the exit status stays.
    """
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/make").write_text(MAKE)
    (tmp_path / "bin/make").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "BREAKS": breaks}
    told = subprocess.run(
        [tmp_path / ".ci/run"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == (1 if breaks else 0), told.stderr
    lines = told.stdout.partition("minutes\n")[2].splitlines()
    names = [name for line in lines if (name := line.split()[1]) not in ("in", "rig-tools")]
    doors = ["test", "check", "demo", "thorough", "e2e", "fuzz", "bench"]
    assert names == (["test", "check", "demo", "thorough:"] if breaks else doors)
    assert all(re.match(r" +\d+\.\d  ", line) for line in lines)
    assert lines[-1].endswith("in all, of 75")
    e2e = [line for line in (tmp_path / "called").read_text().splitlines() if line.startswith("e2e")]
    if not breaks:
        assert e2e == ["e2e" + " E2E=--allowed-skips=tests/e2e/allowed_skips.toml" * (os.getuid() == 0)]
