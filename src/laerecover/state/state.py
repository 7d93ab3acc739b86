"""A recovery's state: whose it is, what was planned, how far it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from laerecover.manifest import Manifest
from laerecover.state.terms import Decisions, DrillTerms, Planned
from laerecover.writing import write_atomically

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """state.json.

    `recovery_id` never changes, even if a mended manifest is planned anew: instances bear it as a tag.
    """

    folder: Path
    mode: str
    recovery_id: str
    planned: Planned
    drill: DrillTerms = field(default_factory=DrillTerms)
    decisions: Decisions = field(default_factory=Decisions)
    inventory: Mapping[str, str] = field(default_factory=dict)
    """Account -> what the cloud said of its old servers: GONE, RUNNING or UNKNOWN."""
    new_identity: bool = False
    """After a break-in: no key is restored. Said when the recovery begins, and kept."""
    started_at: str | None = None
    cloud: str = ""
    """Region, with endpoint, in which a run launched; "" if it is not known."""
    stopped: str = ""
    """The guard that ended the latest run before its time."""

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

    def seen(self, manifest: Manifest) -> Manifest:
        """The manifest as this recovery sees it: with `new_identity` nobody keeps one."""
        if not self.new_identity:
            return manifest
        lost = {"grade": "NEW_STORAGE_IDENTITY", "introducer_identity": "ABSENT", "storage_identity": "ABSENT"}
        accounts = tuple(replace(a, **lost) if a.grade else a for a in manifest.accounts)  # type: ignore[arg-type]
        return replace(manifest, accounts=accounts)

    def write(self) -> State:
        """Put state.json on disk: flat, as every version has written it."""
        body: dict[str, Any] = {name: getattr(self, name) for name in _OWN}
        for part, names in _PARTS.items():
            body |= {key: getattr(getattr(self, part), name) for name, key in names.items()}
        body |= {"version": VERSION, "inventory": dict(self.inventory)}
        body["accepted"] = {key: dict(value) for key, value in self.decisions.accepted.items()}
        write_atomically(self.folder / "state.json", json.dumps(body, indent=1, sort_keys=True).encode())
        return self


_KINDS = {"planned": Planned, "drill": DrillTerms, "decisions": Decisions}
_RENAMED = {
    "planned": {
        "digest": "planned_digest",
        "at": "planned_at",
        "shown": "plan_digest",
        "living": "shown_living",
        "min_grade": "min_grade",
        "recover": "to_recover",
        "customers": "customers",
    }
}
_PARTS = {part: _RENAMED.get(part) or {f.name: f.name for f in fields(kind)} for part, kind in _KINDS.items()}
"""Part of a state -> its members -> their names in state.json."""
_OWN = [f.name for f in fields(State) if f.name not in ("folder", *_PARTS)]


def state_of(folder: Path, body: Mapping[str, Any]) -> State:
    """The state that state.json tells. Raises KeyError, TypeError for what is none."""
    own, parts = dict(body), {}
    for part, names in _PARTS.items():
        parts[part] = _KINDS[part](**{name: own.pop(key) for name, key in names.items() if key in own})
    return State(folder=folder, **own, **parts)
