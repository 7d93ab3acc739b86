"""The page for the worst day is true: its commands are run in its order, and print what it shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/worst-day.md").read_text("utf-8")
REFERENCE = (ROOT / "docs/commands.md").read_text("utf-8")


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the console blocks, with the lines that it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def test_the_page_is_what_happens(tmp_path):
    """From the first audit to the last check that needs no cloud, every exit 0, every line that is shown."""
    shutil.copytree(ROOT / "fixtures/evidence", tmp_path / "evidence")
    environment = {**os.environ, "COLUMNS": "200", "HOME": str(tmp_path)}
    assert len(steps()) > 12
    for command, shown in steps():
        program, *words = shlex.split(command)
        run = [sys.executable, "-c", f"from {program}.cli import main; main()", *words]
        ended = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        for line in shown:
            pattern = "^.*?" + ".*".join(re.escape(piece.strip()) for piece in line.split("…"))
            assert re.search(pattern, ended.stdout, flags=re.MULTILINE), f"{command}\nnot there: {line}\n{ended.stdout}"


def test_every_command_and_option_of_the_page_exists():
    """Those that need a cloud, too."""
    line = r"(?:`|^    |^\$ )(lae(?:forensics|recover)) ([a-z]+(?: check)?)([^`\n]*)"
    typed = re.findall(line, PAGE, flags=re.MULTILINE)
    assert len(typed) > 25
    for program, verb, rest in typed:
        section = REFERENCE.partition(f"### {program} {verb}\n")[2].partition("\n### ")[0]
        assert section, f"{program} {verb}"
        for option in re.findall(r"--[a-z-]+", rest):
            assert f"`{option}" in section or f", {option}" in section, f"{program} {verb} {option}"
