"""The lock of a state folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from laerecover.databases import refuse_place
from laerecover.errors import LockHeld
from laerecover.mail.outbox import Outbox
from laerecover.state.journal import enter_begin, enter_refusal
from laerecover.writing import write_atomically

_LOCK_TRIES = 5


@contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Hold the folder's lock. It dies with the process, so a killed runner leaves none behind.

    Raises LockHeld; LaeRecoverError on a network file system.
    """
    refuse_place(folder)
    path = folder / "lock"
    file = path.open("a+", encoding="utf-8")
    try:
        path.chmod(0o600)
        if not _take(file):
            enter_refusal(folder)
            raise LockHeld(
                f"another runner is at work: {_holder(path)}",
                where=str(path),
                next_step="wait for it, or look with `laerecover status`; nothing was started",
            )
        file.seek(0)
        file.truncate()
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}, file)
        file.flush()
        if command != "drill --again":
            _know_place(folder)
            enter_begin(folder)
        yield
    finally:
        file.close()


def _know_place(folder: Path) -> None:
    """A copied or moved folder doubts what waits in its outbox, once: it may have been sent from the other place.

    The device's number may change with a restart, the path with a rename: either of them, with the inode, is enough.
    """
    found, path = folder.stat(), folder / "place.json"
    place = {"path": str(folder.resolve()), "device": found.st_dev, "inode": found.st_ino}
    try:
        before = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        before = None
    if before == place:
        return
    same = isinstance(before, dict) and before.get("inode") == place["inode"]
    same = same and any(before.get(name) == place[name] for name in ("path", "device"))
    outbox = folder / "outbox.sqlite"
    if before is not None and not same and outbox.is_file():
        Outbox(outbox).doubt_copied(datetime.now(UTC))
    write_atomically(path, json.dumps(place).encode())


def holder(folder: Path) -> str | None:
    """Who works on this state now; None if nobody does. Shares the lock for a moment, which `locked` rides out."""
    path = folder / "lock"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return f"a runner is at work: {_holder(path)}"
    return None


def _take(file: TextIO) -> bool:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text("utf-8"))
        return f"pid {holder['pid']} on {holder['host']} since {holder['since']} ({holder['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said who it is yet"
