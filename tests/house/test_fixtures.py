"""The fixtures are what their README says: the output of a command that anybody can repeat."""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its name there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_command_in_the_readme_writes_the_committed_evidence(tmp_path, monkeypatch, capsys):
    """The README's own command line, with another --output, gives fixtures/evidence and its truth byte for byte."""
    readme = (ROOT / "fixtures/README.md").read_text("utf-8").split("\n")
    (command,) = [line.strip() for line in readme if line.strip().startswith("python fixtures/generate.py")]
    assert "--output fixtures/evidence" in command
    _, script, *arguments = shlex.split(command.replace("fixtures/evidence", str(tmp_path / "evidence")))
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    try:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    except SystemExit as end:
        assert not end.code
    assert "evidence" in capsys.readouterr().out
    assert contents(tmp_path / "evidence") == contents(ROOT / "fixtures/evidence")
    assert (tmp_path / "evidence.truth.jsonl").read_bytes() == (ROOT / "fixtures/evidence.truth.jsonl").read_bytes()
