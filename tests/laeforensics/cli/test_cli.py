"""The verbs as typed: what they print, what they write, how they end."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makings import BUCKET, EMAIL, LOG_FILE, NAME, SECRET_KEY, log
from makings import evidence as whole
from packings import below, tar, write

from laeforensics.cli import _shell, main


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the evidence in it, where the verbs are typed."""
    write(tmp_path / "evidence", whole())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(capsys):
    """Type a line; exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*words])
        out, err = capsys.readouterr()
        code = end.value.code
        return (0 if code is None else int(code)), out, err

    return run


AUDIT = ("audit", "evidence", "--output", "out/m.parquet", "--key-file", "key/k")


def is_three_lines(err: str) -> bool:
    """What, where and what next, and no more."""
    lines = err.rstrip("\n").split("\n")
    return len(lines) == 3 and lines[0].startswith("laeforensics: ") and "where" in lines[1] and "next" in lines[2]


def test_audit_writes_its_files_and_custody(folder, typed):
    """The manifest, audit.parquet and audit.html, and the register beside the evidence; exit code 0."""
    code, out, err = typed(*AUDIT)
    assert (code, err) == (0, "")
    assert "1 RECOVERABLE" in out
    assert {path.name for path in (folder / "out").iterdir()} == {"m.parquet", "audit.parquet", "audit.html"}
    assert (folder / "evidence.case" / "custody.jsonl").is_file()


def test_audit_as_json(folder, typed):
    """JSON alone on stdout, people's text on stderr."""
    code, out, err = typed(*AUDIT, "--json")
    told = json.loads(out)
    assert (code, told["verdicts"], told["evidence_changed"]) == (0, {"RECOVERABLE": 1}, [])
    assert "RECOVERABLE" in err


def test_audit_of_changed_evidence_ends_with_1(folder, typed):
    """Everything is written, the change is a finding on the page, and the last word says what to do."""
    typed(*AUDIT)
    (folder / "evidence" / "signups.csv").write_bytes(b"")
    code, out, err = typed(*AUDIT, "--json")
    assert code == 1
    assert json.loads(out)["evidence_changed"] == ["signups.csv"]
    assert "changed    signups.csv" in err
    assert "evidence-changed" in (folder / "out" / "audit.html").read_text("utf-8")


def test_audit_of_several_folders_and_of_an_archive(folder, typed):
    """old/ and an archive of new/ are one case."""
    (folder / "new.tar.gz").write_bytes(gzip.compress(tar(below("new", {f"{LOG_FILE}x": log()}))))
    code, out, _ = typed("audit", "evidence", "new.tar.gz", *AUDIT[2:])
    assert code == 0
    assert "2 signup logs" in out


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


def test_custody_check(folder, typed):
    """2 before the first audit, 0 while nothing changed, 1 with the name of what did."""
    code, _, err = typed("custody", "--check", "evidence")
    assert code == 2
    assert is_three_lines(err)
    typed(*AUDIT)
    assert typed("custody", "--check", "evidence")[:2] == (0, typed("custody", "--check", "evidence")[1])
    write(folder / "evidence", {"notes.txt": b"new"})
    code, out, _ = typed("custody", "evidence", "--check")
    assert code == 0
    assert "new        notes.txt" in out
    (folder / "evidence" / LOG_FILE).write_bytes(log() + b"\n")
    (folder / "evidence" / "serverinfo.csv").unlink()
    code, out, err = typed("custody", "--check", "evidence", "--json")
    assert code == 1
    told = json.loads(out)
    assert (told["changed"], told["vanished"], told["new"]) == ([LOG_FILE], ["serverinfo.csv"], ["notes.txt"])
    assert LOG_FILE in err


def test_custody_lists_what_was_read(folder, typed):
    """Hash, time, program, name; and nothing is written by asking."""
    typed(*AUDIT)
    before = (folder / "evidence.case" / "custody.jsonl").read_bytes()
    code, out, _ = typed("custody", "evidence")
    assert code == 0
    assert out.count("\n") == len(whole())
    assert f"evidence/{LOG_FILE}" in out
    assert (folder / "evidence.case" / "custody.jsonl").read_bytes() == before


def test_extract(folder, typed):
    """By the suffix of --output; .jsonl with a key is refused before anything is read."""
    code, out, _ = typed("extract", "evidence", "--output", "facts.jsonl")
    assert code == 0
    assert "fingerprints" in out
    assert SECRET_KEY not in (folder / "facts.jsonl").read_text("utf-8")
    code, out, _ = typed("extract", "evidence", "-o", "facts.parquet", "--key-file", "key/k")
    assert code == 0
    assert "encrypted under key/k" in out
    for words in (("-o", "f.jsonl", "--key-file", "key/k"), ("-o", "f.csv"), ("-o", "evidence/f.jsonl")):
        code, _, err = typed("extract", "evidence", *words)
        assert code == 2
        assert is_three_lines(err)


def test_explain_takes_several_folders(folder, typed):
    """The last word is the key; a key that nobody has ends with 2."""
    write(folder / "more", {"secrets/2012-01-01T000000Z-x": b"", "serverinfo.csv": b""})
    code, out, _ = typed("explain", "evidence", "more", EMAIL)
    assert code == 0
    assert BUCKET in out
    assert "evidence/" + LOG_FILE in out
    code, _, err = typed("explain", "evidence", "nobody@example.org")
    assert code == 2
    assert is_three_lines(err)
    assert typed("explain", "evidence", NAME, "--field", "nothing")[0] == 2


def test_diff(folder, typed):
    """Text or JSON, exit code 0 whatever differs; 2 for what is no audit table."""
    typed(*AUDIT)
    (folder / "evidence" / "serverinfo.csv").unlink()
    (folder / "evidence" / f"secrets/{NAME}").unlink()
    typed("audit", "evidence", "-o", "later/m.parquet", "--key-file", "key/k")
    code, out, _ = typed("diff", "out/audit.parquet", "later/audit.parquet")
    assert code == 0
    assert "1 changed" in out
    assert f"because of  secrets/{NAME}" in out
    code, out, err = typed("diff", "out/audit.parquet", "later/audit.parquet", "--json")
    assert [change["account_id"] for change in json.loads(out)["changed"]] == [BUCKET]
    assert "1 changed" in err
    code, _, err = typed("diff", "out/audit.parquet", "later/m.parquet")
    assert code == 2
    assert is_three_lines(err)


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


def test_jobs_write_the_same_audit(folder):
    """As typed in a real shell: two processes, the same digest; nothing on stderr when piped."""
    told = []
    for jobs in ("1", "2"):
        words = [*AUDIT, "--json", "--jobs", jobs]
        command = [sys.executable, "-c", "from laeforensics.cli import main; main()", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        told.append(json.loads(done.stdout)["digest"])
    assert told[0] == told[1]


def test_a_disk_that_is_full_is_told(folder, typed, monkeypatch):
    """An error of the system is three lines too."""

    def full(*args: object, **named: object) -> None:
        raise OSError(28, "No space left on device", "out/m.parquet")

    monkeypatch.setattr("laeforensics.export.manifest.export", full)
    code, _, err = typed(*AUDIT)
    assert code == 2
    assert is_three_lines(err)
    assert "No space left" in err


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
