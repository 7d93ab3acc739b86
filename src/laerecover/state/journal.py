"""Who did what in a state folder: what the shell was told is entered where a command takes the lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from laerecover.manifest import Journal
from laerecover.manifest.journal import FILE


class _Shell:
    """What was typed; nothing where this is used as a library."""

    journal: Journal | None = None


def keep_journal(words: Sequence[str], *, say: Callable[[str], None]) -> None:
    """From now on this command is entered wherever it takes a lock; `say` is told what is wrong with a journal."""
    _Shell.journal = Journal(words, say=say)


def enter_begin(folder: Path) -> None:
    """Called with the folder's lock held."""
    if _Shell.journal is not None:
        _Shell.journal.begin(folder, digests_of(folder))


def enter_refusal(folder: Path) -> None:
    """The folder would not have this command: entered when it ends, with its code alone; nobody's lock is needed."""
    if _Shell.journal is not None:
        _Shell.journal.refuse(folder)


def enter_end(status: int) -> None:
    """The command ends with this code; whoever was killed has no such line."""
    if _Shell.journal is not None:
        _Shell.journal.end(status, digests_of)


def is_whole(folder: Path) -> bool:
    """Whether the whole journal of this folder is as it was written; what is not is said."""
    return _Shell.journal is None or _Shell.journal.check(folder)


def last_typed(folder: Path, verb: str) -> list[str]:
    """The words of the last command of that verb that began there; empty where no journal tells of one."""
    try:
        lines = (folder / FILE).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    for line in reversed(lines):
        try:
            told = json.loads(line)
            words = [*map(str, told["command"])] if told["exit"] is None else []
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # Whoever asks about the journal itself hears of it.
        if words[1:2] == [verb]:
            return words
    return []


def digests_of(folder: Path) -> Mapping[str, str]:
    """Of the manifest that was planned and the plan that was shown last, as far as state.json tells."""
    try:
        told = json.loads((folder / "state.json").read_text("utf-8"))
        named = {"manifest": told.get("planned_digest"), "plan": told.get("plan_digest")}
    except (OSError, ValueError, AttributeError):
        return {}
    return {name: str(digest) for name, digest in named.items() if digest}
