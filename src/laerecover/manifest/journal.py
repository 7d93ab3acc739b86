"""The journal of a folder: which commands were given, each line bound to the one before it by its hash.

One JSON object a line: `at` (UTC, ISO), `user`, `host`, `version`, `command` (its words), `digests` (name -> digest of
plan and manifest, as far as they are known), `exit` (None when the command began, its exit code when it ended, alone
where the folder refused it), `found` (what was wrong with the lines before, said once), `before` (SHA-256 of the whole
line before, without its newline).
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "journal.jsonl"
NOTHING = "0" * 64
"""What the first line names as the hash of the line before."""
NAMES = ("at", "user", "host", "version", "command", "digests", "exit", "found", "before")


class Journal:
    """What one command enters into the journals of the folders that it works on. It never stops the command: what
    cannot be written, or was broken before, is said by `say`.
    """

    def __init__(self, words: Sequence[str], *, say: Callable[[str], None]) -> None:
        self._words, self._say = list(words), say
        self._folders: list[Path] = []
        self._closed: list[Path] = []
        """Those that would not have the command."""

    def begin(self, folder: Path, digests: Mapping[str, str] | None = None) -> None:
        """Enter that the command begins to work there; once for each folder."""
        if folder not in self._folders:
            self._folders.append(folder)
            self._enter(folder, None, digests or {})

    def refuse(self, folder: Path) -> None:
        """The folder would not have the command, which may yet go on without it."""
        self._closed.append(folder)

    def end(self, status: int, digests: Callable[[Path], Mapping[str, str]]) -> None:
        """Enter how it ended, wherever it had begun or was refused, and the folder is still there."""
        refused = [each for each in self._closed if status and (each / FILE).is_file()]
        for folder in dict.fromkeys([*self._folders, *refused]):
            if folder.is_dir():
                self._enter(folder, status, digests(folder))
        self._folders.clear()
        self._closed.clear()

    def check(self, folder: Path) -> bool:
        """Whether the whole journal of a folder is as it was written; what is not is said. Nothing is written."""
        try:
            found = broken_journal(folder)
        except OSError as error:
            found = f"it cannot be read: {error.strerror}"
        if found:
            self._say(f"the journal {folder / FILE}: {found}")
        return not found

    def _enter(self, folder: Path, status: int | None, digests: Mapping[str, str]) -> None:
        try:
            found = _append(folder / FILE, {"command": self._words, "digests": dict(digests), "exit": status})
        except OSError as error:
            found = f"it cannot be written: {error.strerror}"
        if found:
            self._say(f"the journal {folder / FILE}: {found}")


def broken_journal(folder: Path) -> str:
    """What is wrong with the whole journal of a folder, in words; "" if nothing is. Raises OSError."""
    path = folder / FILE
    return _broken(path.read_bytes(), anew=False) if path.exists() else ""


def _append(path: Path, told: Mapping[str, Any]) -> str:
    """Append a line, synced; gives what was wrong with the lines before, and was not said yet. Raises OSError."""
    from importlib.metadata import version

    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        written = file.read()
        found = _broken(written, anew=True)
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "user": _user(),
            "host": platform.node() or "?",
            "version": version("lae-recovery"),
            **told,
            "found": found,
            "before": _hash(written.removesuffix(b"\n").rpartition(b"\n")[2]) if written else NOTHING,
        }
        cut = b"\n" if written and not written.endswith(b"\n") else b""
        file.write(cut + json.dumps(line).encode() + b"\n")
        os.fsync(file.fileno())
    return found


def _broken(written: bytes, *, anew: bool) -> str:
    """The first line that does not follow the one before it. `anew`: leaving out what a line says was found."""
    problem, before = "", NOTHING
    for number, line in enumerate(written.removesuffix(b"\n").split(b"\n") if written else (), start=1):
        try:
            told = json.loads(line)
            is_line = isinstance(told, dict) and set(told) == set(NAMES)
        except (ValueError, RecursionError):
            is_line = False
        if is_line and anew and told["found"]:
            problem = ""
        if not is_line:
            problem = problem or f"line {number} is damaged, or was cut off"
        elif told["before"] != before:
            problem = problem or f"line {number} does not follow the one before it: lines were changed or taken out"
        before = _hash(line)
    if not written.endswith(b"\n") and written:
        problem = problem or "its last line was cut off"
    return problem


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "?"
