"""SQLite files of a state folder: every change on disk before it counts; looked at wherever they lie."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from laerecover.errors import LaeRecoverError
from laerecover.mounts import network_of

Connect = Callable[[], sqlite3.Connection]
_BUSY = 30.0
"""Seconds that a connection waits for others."""
_LONGEST = 504 - len("/ledger.sqlite")
"""Bytes of a folder's path: SQLite takes 512 with its log's ending and a zero."""
_ELSEWHERE = "name a folder on a disk of this machine with --state; nothing was started"


def connect(path: Path, *, isolation_level: Literal["IMMEDIATE"] | None = None) -> sqlite3.Connection:
    """A connection whose commits outlive a power cut; any thread may use it. An absolute path is never taken for a
    URL.
    """
    db = sqlite3.connect(path.absolute(), timeout=_BUSY, isolation_level=isolation_level, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def durable(path: Path) -> sqlite3.Connection:
    """The same, once the file keeps a write-ahead log, which it does from then on; it is made if there is none.

    While this connection is open the log is not written back at the end of every other one. Raises LaeRecoverError.
    """
    try:
        db = connect(path)
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        raise LaeRecoverError(
            f"{path.name} cannot be written: {error}",
            where=str(path),
            next_step="mend it and run the same command again; it goes on where it stopped",
        ) from None
    if mode != "wal":
        db.close()
        raise LaeRecoverError(
            f"this file system keeps no write-ahead log for {path.name}", where=str(path), next_step=_ELSEWHERE
        )
    return db


def refuse_place(folder: Path) -> None:
    """Raises LaeRecoverError where no database can be kept: its path would be too long for SQLite; or several machines
    may write, so that no lock holds, and no write-ahead log.
    """
    if len(os.fsencode(folder.absolute())) > _LONGEST:
        raise LaeRecoverError(
            f"the state folder's path is too long for its databases: {_LONGEST} bytes at the most",
            where=str(folder),
            next_step=_ELSEWHERE,
        )
    kind = network_of(folder)
    if kind:
        moved = ", after moving it there whole if it was begun already" if (folder / "state.json").exists() else ""
        name, _, after = _ELSEWHERE.partition("; ")
        raise LaeRecoverError(
            f"the state folder lies on a network file system ({kind})",
            where=str(folder),
            next_step=f"{name}{moved}; {after}",
        )


@contextmanager
def readable(path: Path) -> Iterator[Connect]:
    """Gives what opens the file to be looked at, with what its log holds; the file must exist.

    What can be written is opened as it stands, for the log of a killed runner must be read into it. Elsewhere a copy
    is looked at, unless a runner that can write is at work there.
    """
    network = network_of(path)
    if not network and os.access(path.parent, os.W_OK) and os.access(path, os.W_OK):
        yield partial(_look, path, "rw")
    elif not network and _opens(path):
        yield partial(_look, path, "ro")
    else:
        with TemporaryDirectory(prefix="laerecover-") as folder:
            for ending in ("", "-wal", "-journal"):
                there = path.with_name(path.name + ending)
                if there.is_file():
                    shutil.copyfile(there, Path(folder, there.name))
            yield partial(_look, Path(folder, path.name), "rw")


def _opens(path: Path) -> bool:
    try:
        _look(path, "ro").close()
    except sqlite3.OperationalError:
        return False
    return True


def _look(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY, check_same_thread=False)
    try:
        db.execute("PRAGMA query_only = ON")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db
