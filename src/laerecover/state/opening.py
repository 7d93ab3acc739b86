"""State folders: read, begun, forgotten; never taken for another recovery's."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from laerecover.databases import readable, refuse_place
from laerecover.errors import LaeRecoverError
from laerecover.state.journal import enter_refusal
from laerecover.state.lock import locked
from laerecover.state.state import VERSION, State, state_of
from laerecover.state.terms import Planned
from laerecover.text import reason_of

MODES = ("run", "drill")


def read_state(folder: Path) -> State | None:
    """The state of that folder; None if there is none. Raises LaeRecoverError if it cannot be read."""
    path = folder / "state.json"
    if folder.exists() and not folder.is_dir():
        raise LaeRecoverError(
            "--state is no folder", where=str(folder), next_step="name a folder with --state; nothing was started"
        )
    body: dict[str, Any] = {}
    try:
        body = json.loads(path.read_text("utf-8"))
        if body.pop("version") != VERSION or body["mode"] not in MODES:
            raise ValueError("another version")
        state = state_of(folder, body)
        for path in (state.ledger, state.outbox):
            _check_database(path)
        return state
    except FileNotFoundError:
        if (folder / "ledger.sqlite").exists():
            raise LaeRecoverError(
                "state.json is lost, though its ledger stands", where=str(path), next_step=_anew(folder, body)
            ) from None
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, sqlite3.DatabaseError) as error:
        raise LaeRecoverError(
            f"the state cannot be read: {_why(error)}", where=str(path), next_step=_anew(folder, body)
        ) from None


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return reason_of(error)
    return "it is damaged" if isinstance(error, sqlite3.DatabaseError) else "it is no state that this version knows"


def _anew(folder: Path, body: object) -> str:
    """A drill can be forgotten; of a recovery the cloud knows the instances."""
    drill = body.get("mode") == "drill" if isinstance(body, dict) and body else (folder / "world.sqlite").exists()
    if drill or (folder / "rehearsal").exists():
        return "begin the drill anew with `laerecover drill --again`; nothing was started"
    return (
        f"restore it from a backup; else move {folder} away, then `laerecover adopt` makes it anew from what the cloud "
        "knows; nothing was started"
    )


def _check_database(path: Path) -> None:
    """Raises DatabaseError for a file that is damaged; one that a runner is writing at the moment is not."""
    if not path.is_file():
        return
    try:
        with readable(path) as look, closing(look()) as db:
            if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError(f"{path.name} is damaged")
    except sqlite3.OperationalError:
        return


def open_state(folder: Path, *, mode: str, digest: str, now: datetime, **more: Any) -> State:
    """The folder's state for this manifest, made if there is none yet; `more`: other fields of a fresh one.

    Raises LaeRecoverError: the state is of the other mode, or of another manifest than was planned, or lies where it
    cannot be kept.
    """
    refuse_place(folder)
    state = read_state(folder)
    if state is None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(folder, f"begin {mode}"):
            state = read_state(folder) or _begun(folder, mode, digest, now, more)
    if state.mode != mode or state.planned.digest != digest:
        enter_refusal(folder)
    if state.mode != mode:
        raise LaeRecoverError(
            f"this state was made by a {state.mode}, not by a {mode}",
            where=str(folder),
            next_step="name another folder with --state; nothing was started",
        )
    if state.planned.digest != digest:
        again = "`laerecover drill --again` forgets the old drill" if mode == "drill" else "plan again, then run"
        raise LaeRecoverError(
            "the manifest is not the one that was planned",
            where=f"{folder} · planned {_short(state.planned.digest)} at {state.planned.at}, now {_short(digest)}",
            next_step=f"compare the two audit.parquet with `laeforensics diff`; {again}; nothing was started",
        )
    return state


def _begun(folder: Path, mode: str, digest: str, now: datetime, more: dict[str, Any]) -> State:
    planned = Planned(digest=digest, at=now.isoformat(timespec="seconds"))
    return State(folder=folder, mode=mode, planned=planned, **{"recovery_id": digest, **more}).write()


@contextmanager
def opened_state(folder: Path, *, command: str, mode: str, digest: str, now: datetime, **more: Any) -> Iterator[State]:
    """As `open_state`, with the folder's lock held: what it says was read after everybody else had written."""
    open_state(folder, mode=mode, digest=digest, now=now, **more)
    with locked(folder, command):
        yield open_state(folder, mode=mode, digest=digest, now=now, **more)


def forget_drill(folder: Path) -> None:
    """Delete a drill's state, even a damaged one if a drill's world lies in it; refuses anything else."""
    try:
        state = read_state(folder)
    except LaeRecoverError:
        if not ((folder / "world.sqlite").is_file() or (folder / "rehearsal").is_dir()):
            raise
        state = State(folder=folder, mode="drill", recovery_id="", planned=Planned(digest="", at=""))
    if state is not None and state.mode != "drill":
        raise LaeRecoverError(
            "this state is no drill",
            where=str(folder),
            next_step="name the drill's folder with --state; nothing was deleted",
        )
    if state is not None:
        with locked(folder, "drill --again"):
            shutil.rmtree(folder)


def _short(digest: str) -> str:
    return f"{digest[:4]}…{digest[-2:]}"
