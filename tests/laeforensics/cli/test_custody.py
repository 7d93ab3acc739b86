"""`custody`, as typed."""

from __future__ import annotations

import json

from makings import AUDIT, LOG_FILE, is_three_lines, log
from makings import evidence as whole
from packings import write


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
