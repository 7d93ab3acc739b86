"""What an operator is told of trouble that is neither refusal nor guard."""

from __future__ import annotations

import sqlite3

import pytest

from laerecover.errors import explain


def refused(make):
    with pytest.raises(sqlite3.Error) as caught:
        make()
    return explain(caught.value)


def test_a_database_that_cannot_be_used_is_no_mistake_of_ours(tmp_path):
    """Not to be written, no database, not to be opened, locked by another."""
    path = tmp_path / "world.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    (tmp_path / "text").write_text("no database" * 100)
    (tmp_path / "folder").mkdir()
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO t VALUES (1)")
        for name, uri, words in (
            ("SQLITE_READONLY", f"file:{path}?mode=ro", "INSERT INTO t VALUES (2)"),
            ("SQLITE_NOTADB", f"file:{tmp_path / 'text'}", "SELECT * FROM t"),
            ("SQLITE_CANTOPEN", f"file:{tmp_path / 'folder'}", "SELECT * FROM t"),
            ("SQLITE_BUSY", f"file:{path}", "INSERT INTO t VALUES (2)"),
        ):
            told = refused(lambda uri=uri, words=words: sqlite3.connect(uri, uri=True, timeout=0).execute(words))
            assert f"laerecover: a database cannot be used ({name}" in told
            assert "next    mend it and run the same command again" in told


def test_a_statement_that_is_wrong_is_a_mistake_of_ours():
    """Its words could hold anything, and are not repeated."""
    told = refused(lambda: sqlite3.connect(":memory:").execute("SELECT value FROM nowhere"))
    assert "a mistake in laerecover (OperationalError)" in told
    assert "nowhere" not in told
