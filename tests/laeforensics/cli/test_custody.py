"""`custody`, as typed."""

from __future__ import annotations

import json

import pytest
import typer
from makings import AUDIT, LOG_FILE, is_three_lines, log
from makings import evidence as whole
from packings import write

from laeforensics.cli._options import CaseOptions
from laeforensics.cli._refusals import refuse_case


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


def test_the_case_folder_is_never_inside_the_evidence(tmp_path, capsys):
    """Whatever way it is spelled."""
    root = write(tmp_path / "e", whole())
    (tmp_path / "link").symlink_to(root)
    for folder in (root, root / "case", tmp_path / "link" / "case", root / ".." / "e" / "case"):
        with pytest.raises(typer.Exit):
            refuse_case(CaseOptions(evidence=[root], case_folder=folder))
        assert "the case folder would lie inside the evidence" in capsys.readouterr().err
    refuse_case(CaseOptions(evidence=[root], case_folder=tmp_path / "e.case"))


def test_custody_lists_what_was_read(folder, typed):
    """Hash, time, program, name; and nothing is written by asking."""
    typed(*AUDIT)
    before = (folder / "evidence.case" / "custody.jsonl").read_bytes()
    code, out, _ = typed("custody", "evidence")
    assert code == 0
    assert out.count("\n") == len(whole())
    assert f"evidence/{LOG_FILE}" in out
    assert (folder / "evidence.case" / "custody.jsonl").read_bytes() == before


def test_the_journal_of_a_case_tells_who_audited_and_that_somebody_changed_it(folder, typed):
    """Begin and end with the manifest's digest and the exit code; a line taken out is said by `custody`."""
    assert typed(*AUDIT)[0] == 0
    assert typed(*AUDIT, "--jobs", "2")[0] == 0
    path = folder / "evidence.case" / "journal.jsonl"
    told = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [each["exit"] for each in told] == [None, 0, None, 0]
    assert [len(each["digests"].get("manifest", "")) for each in told] == [0, 64, 0, 64]
    assert told[2]["command"] == ["laeforensics", *AUDIT, "--jobs", "2"]
    assert "journal" not in typed("custody", "evidence")[2]
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    assert "line 1 does not follow the one before it" in typed("custody", "evidence")[2]


def test_evidence_that_is_not_there_is_told_as_that(folder, typed):
    """Not as a case without a register; what is in custody is told without it all the same."""
    for words in (("nowhere",), ("nowhere", "--check")):
        code, _, err = typed("custody", *words)
        assert (code, is_three_lines(err)) == (2, True)
        assert "no such folder or archive" in err
    typed(*AUDIT)
    (folder / "evidence").rename(folder / "elsewhere")
    assert typed("custody", "evidence")[0] == 0
    code, _, err = typed("custody", "evidence", "--check")
    assert (code, is_three_lines(err)) == (2, True)
    assert "without --check" in err
