"""A saved DescribeInstances answer tells which of the old servers still run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from laeforensics.errors import InventoryError

GONE, RUNNING, UNKNOWN = "GONE", "RUNNING", "UNKNOWN"
_REGION = "us-east-1"  # the HOWTO's EC2_ENDPOINT, literal in signup.py: all its servers ran there
_NEXT = (
    "save it with `aws ec2 describe-instances --region REGION --output json`, or as an object with account, region, "
    "taken_at and pages"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The instances of one AWS account in one region: id -> state. Complete, or it is refused."""

    account: str
    region: str
    taken_at: str | None
    states: Mapping[str, str] = field(default_factory=dict)

    def server(self, instance_id: str | None, launch_time: str | None = None) -> str:
        """GONE, RUNNING or UNKNOWN. A stopped server counts as running: somebody may start it again.

        A server that a complete inventory does not list is gone: EC2 forgets terminated instances within hours. But an
        answer of another region, or from before the launch, tells nothing of it. Nothing in the evidence tells
        the AWS account: that the answer is of the right one is the word of whoever saved it.
        """
        if instance_id is None:
            return UNKNOWN
        state = self.states.get(instance_id)
        if state is None and (self.region != _REGION or not self._is_later_than(launch_time)):
            return UNKNOWN
        return GONE if state in (None, "terminated") else RUNNING

    def _is_later_than(self, launch_time: str | None) -> bool:
        if self.taken_at is None or launch_time is None:
            return True
        try:
            return _moment(self.taken_at) >= _moment(launch_time)
        except ValueError:
            return False

    @property
    def source(self) -> str:
        """Where the answer comes from, for people."""
        return f"inventory of account {self.account} in {self.region}, {self.taken_at or 'time not recorded'}"


def read_inventory(data: bytes, where: str) -> Inventory:
    """Read a saved answer of EC2: one answer, or an object with `account`, `region`, `taken_at` and `pages`.

    Raises InventoryError: no JSON, several accounts or regions or none told, or pages missing.
    """
    try:
        saved = json.loads(data)
    except (ValueError, RecursionError):
        raise _refused("is no JSON", where) from None
    pages = saved.get("pages", [saved]) if isinstance(saved, dict) else None
    if not isinstance(pages, list) or not all(
        isinstance(p, dict) and isinstance(p.get("Reservations"), list) for p in pages
    ):
        raise _refused("is no DescribeInstances answer", where)
    if not pages or pages[-1].get("NextToken") or pages[-1].get("nextToken"):
        raise _refused("is not complete: its last page names a next one", where)
    reservations = [r for page in pages for r in page["Reservations"] if isinstance(r, dict)]
    instances = [i for r in reservations for i in r.get("Instances", ()) if isinstance(i, dict)]
    account = _one(
        saved.get("account"), {str(r["OwnerId"]) for r in reservations if r.get("OwnerId")}, "account", where
    )
    region = _one(saved.get("region"), {_region(i) for i in instances} - {""}, "region", where)
    if not re.fullmatch(r"[0-9]{12}", account):
        raise _refused("does not tell its AWS account", where)
    taken_at = saved.get("taken_at")
    return Inventory(
        account=account,
        region=region,
        taken_at=taken_at if isinstance(taken_at, str) else None,
        states={str(i.get("InstanceId")): _state(i) for i in instances},
    )


_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z-]")
"""A zone begins with its region: `us-east-1a`; a Local Zone, too: `us-east-1-bos-1a`."""


def _refused(why: str, where: str) -> InventoryError:
    return InventoryError(f"the inventory {why}", where=where, next_step=_NEXT)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _one(told: Any, seen: set[str], what: str, where: str) -> str:
    values = seen | ({told} if isinstance(told, str) else set())
    if len(values) != 1:
        how = "does not tell its" if not values else "is of several"
        raise _refused(f"{how} {what}{'s' if values else ''}", where)
    return values.pop()


def _region(instance: dict[str, Any]) -> str:
    placement = instance.get("Placement")
    zone = placement.get("AvailabilityZone") if isinstance(placement, dict) else None
    match = _ZONE.match(zone) if isinstance(zone, str) else None
    return match[1] if match is not None else ""


def _state(instance: dict[str, Any]) -> str:
    state = instance.get("State")
    return str(state.get("Name", "unknown")) if isinstance(state, dict) else "unknown"
