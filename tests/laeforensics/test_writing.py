"""A file is written whole, or stays as it was."""

from __future__ import annotations

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
