"""The verbs as typed: what they print, what they write, how they end."""

from __future__ import annotations

import os
import sys

import pytest
from makings import AUDIT, EMAIL, is_three_lines

from laeforensics.cli import _shell


@pytest.mark.parametrize("extra", [("--output", "evidence/m.parquet"), ("--case", "evidence/case")])
def test_nothing_is_written_into_the_evidence(folder, typed, extra):
    """An output or a case folder inside it is refused before anything is read."""
    code, _, err = typed(*AUDIT, *extra)
    assert code == 2
    assert is_three_lines(err)
    assert sorted(p.name for p in folder.iterdir()) == ["evidence"]


def test_a_case_folder_that_cannot_be_written(folder, typed):
    """The default one costs a warning, for evidence may lie on a medium that is read-only; a named one is an error."""
    (folder / "evidence.case").write_text("a file", "utf-8")
    code, _, err = typed(*AUDIT)
    assert code == 0
    assert "custody is not kept" in err
    assert typed(*AUDIT, "--case", "evidence.case")[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("audit",),
        ("audit", "evidence", "--bogus"),
        ("audit", "evidence", "--jobs", "0"),
        ("nothing",),
        ("diff", "one"),
        ("explain", "evidence"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(words, folder, typed):
    """The shell's own complaint, no traceback."""
    code, _, err = typed(*words)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("path", ["nowhere", "empty", "letter.txt"])
def test_no_evidence_ends_with_2(path, folder, typed):
    """What, where and what next."""
    (folder / "empty").mkdir()
    (folder / "letter.txt").write_text("dear", "utf-8")
    for words in (("audit", path), ("extract", path), ("explain", path, EMAIL)):
        code, _, err = typed(*words)
        assert code == 2
        assert is_three_lines(err)
        assert path in err


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help(word, typed):
    """Both spellings, of the program and of its verbs."""
    for words in ((word,), ("audit", word), ("diff", word)):
        code, out, _ = typed(*words)
        assert code == 0
        assert "Usage" in out


def test_an_interrupt_ends_calmly(folder, typed, monkeypatch):
    """Ctrl-C: one line, exit code 130."""
    monkeypatch.setattr(_shell, "open_case", lambda *args: os.kill(os.getpid(), 2))
    code, _, err = typed("extract", "evidence")
    assert code == 130
    assert "stopped by you" in err
    assert "Traceback" not in err


def test_progress_is_shown_on_a_terminal_alone(folder, monkeypatch, capsys):
    """A line while reading; piped, there is no caller to tell."""
    with _shell.progress() as step:
        assert step is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with _shell.progress() as step:
        assert step is not None
        step(None, 3)
