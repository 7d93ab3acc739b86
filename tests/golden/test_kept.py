"""How goldens are kept: each has its line in README.md, a difference is seen, private modules stand in one place."""

from __future__ import annotations

import ast
import re

import goldens
import pytest


def test_every_golden_has_its_line_in_the_readme():
    """README.md says of each file whether it may change; a file that nobody holds is no golden."""
    readme = (goldens.HERE / "README.md").read_text("utf-8")
    told = set(re.findall(r"`([\w-]+\.(?:txt|csv|json|toml|pem))`", readme))
    there = {path.name for path in goldens.HERE.iterdir() if path.is_file()} - {"README.md"}
    assert told == {name for name in there if not name.endswith(".py")}


def test_private_modules_are_named_in_one_place():
    """Everything but doors.py imports of the two packages no more than `laeforensics`."""
    found = []
    for path in goldens.HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [(path.name, name) for name in names if name.partition(".")[0] in ("laeforensics", "laerecover")]
    assert {name for file, name in found if file != "doors.py"} == {"laeforensics"}
    assert len(found) > 5


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Goldens of this test's own."""
    monkeypatch.setattr(goldens, "HERE", tmp_path)
    monkeypatch.delenv(goldens.UPDATE, raising=False)
    return tmp_path


def test_a_difference_fails_and_is_shown(folder):
    """One line changed, one too many, a golden that is not there."""
    (folder / "said.txt").write_text("one\ntwo\n")
    goldens.hold("said.txt", "one\ntwo\n")
    for name, text, line in (("said.txt", "one\n2\n", "+2"), ("said.txt", "one\n", "-two"), ("new.txt", "one", "+one")):
        with pytest.raises(pytest.fail.Exception, match=goldens.UPDATE) as failed:
            goldens.hold(name, text)
        assert line in str(failed.value).split("\n")
    goldens.hold_all("said.txt", "zero\ntwo\none\n")
    with pytest.raises(pytest.fail.Exception, match="two"):
        goldens.hold_all("said.txt", "one\n")


def test_one_switch_writes_them_anew(folder, monkeypatch):
    """With it set nothing fails, and the next run holds what was written."""
    monkeypatch.setenv(goldens.UPDATE, "1")
    goldens.hold("said.txt", "one\n")
    goldens.hold_all("all.txt", "two\n")
    monkeypatch.delenv(goldens.UPDATE)
    goldens.hold("said.txt", "one\n")
    goldens.hold_all("all.txt", "two\n")


def test_times_of_today_are_nobodys(folder):
    """Times of the evidence stay; those of a run, and measured seconds, do not."""
    body = {
        "old": "2012-04-20T21:43:20Z",
        "log": "signup_logs/2012-04-20T214320Z-x",
        "at": "2026-11-26T23:28:05.114+00:00",
        "new": ["signup_logs/2026-11-26T232805Z-x", "203.0.113.20"],
        "seconds": 1.5,
        "forecast_seconds": 840.0,
        "rto_seconds": None,
        "step_seconds": {"deploy": 0.1},
    }
    assert goldens.neutral(body, {"203.0.113.20": "‹address›"}) == {
        "old": "2012-04-20T21:43:20Z",
        "log": "signup_logs/2012-04-20T214320Z-x",
        "at": "‹time›",
        "new": ["signup_logs/‹time›-x", "‹address›"],
        "seconds": "‹seconds›",
        "forecast_seconds": 840.0,
        "rto_seconds": None,
        "step_seconds": {"deploy": "‹seconds›"},
    }
