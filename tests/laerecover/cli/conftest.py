"""A command on a real terminal, and what such a terminal shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

MAIN = [sys.executable, "-c", "from laerecover.cli import main; main()"]
SECONDS = 40.0
_PIECES = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b\][^\x07]*\x07|(\r)|(\n)|([^\x1b\r\n])")


class Screen:
    """What stands on a terminal of so many columns after all this was written: cursor up, erasing, line ends.

    `wrapped`: the lines that were longer than the terminal is wide.
    """

    def __init__(self, width, written=""):
        self.width, self.lines, self.row, self.column = width, [""], 0, 0
        self.wrapped = []
        for piece in _PIECES.finditer(written):
            self._put(*piece.groups())

    def _put(self, number, command, back, feed, character):
        if command == "A":
            self.row = max(0, self.row - int(number or 1))
        elif command == "K":
            self.lines[self.row] = "" if number == "2" else self.lines[self.row][: self.column]
        elif back:
            self.column = 0
        elif feed:
            self._next_line()
        elif character:
            if self.column >= self.width:
                self.wrapped.append(self.lines[self.row])
                self._next_line()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _next_line(self):
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.lines):
            self.lines.append("")

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments, width=160, height=40):
        self._ours, theirs = pty.openpty()
        self.width = width
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [*MAIN, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**environment, "TERM": "xterm"},
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

    @property
    def screen(self):
        """What stands there now."""
        return Screen(self.width, self.seen)

    def type(self, keys):
        """As a person would: the terminal turns \\x03 into SIGINT."""
        os.write(self._ours, keys)

    def end(self):
        """Its exit code, once it ended; what it still shows is read meanwhile, or it could not end."""
        until = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            self.read_until("", seconds=0.1)
        self.read_until("", seconds=0.1)
        return self.process.poll()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal():
    """Opens terminals with a command on each."""
    opened = []

    def open_terminal(*arguments, **size):
        opened.append(Terminal(*arguments, **size))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()
