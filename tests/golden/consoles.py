"""The two programs as typed.

Laeforensics in this process, laerecover in processes of its own, forked from one that has loaded what takes long to
load. `start_of_python` is the console script itself.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from multiprocessing.connection import wait
from pathlib import Path

WIDTH = "100"
PATIENCE = 120
"""Seconds after which a program counts as stuck, on however busy a machine."""
KEY = b"a key of 32 bytes, made for this"
_one_at_a_time = threading.Lock()
"""Whoever starts a process asks after all others, too, and two threads that ask at once spoil each other's answer."""
_HEAVY = ["dbos", "jinja2", "pyarrow.parquet.encryption", "rich.progress", "typer"]


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code (negative: the signal that killed it), standard output, standard error."""

    code: int
    out: str
    err: str


def environment(home: Path) -> dict[str, str]:
    """Nobody's: no terminal, no colour, no settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    width = {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1", "TERM": "dumb"}
    return {**kept, **width, "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


def program(name: str, argv: list[str]) -> object:
    """Run what the console script of that name runs, in this process."""
    (script,) = entry_points(group="console_scripts", name=name)
    before, sys.argv = sys.argv, [name, *argv]
    try:
        return script.load()()
    finally:
        sys.argv = before


def laeforensics(folder: Path, *words: str) -> Ended:
    """Run laeforensics in `folder`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            program("laeforensics", [*words])
        except SystemExit as ended:
            code = ended.code or 0
    return Ended(int(str(code)), out.getvalue(), err.getvalue())


def start_of_python(folder: Path, name: str, *words: str, **more: str) -> subprocess.Popen[str]:
    """Begin a console script in `folder`."""
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(name)), *words],
        cwd=folder,
        env={**environment(folder), **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Started:
    """laerecover at work in `folder`; what it says goes into files."""

    def __init__(self, folder: Path, *words: str, **more: str) -> None:
        self._said = Path(tempfile.mkdtemp(dir=folder))
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(_HEAVY)
        arguments = (str(folder), str(self._said), {**environment(folder), **more}, [*words])
        with _one_at_a_time:
            self._process = forks.Process(target=_forked, args=arguments)
            self._process.start()

    def speaks(self) -> Started:
        """Wait until it has told something of its progress."""
        until = time.monotonic() + PATIENCE
        while not (self._read("err") or self._has_ended(0.02)) and time.monotonic() < until:
            pass
        return self

    def signal(self, number: int) -> Started:
        """Send it a signal."""
        assert self._process.pid
        os.kill(self._process.pid, number)
        return self

    def end(self) -> Ended:
        """Wait for it."""
        if not self._has_ended(PATIENCE):
            self._process.kill()
            raise TimeoutError(f"it is stuck: {self._read('err')}")
        with _one_at_a_time:
            self._process.join()
        return Ended(int(str(self._process.exitcode)), self._read("out"), self._read("err"))

    def _has_ended(self, seconds: float) -> bool:
        return bool(wait([self._process.sentinel], seconds))

    def _read(self, name: str) -> str:
        path = self._said / name
        return path.read_text("utf-8") if path.is_file() else ""


def _forked(folder: str, said: str, environment: dict[str, str], words: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{said}/{name}", os.O_WRONLY | os.O_CREAT, 0o600), number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    program("laerecover", words)


def laerecover(folder: Path, *words: str, **more: str) -> Ended:
    """Run laerecover in `folder` to its end."""
    return Started(folder, *words, **more).end()
