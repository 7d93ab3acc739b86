"""Servers that somebody rebuilt by hand, found by the tags of 2012."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from laerecover.manifest import Account
from laerecover.planning.obstacles import Obstacle
from laerecover.ports.compute import Compute, Instance

REBUILT = "rebuilt"
_BUCKET, _NAME = "Bucket", "Name"
"""The signup program tagged a server with the bucket, and with the customer's address."""


def rebuilt(
    accounts: Sequence[Account],
    compute: Compute,
    *,
    everyone: Sequence[Account] = (),
    decided: Mapping[str, frozenset[str]],
) -> Iterator[Obstacle]:
    """An obstacle for each of these accounts that has living servers which no recovery launched. Raises WorldError.

    A server that names a bucket of `everyone`'s is that account's alone: a customer may have several accounts.
    `decided`: account -> ids of instances that a human has accepted.
    """
    owners = {a.bucket_name: a.account_id for a in (*everyone, *accounts) if a.bucket_name}
    ours = {a.account_id: a for a in accounts}
    customers: dict[str, list[str]] = {}
    for account in accounts:
        if account.instance_name:
            customers.setdefault(account.instance_name, []).append(account.account_id)
    theirs: dict[str, list[Instance]] = {}
    for instance in _living(compute, [a.bucket_name for a in accounts if a.bucket_name], list(customers)):
        owner = owners.get(instance.tags.get(_BUCKET, ""))
        named = [owner] if owner else customers.get(instance.tags.get(_NAME, ""), [])
        for account_id in named:
            if account_id in ours and instance.instance_id not in decided.get(account_id, ()):
                theirs.setdefault(account_id, []).append(instance)
    yield from (_obstacle(account_id, theirs[account_id]) for account_id in ours if account_id in theirs)


def _living(compute: Compute, buckets: Sequence[str], customers: Sequence[str]) -> Sequence[Instance]:
    """By their ids. A stopped one lives: anybody may start it again."""
    found = {i.instance_id: i for i in (*compute.tagged(_BUCKET, buckets), *compute.tagged(_NAME, customers))}
    return [i for _, i in sorted(found.items()) if not i.dead and "lae-recovery" not in i.tags]


def _obstacle(account_id: str, instances: Sequence[Instance]) -> Obstacle:
    told = ", ".join(f"{i.instance_id} ({i.state}, launched {i.launch_time})" for i in instances)
    return Obstacle(
        what=REBUILT,
        message=f"{told} bears the tags of its server of 2012: somebody may have rebuilt it by hand, and two servers "
        "on one bucket would be worse than none",
        remedy="ask who did, and end it; or, if it does no harm, say so: "
        + f'`run {" ".join(f"--accept ACCOUNT={i.instance_id}" for i in instances)} --because "…"`',
        account_id=account_id,
        instances=tuple(i.instance_id for i in instances),
    )
