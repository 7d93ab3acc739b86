"""Living instances found by their tags, with how far their accounts came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from laerecover.errors import Guarded
from laerecover.manifest import Manifest
from laerecover.ports.compute import Compute, Instance
from laerecover.ports.refusals import WorldError
from laerecover.runbook.ledger import Round
from laerecover.runbook.values import INSTALL, Step
from laerecover.state.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A living instance of ours, with how far its account came."""

    instance_id: str
    account_id: str
    customer: str
    launch_time: str
    holds: str

    @property
    def body(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def ours(state: State) -> dict[str, str]:
    """The tags of this recovery's instances: those of a drill with the same manifest are none of a run's."""
    return {"lae-recovery": state.recovery_id, "lae-mode": state.mode}


def find_living(compute: Compute, tags: dict[str, str]) -> list[Instance]:
    """Those that bear all these tags. Raises Guarded where the cloud does not say."""
    try:
        return [i for i in compute.find(tags) if not i.dead]
    except WorldError as error:
        raise Guarded(
            f"EC2 did not say which instances there are: {error}",
            where=", ".join(tags),
            next_step="mend the connection and run again; nothing was started or ended",
        ) from None


def found(instance: Instance, manifest: Manifest, rounds: dict[str, Round], recorded: set[str]) -> Found:
    """`recorded`: ids of the instances that serverinfo.csv names."""
    account_id = instance.tags.get("lae-account", "")
    customers = {a.account_id: a.customer_email or a.customer_name or "(unknown)" for a in manifest.accounts}
    latest = rounds.get(account_id)
    done = latest.went_well if latest is not None else []
    told = ["recorded in serverinfo.csv"] if instance.instance_id in recorded else []
    if latest is None or instance.instance_id not in latest.launched:
        told.insert(0, "launched from another state folder: another operator may be at work on it")
        done = []
    if done:
        told.insert(0, f"{_keys(done)}; last done: {done[-1].name}")
    return Found(
        instance_id=instance.instance_id,
        account_id=account_id,
        customer=customers.get(account_id, "(not in this manifest)"),
        launch_time=instance.launch_time,
        holds="; ".join(told) or "nobody recorded how far it came",
    )


def _keys(done: Sequence[Step[Any]]) -> str:
    return "may hold the account's keys" if INSTALL in done else "no secret yet"
