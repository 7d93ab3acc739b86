"""Nobody reads on: the pipe's reader is gone, the terminal is closed, the log's disk is full. The recovery goes on."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = [sys.executable, "-c", "from laerecover.cli import main; main()"]
SECONDS = 90


@pytest.fixture
def drill(make_manifest, key_file):
    """A drill of three accounts, slow enough to be met at work."""
    return ["drill", str(make_manifest(count=3)), "--key-file", str(key_file), "--pace", "0.02"]


def all_recovered(commands, drill):
    """Each account by one instance, as ledger and world tell."""
    made = commands("report", *drill[1:4], "--json")
    return [(a["outcome"], a["instances_launched"]) for a in json.loads(made.stdout)["accounts"]] == [
        ("recovered", 1)
    ] * 3


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_a_run_outlives_the_reader_of_its_pipes(drill, commands, json_):
    """Both pipes lose their reader in the midst: exit 0, every account recovered, nothing done again."""
    with subprocess.Popen([*MAIN, *drill, *json_], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert b"begins" in process.stderr.readline()
        process.stderr.close()
        process.stdout.close()
        assert process.wait(SECONDS) == 0
    assert all_recovered(commands, drill)


def closed_terminal(arguments, *, ignored):
    """The command at work on a terminal that is closed once it shows progress; its exit code."""
    ours, theirs = pty.openpty()

    def take_terminal():
        __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)

    process = subprocess.Popen(
        [*MAIN, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=take_terminal, env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while "▸".encode() not in seen:
        seen += os.read(ours, 65536)
    os.close(ours)
    try:
        return process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()


def test_a_closed_terminal_stops_calmly_and_the_same_command_goes_on(drill, commands):
    """SIGHUP is SIGTERM: exit 130, no account failed; then all are recovered, each by one instance."""
    assert closed_terminal(drill, ignored=False) == 130
    told = json.loads(commands("status", drill[1], "--json").stdout)
    assert {row["outcome"] for row in told["accounts"].values()} <= {"recovered", "on its way"}
    assert commands(*drill).returncode == 0
    assert all_recovered(commands, drill)


def test_under_nohup_a_closed_terminal_stops_nothing(drill, commands):
    """Who ignores SIGHUP goes on without a terminal to its end."""
    assert closed_terminal(drill, ignored=True) == 0
    assert all_recovered(commands, drill)


def test_a_log_on_a_full_disk_fails_no_account(drill, commands):
    """Progress that cannot be written is dropped, whatever the reason."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*MAIN, *drill], stdout=subprocess.PIPE, stderr=full, timeout=SECONDS, check=False)
    assert ended.returncode == 0
    assert all_recovered(commands, drill)


def test_a_result_on_a_full_disk_is_no_success(drill, commands):
    """What somebody wanted in a file is not lost in silence."""
    commands(*drill)
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*MAIN, "status", drill[1]], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 2
    assert b"No space left" in ended.stderr
    assert b"where   standard output" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_stdout_that_was_closed_before_is_nobody_s(drill):
    """As with `>&-`: the command is carried out, and nobody is told of it on a stream that is not there."""
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *MAIN, "plan", *drill[1:4]]
    ended = subprocess.run(shell, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_second_hangup_is_no_second_ctrl_c(drill, commands):
    """Shell and system both say it when a terminal closes: the steps in hand still end calmly, and are told."""
    started = commands.start(*drill)
    started.read_lines(2)
    os.kill(started.pid, signal.SIGHUP)
    ended = started.wait(signal=signal.SIGHUP)
    assert ended.returncode == 130
    assert "Stopped by a signal (SIGHUP) after" in ended.stderr
    assert "Stopped at once" not in ended.stderr
