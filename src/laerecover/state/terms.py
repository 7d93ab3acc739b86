"""What a state folder remembers beside its own name: the plan, a drill's terms, what humans decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from laerecover.manifest import Account, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Which manifest was planned last: its `digest`, and when; `shown`: digest of the plan that somebody last looked at."""

    digest: str
    at: str
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTerms:
    """A drill's `--seed`, `--pace`, `--faults`, `--prove`: said when it begins, and kept."""

    seed: int = 0
    pace: float = 1.0
    faults: str = ""
    prove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What humans decided about this recovery, with who, when and why."""

    accepted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Account -> `because`, `by`, `at`; `about`: its old instances; `living`: those that somebody rebuilt."""
    not_dialled: Mapping[str, str] | None = None
    """`because`, `by`, `at`, once somebody has said that new servers cannot be dialled from where the runner is."""

    def accept(self, account: Account, *, because: str, by: str, now: datetime) -> Decisions:
        """With one more decision, which is about these old servers alone."""
        said = {"because": because, "by": by, "at": now.isoformat(timespec="seconds"), "about": _servers(account)}
        return replace(self, accepted={**self.accepted, account.account_id: said})

    def accept_living(self, account_id: str, instances: Sequence[str]) -> Decisions:
        """With the account's decision taken of these living instances, too."""
        said = {**self.accepted[account_id], "living": " ".join(sorted(instances))}
        return replace(self, accepted={**self.accepted, account_id: said})

    @property
    def instances(self) -> Mapping[str, frozenset[str]]:
        """Account -> ids of all instances that its decision is about, old ones and living ones."""
        about = {key: f"{said.get('about', '')} {said.get('living', '')}" for key, said in self.accepted.items()}
        return {key: frozenset(ids.split()) for key, ids in about.items()}

    def holding_for(self, manifest: Manifest) -> Mapping[str, Mapping[str, str]]:
        """The decisions that hold: those about the old servers that this manifest names."""
        about = {a.account_id: _servers(a) for a in manifest.accounts}
        return {key: said for key, said in self.accepted.items() if said.get("about", "") == about.get(key)}


def _servers(account: Account) -> str:
    """The ids of an account's old instances; a decision from before they were written down is about none."""
    return " ".join(sorted({account.old_instance_id or "", *account.former_instance_ids} - {""}))
