"""Both programs from their first moment on: Ctrl-C is answered before what is slow to load is there."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("program", ["laeforensics", "laerecover"])
def test_ctrl_c_while_the_program_is_loaded_leaves_no_traceback(program, tmp_path):
    """A library that is interrupted while it is imported, in the place of the one that the shell needs first."""
    (tmp_path / "typer.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)\nraise SystemExit(3)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", program, "--help"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=25)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.strip().startswith(f"{program}: stopped")
    assert "Traceback" not in ended.stderr


def test_the_scripts_that_are_installed_begin_there():
    """What `pip` writes calls the door that answers Ctrl-C."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {name: f"{name}.__main__:main" for name in ("laeforensics", "laerecover")}
