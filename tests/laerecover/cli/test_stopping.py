"""Ctrl-C on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

MAIN = [sys.executable, "-c", "from laerecover.cli import main; main()"]
SECONDS = 40.0


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments):
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
        self.process = subprocess.Popen(
            [*MAIN, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0), env=environment,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def read_until(self, text, *, seconds=SECONDS):
        """Wait until the terminal showed it, or nothing more comes; the empty text just reads on."""
        until = time.monotonic() + seconds
        while (not text or text not in self.seen) and time.monotonic() < until:
            if not select.select([self._ours], [], [], 0.05)[0]:
                continue
            try:
                got = os.read(self._ours, 65536)
            except OSError:
                return self.seen
            if not got:
                return self.seen
            self.seen += got.decode("utf-8", "replace")
        return self.seen

    def type(self, keys):
        """As a person would: the terminal turns \\x03 into SIGINT."""
        os.write(self._ours, keys)

    def end(self):
        """Its exit code, once it ended; what it still shows is read meanwhile, or it could not end."""
        until = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            self.read_until("", seconds=0.1)
        return self.process.poll()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal():
    opened = []

    def open_terminal(*arguments):
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def test_ctrl_c_says_what_was_done_and_how_to_go_on(terminal, make_manifest, key_file, commands):
    """Exit 130, the numbers, the same command; and that command goes on to the end."""
    manifest = make_manifest(count=2)
    drill = ("drill", manifest, "--key-file", key_file)
    shown = terminal(*drill, "--pace", "0.02")
    assert "▸" in shown.read_until("▸")
    shown.type(b"\x03")
    text = shown.read_until("Go on with the same command")
    assert "Stopped by you after" in text
    assert "of 2 accounts recovered" in text
    assert f"laerecover drill {manifest}" in shown.read_until(f"laerecover drill {manifest}")
    assert shown.end() == 130
    assert commands(*drill, "--pace", "0.001").returncode == 0


def test_a_second_ctrl_c_ends_at_once_and_is_as_safe(terminal, make_manifest, key_file, commands):
    """It does not wait for the step in hand; the same command goes on, and nothing is doubled."""
    manifest = make_manifest(count=2)
    drill = ("drill", manifest, "--key-file", key_file)
    shown = terminal(*drill, "--pace", "0.02")
    assert "▸" in shown.read_until("▸")
    shown.type(b"\x03")
    assert "Ctrl-C again" in shown.read_until("Ctrl-C again")
    shown.type(b"\x03")
    assert shown.end() == 130
    ended = commands(*drill, "--json")
    assert ended.returncode == 0
    assert ended.stdout.count('"instances_launched": 1') == 2
