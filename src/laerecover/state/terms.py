"""What a state folder remembers beside its own name: the plan, a drill's terms, what humans decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from laerecover.manifest import Account, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Which manifest was planned last: its `digest`, and when; `shown`: digest of the plan that somebody last looked
    at; `living`: account -> ids of the rebuilt servers that stood beside it, a space between; `min_grade`: what its
    `--min-grade` was, "" if there was none; `recover`, `customers`: how
    many accounts were to be recovered when work last began, of how many; None before that, and of older versions.
    """

    digest: str
    at: str
    shown: str | None = None
    living: Mapping[str, str] = field(default_factory=dict)
    min_grade: str = ""
    recover: int | None = None
    customers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTerms:
    """A drill's `--seed`, `--pace`, `--faults`, `--prove`, `--hosts`: said when it begins, and kept."""

    seed: int = 0
    pace: float = 1.0
    faults: str = ""
    prove: bool = False
    hosts: str = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What humans decided about this recovery, with who, when and why."""

    accepted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Account -> `because`, `by`, `at`; `about`: its old instances; `living`: those that somebody rebuilt.

    With `living` alone it is about no old server; with an empty one about nothing, for it was taken back.
    """
    not_dialled: Mapping[str, str] | None = None
    """`because`, `by`, `at`, once somebody has said that new servers cannot be dialled from where the runner is."""

    def accept(
        self,
        account: Account,
        *,
        because: str,
        by: str,
        now: datetime,
        named: Sequence[str] | None = None,
        shown: Sequence[str] = (),
    ) -> Decisions:
        """With one more decision: about the old servers and those that were `shown`, or about those `named` alone.

        What was accepted before stays so, unless none are named: that takes it back.
        """
        said = {"because": because, "by": by, "at": now.isoformat(timespec="seconds")}
        before, old = self.accepted.get(account.account_id, {}), _servers(account)
        living = {*before.get("living", "").split(), *(shown if named is None else named)}
        if named is not None and not named:
            said["living"] = ""
        else:
            if named is None or (old and living >= set(old.split())):
                said["about"] = old
            elif "about" in before:
                said["about"] = before["about"]
            if living or "about" not in said:
                said["living"] = " ".join(sorted(living))
        return replace(self, accepted={**self.accepted, account.account_id: said})

    @property
    def instances(self) -> Mapping[str, frozenset[str]]:
        """Account -> ids of all instances that its decision is about, old ones and living ones."""
        about = {key: f"{said.get('about', '')} {said.get('living', '')}" for key, said in self.accepted.items()}
        return {key: frozenset(ids.split()) for key, ids in about.items()}

    def holding_for(self, manifest: Manifest) -> Mapping[str, Mapping[str, str]]:
        """The decisions that hold: those about the old servers that this manifest names."""
        about = {a.account_id: _servers(a) for a in manifest.accounts}
        # Before anything was said about living ones, decisions about no known server did not say what they are about.
        said_of = {key: said.get("about", None if "living" in said else "") for key, said in self.accepted.items()}
        return {key: self.accepted[key] for key, said in said_of.items() if said is not None and said == about.get(key)}


def _servers(account: Account) -> str:
    """The ids of an account's old instances; a decision from before they were written down is about none."""
    return " ".join(sorted({account.old_instance_id or "", *account.former_instance_ids} - {""}))
