"""The journal: who gave which command, each line bound to the one before it."""

from __future__ import annotations

import hashlib
import json
import stat
import threading

import pytest

from laerecover.manifest import Journal, broken_journal

NAMES = {"at", "user", "host", "version", "command", "digests", "exit", "found", "before"}


@pytest.fixture
def said():
    return []


def command(folder, said, words=("laerecover", "plan"), status=0):
    """One command from its beginning to its end."""
    journal = Journal(words, say=said.append)
    journal.begin(folder, {"manifest": "a" * 64})
    journal.begin(folder)
    journal.end(status, lambda folder: {"manifest": "a" * 64, "plan": "b" * 64})


def lines(folder):
    return (folder / "journal.jsonl").read_bytes().splitlines()


def test_each_line_tells_who_did_what_and_binds_the_one_before_it(tmp_path, said):
    """The chain is counted here by the page's rule, not by the module's own function."""
    command(tmp_path, said)
    command(tmp_path, said, ("laerecover", "run", "a b", "--because", "ünd\n'so'"), 3)
    told = [json.loads(line) for line in lines(tmp_path)]
    assert [set(each) for each in told] == [NAMES] * 4
    assert [each["exit"] for each in told] == [None, 0, None, 3]
    assert told[2]["command"] == ["laerecover", "run", "a b", "--because", "ünd\n'so'"]
    assert told[3]["digests"] == {"manifest": "a" * 64, "plan": "b" * 64}
    assert [each["before"] for each in told] == [
        "0" * 64, *(hashlib.sha256(line).hexdigest() for line in lines(tmp_path)[:-1])
    ]  # fmt: skip
    assert all(each["user"] and each["host"] and each["version"] and each["at"] for each in told)
    assert (said, broken_journal(tmp_path)) == ([], "")
    assert stat.S_IMODE((tmp_path / "journal.jsonl").stat().st_mode) == 0o600


HARM = {
    "a word changed": lambda content: content.replace(b'"exit": 0', b'"exit": 1', 1),
    "a line taken out": lambda content: b"".join(content.splitlines(keepends=True)[:1] + content.splitlines(True)[2:]),
    "its beginning taken away": lambda content: b"".join(content.splitlines(keepends=True)[1:]),
    "lines exchanged": lambda content: b"".join(content.splitlines(keepends=True)[i] for i in (1, 0, 2, 3)),
    "its end cut off": lambda content: content[:-20],
    "zeros over a line": lambda content: b"\0" * 40 + content[40:],
    "nested without end": lambda content: b"[" * 100_000 + b"\n" + content,
    "a line of another shape": lambda content: content + b'{"at": 1}\n',
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_broken_chain_is_said_once_by_the_next_command_and_always_by_who_asks(tmp_path, said, harm):
    """The next command says so, writes that it did, and goes on; the one after it is quiet, the check is not."""
    command(tmp_path, said)
    command(tmp_path, said)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(harm(path.read_bytes()))
    before = path.read_bytes()
    assert broken_journal(tmp_path)
    command(tmp_path, said)
    assert len(said) == 1
    assert "line" in said[0]
    command(tmp_path, said)
    assert len(said) == 1
    assert path.read_bytes().startswith(before)
    assert broken_journal(tmp_path)


def test_what_is_broken_later_is_said_again(tmp_path, said):
    """That one harm was said covers no other one."""
    path = tmp_path / "journal.jsonl"
    for _ in range(2):
        command(tmp_path, said)
        path.write_bytes(path.read_bytes()[:-30])
    command(tmp_path, said)
    assert len(said) == 2


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path, said):
    """It is said, each time."""
    (tmp_path / "journal.jsonl").mkdir()
    command(tmp_path, said)
    assert len(said) == 2
    assert "cannot be written: Is a directory" in said[0]
    Journal([], say=said.append).check(tmp_path)
    assert "cannot be read" in said[2]


def test_many_at_once_make_one_chain(tmp_path, said):
    """Whoever writes holds the file for himself."""
    threads = [threading.Thread(target=command, args=(tmp_path, said)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(lines(tmp_path)), said, broken_journal(tmp_path)) == (24, [], "")
