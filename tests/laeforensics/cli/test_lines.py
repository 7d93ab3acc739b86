"""What people see at 80, 120, 200 columns: lines that fold between words; commands, and what is piped, stay whole."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from laeforensics.cli._lines import folded

MAIN = [sys.executable, "-c", "from laeforensics.cli import main; main()"]
FIXTURES = Path(__file__).parents[3] / "fixtures/evidence"


def on_a_terminal(width, *words):
    """What a command writes on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    written, given = b"", {**environment, "TERM": "xterm"}
    with subprocess.Popen([*MAIN, *map(str, words)], stdout=theirs, stderr=subprocess.DEVNULL, env=given) as running:
        os.close(theirs)
        while True:
            try:
                got = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            written += got
            if not got:
                break
    os.close(ours)
    assert running.returncode == 0
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_word_is_broken_on_a_terminal(tmp_path, width):
    """The first look, the list of the accounts and why: each line fits, but for commands, which can be copied."""
    key, output = tmp_path / "key/k", tmp_path / "m.parquet"
    audit = ("audit", FIXTURES, "--output", output, "--key-file", key, "--case", tmp_path / "case")
    asked = (audit, ("list", FIXTURES), ("explain", FIXTURES, "joe_7@mail.example.org"))
    for words in asked:
        text = on_a_terminal(width, *words)
        long = [line for line in text.splitlines() if len(line) > width]
        assert all(
            " laeforensics " in f" {line}" or " laerecover " in f" {line}" or len(line.split()) == 1 for line in long
        )
        if words[0] == "audit":
            wanted = text.partition("What would help most\n")[2].partition("\n\n")[0].splitlines()
            assert wanted[0] == "  unlocks 1 account   a decision on product_token"
            assert "  unlocks 1 account   secrets/2013-01-15T03434…icerwa" in wanted
            assert f"{'':22}for user_access_key_id, user_secret_key" in wanted
        if words[0] == "list":
            first = text.splitlines()[0]
            assert first.startswith("CONTESTED    joe_7@mail.example.org ab7kmk  witnesses disagree on product_token")


def test_what_is_to_be_typed_stays_one_line():
    """However long; the rest folds behind an indent, and a word that is longer than the line stands alone."""
    command = f"next: laerecover drill {'m' * 60} --key-file {'k' * 60}"
    assert folded(command, 80) == command
    assert folded(f"      laeforensics explain {command}", 80).count("\n") == 0
    told = folded(f"what {'word ' * 20}and {'i' * 90} end", 80).split("\n")
    assert all(len(line) <= 80 for line in told if "i" * 90 not in line)
    assert [line[:6] for line in told[1:]] == [" " * 6] * (len(told) - 1)
    assert " ".join(line.strip() for line in told) == f"what {'word ' * 20}and {'i' * 90} end"
