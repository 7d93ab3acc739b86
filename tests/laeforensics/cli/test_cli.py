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
        ("audit", "evidence", "--key-file"),
        ("extract", "evidence", "--format", "pdf"),
        ("attest", "evidence"),
        ("explain", "evidence", "-x@example.org"),
        ("grammars", "lintt"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(words, folder, typed):
    """What, where and what next, as of every other mistake."""
    code, _, err = typed(*words)
    assert code == 2
    assert is_three_lines(err)
    assert "--help" in err


def test_a_name_that_begins_with_a_dash_is_told_how_to_type(folder, typed):
    """It is taken for an option; behind -- it is a name."""
    assert "EVIDENCE -- NAME" in typed("explain", "evidence", "-x@example.org")[2]
    assert "activation key '-x@example.org'" in typed("explain", "evidence", "--", "-x@example.org")[2]


def test_what_cannot_be_written_is_refused_before_anything_is_read(folder, typed, monkeypatch):
    """Key or output below a file, in a folder's name, or a key that others can read."""
    (folder / "file").write_text("")
    (folder / "open").write_bytes(bytes(32))
    (folder / "open").chmod(0o644)
    monkeypatch.setattr(_shell, "open_case", lambda *args: pytest.fail("the evidence is read"))
    facts = ("extract", "evidence", "--output", "out/f.parquet", "--key-file")
    for words in (
        *((*AUDIT[:-1], key) for key in ("file/k", "open", ".", "evidence/k")),
        *((*facts, key) for key in ("file/k", "open", ".", "evidence/k")),
        ("audit", "evidence", "--output", "file/m.parquet", "--key-file", "key/k"),
        ("extract", "evidence", "--output", "file/f.jsonl"),
    ):
        code, _, err = typed(*words)
        assert (code, is_three_lines(err)) == (2, True), words


def test_a_folder_that_this_program_wrote_is_no_evidence(folder, typed):
    """Which is said, with the evidence where it lies beside."""
    typed(*AUDIT)
    for name, step in (("out", "name the evidence"), ("evidence.case", "name the evidence: evidence")):
        code, _, err = typed("audit", name, "--output", "x/m.parquet", "--key-file", "key/k")
        assert (code, is_three_lines(err)) == (2, True)
        assert err.rstrip().endswith(step)


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


@pytest.mark.parametrize(
    ("words", "what", "after"),
    [
        (("explain", "evidence"), "KEY is missing", "laeforensics explain evidence KEY"),
        (("explain", "evidence", "--field", "x"), "KEY is missing", "laeforensics explain evidence --field x KEY"),
        (("timeline",), "EVIDENCE and KEY are missing", "laeforensics timeline EVIDENCE KEY"),
        (("show", "evidence"), "FILE:LINE is missing", "laeforensics show evidence FILE:LINE"),
        (("audit",), "EVIDENCE is missing", "laeforensics audit EVIDENCE"),
        (("explain", "ann@a"), "EVIDENCE is missing", "laeforensics explain EVIDENCE ann@a"),
        (("show", "--json", "log:3"), "EVIDENCE is missing", "laeforensics show --json EVIDENCE log:3"),
        (("plan", "a b", "--check"), "plan is a command of laerecover", "laerecover plan 'a b' --check"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("folder")
def test_what_is_missing_is_named_and_whose_a_verb_is(words, what, after, typed):
    """The first word is the evidence, if it is a file: what is missing is the last; the command is told whole."""
    code, _, err = typed(*words)
    assert (code, is_three_lines(err)) == (2, True)
    assert err.startswith(f"laeforensics: {what}\n")
    assert err.splitlines()[-1].partition("; `")[0] == f"  next    {after}"


def test_what_is_no_file_is_written_to_by_nobody(folder, typed):
    """A device would be replaced by whoever may: it is refused before anything is read."""
    os.mkfifo(folder / "pipe")
    (folder / "out.jsonl").symlink_to("/proc/self/fd/1")
    for words in (("audit", "evidence", "-o", "pipe"), ("extract", "evidence", "-o", "out.jsonl")):
        code, _, err = typed(*words)
        assert (code, is_three_lines(err), "a device or a pipe" in err) == (2, True, True)
    assert (folder / "pipe").is_fifo()
    assert not (folder / "evidence.case").exists()


def test_a_key_inside_the_evidence_is_told_by_its_own_option(folder, typed):
    """Not by that of the manifest."""
    code, _, err = typed("audit", "evidence", "--key-file", "evidence/signups.csv")
    assert (code, "--key-file" in err, "--output" in err) == (2, True, False)
