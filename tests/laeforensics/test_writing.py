"""A file is written whole, or stays as it was."""

from __future__ import annotations

import os

import pytest

from laeforensics.writing import write_whole


def test_a_file_is_replaced_at_once(tmp_path):
    """The new lines stand there, and nothing else is left in the folder."""
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    write_whole(path, ["one\n", "half a pair: \ud800\n"])
    assert path.read_bytes() == b"one\nhalf a pair: \\ud800\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    """Lines that cannot be made are noticed before anything is written."""
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")

    def lines():
        yield "one\n"
        raise LookupError

    with pytest.raises(LookupError):
        write_whole(path, lines())
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("way", ["pipe", "link to a pipe", "link into /proc"])
def test_a_device_or_a_pipe_stays_what_it_is(tmp_path, way):
    """Whoever may replace /dev/full or /dev/stdout does not: it would be gone for every program there."""
    pipe, path = tmp_path / "pipe", tmp_path / "a.jsonl"
    os.mkfifo(pipe)
    target = {"pipe": pipe, "link to a pipe": path, "link into /proc": path}[way]
    if way != "pipe":
        path.symlink_to("/proc/self/fd/1" if "proc" in way else pipe)
    before = os.lstat(target)
    with pytest.raises(OSError, match="no ordinary file"):
        write_whole(target, ["one\n"])
    assert os.lstat(target) == before
    assert pipe.is_fifo()
