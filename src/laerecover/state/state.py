"""The state folder: what was planned, who accepted what."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Manifest
from laerecover.state.lock import locked
from laerecover.writing import write_atomically

MODES = ("run", "drill")
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """state.json. `recovery_id` never changes, even if a mended manifest is planned anew: instances bear it as a tag."""

    folder: Path
    mode: str
    recovery_id: str
    planned_digest: str
    planned_at: str
    seed: int = 0
    pace: float = 1.0
    started_at: str | None = None
    accepted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inventory: Mapping[str, str] = field(default_factory=dict)
    faults: str = ""
    """A drill's `--faults`."""
    new_identity: bool = False
    """After a break-in: no key is restored. Said when the recovery begins, and kept."""
    prove: bool = False
    """A drill's `--prove`: canaries lie in the buckets. Said when the drill begins, and kept."""
    plan_digest: str | None = None
    """Of the plan that somebody last looked at."""
    cloud: str = ""
    """Region, with endpoint, in which a run launched; "" if it is not known."""
    stopped: str = ""
    """The guard that ended the latest run before its time."""
    not_dialled: Mapping[str, str] | None = None
    """`because`, `by`, `at`, once somebody has said that new servers cannot be dialled from where the runner is."""

    @property
    def ledger(self) -> Path:
        """The engine's file."""
        return self.folder / "ledger.sqlite"

    @property
    def outbox(self) -> Path:
        """The outbox's file."""
        return self.folder / "outbox.sqlite"

    @property
    def world(self) -> Path:
        """The twin's file (drills only)."""
        return self.folder / "world.sqlite"

    @property
    def rehearsal(self) -> Path:
        """The settings of a drill on the rig; no other state has such a file."""
        return self.folder / "rehearsal" / "laerecover.toml"

    @property
    def proofs(self) -> Path:
        """What became of the canaries of a drill with `--prove`."""
        return self.folder / "proofs.json"

    @property
    def proved(self) -> Mapping[str, Mapping[str, Any]]:
        """Account -> what became of its canary so far: `ok`, `said`, `seconds`."""
        return dict(json.loads(self.proofs.read_text("utf-8"))) if self.proofs.is_file() else {}

    @property
    def untagged(self) -> Mapping[str, Mapping[str, str]]:
        """Account -> `instance_id`, `why`: recovered, but EC2 would not have its instance say so."""
        path = self.folder / "untagged.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}

    def accept(self, account: Account, *, because: str, by: str, now: datetime) -> State:
        """The state with one more recorded decision, which is about these old servers alone; call `write`."""
        decision = {"because": because, "by": by, "at": now.isoformat(timespec="seconds"), "about": _servers(account)}
        return replace(self, accepted={**self.accepted, account.account_id: decision})

    def accept_living(self, account_id: str, instances: Sequence[str]) -> State:
        """The state with the account's decision taken of these living instances, too; call `write`."""
        decision = {**self.accepted[account_id], "living": " ".join(sorted(instances))}
        return replace(self, accepted={**self.accepted, account_id: decision})

    @property
    def decided(self) -> Mapping[str, frozenset[str]]:
        """Account -> ids of all instances that its decision is about, old ones and living ones."""
        about = {key: f"{said.get('about', '')} {said.get('living', '')}" for key, said in self.accepted.items()}
        return {key: frozenset(ids.split()) for key, ids in about.items()}

    def accepted_of(self, manifest: Manifest) -> Mapping[str, Mapping[str, str]]:
        """The decisions that hold: those about the old servers that this manifest names."""
        about = {a.account_id: _servers(a) for a in manifest.accounts}
        return {key: said for key, said in self.accepted.items() if said.get("about", "") == about.get(key)}

    def seen(self, manifest: Manifest) -> Manifest:
        """The manifest as this recovery sees it: with `new_identity` nobody keeps one."""
        if not self.new_identity:
            return manifest
        lost = {"grade": "NEW_STORAGE_IDENTITY", "introducer_identity": "ABSENT", "storage_identity": "ABSENT"}
        accounts = tuple(replace(a, **lost) if a.grade else a for a in manifest.accounts)  # type: ignore[arg-type]
        return replace(manifest, accounts=accounts)

    def write(self) -> State:
        """Put state.json on disk."""
        body: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "folder"}
        body |= {"version": _VERSION, "accepted": {key: dict(value) for key, value in self.accepted.items()}}
        body["inventory"] = dict(self.inventory)
        write_atomically(self.folder / "state.json", json.dumps(body, indent=1, sort_keys=True).encode())
        return self


def _servers(account: Account) -> str:
    """The ids of an account's old instances; a decision from before they were written down is about none."""
    return " ".join(sorted({account.old_instance_id or "", *account.former_instance_ids} - {""}))


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
        if body.pop("version") != _VERSION or body["mode"] not in MODES:
            raise ValueError("another version")
        state = State(folder=folder, **body)
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
            f"the state cannot be read ({type(error).__name__})", where=str(path), next_step=_anew(folder, body)
        ) from None


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
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError(f"{path.name} is damaged")
    except sqlite3.OperationalError:
        return
    finally:
        db.close()


def open_state(folder: Path, *, mode: str, digest: str, now: datetime, **more: Any) -> State:
    """The folder's state for this manifest, made if there is none yet; `more`: other fields of a fresh one.

    Raises LaeRecoverError: the state is of the other mode, or of another manifest than was planned.
    """
    state = read_state(folder)
    if state is None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(folder, f"begin {mode}"):
            state = read_state(folder) or _begun(folder, mode, digest, now, more)
    if state.mode != mode:
        raise LaeRecoverError(
            f"this state was made by a {state.mode}, not by a {mode}",
            where=str(folder),
            next_step="name another folder with --state; nothing was started",
        )
    if state.planned_digest != digest:
        again = "`laerecover drill --again` forgets the old drill" if mode == "drill" else "plan again, then run"
        raise LaeRecoverError(
            "the manifest is not the one that was planned",
            where=f"{folder} · planned {_short(state.planned_digest)} at {state.planned_at}, now {_short(digest)}",
            next_step=f"compare the two audit.parquet with `laeforensics diff`; {again}; nothing was started",
        )
    return state


def _begun(folder: Path, mode: str, digest: str, now: datetime, more: Mapping[str, Any]) -> State:
    fresh = {"recovery_id": digest, "planned_digest": digest, "planned_at": now.isoformat(timespec="seconds")}
    return State(folder=folder, mode=mode, **{**fresh, **more}).write()


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
        state = State(folder=folder, mode="drill", recovery_id="", planned_digest="", planned_at="")
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
