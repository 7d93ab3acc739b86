"""Servers that somebody rebuilt by hand, found by the tags of 2012."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from laerecover.manifest import Account
from laerecover.ports.compute import Compute, Instance, folded

REBUILT = "rebuilt"
_BUCKET, _NAME = "Bucket", "Name"
"""The signup program tagged a server with the bucket, and with the customer's address."""


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """Whose the servers are. One that names a bucket of `everyone`'s is that account's alone, for a customer may have
    several accounts; `decided`: account -> ids of instances that a human has accepted.
    """

    everyone: Sequence[Account] = ()
    decided: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        return {folded(a.bucket_name): a.account_id for a in self.everyone if a.bucket_name}

    def found(self, accounts: Sequence[Account], compute: Compute) -> Mapping[str, Sequence[Instance]]:
        """Those of these accounts that have living servers which no recovery launched, in their order, with them.

        Raises WorldError.
        """
        ours = {folded(a.bucket_name): a.account_id for a in accounts if a.bucket_name}
        customers: dict[str, list[str]] = {}
        for account in accounts:
            if account.instance_name:
                customers.setdefault(folded(account.instance_name), []).append(account.account_id)
        theirs: dict[str, list[Instance]] = {a.account_id: [] for a in accounts}
        for instance in _living(compute, list(ours), list(customers)):
            bucket, name = (folded(instance.tags.get(key, "")) for key in (_BUCKET, _NAME))
            owner = self._owners.get(bucket) or ours.get(bucket)
            for account_id in [owner] if owner else customers.get(name, []):
                if account_id in theirs and instance.instance_id not in self.decided.get(account_id, ()):
                    theirs[account_id].append(instance)
        return {account_id: instances for account_id, instances in theirs.items() if instances}


def _living(compute: Compute, buckets: Sequence[str], customers: Sequence[str]) -> Sequence[Instance]:
    """By their ids. A stopped one lives: anybody may start it again."""
    found = {i.instance_id: i for i in (*compute.tagged(_BUCKET, buckets), *compute.tagged(_NAME, customers))}
    return [i for _, i in sorted(found.items()) if not i.dead and "lae-recovery" not in i.tags]


def described(instances: Sequence[Instance]) -> str:
    """What is to be said of an account that has these."""
    each = ", ".join(f"{i.instance_id} ({i.state}, launched {i.launch_time})" for i in instances)
    return (
        f"{each} bears the tags of its server of 2012: somebody may have rebuilt it by hand, and two servers on one "
        "bucket would be worse than none"
    )


def to_accept(instances: Sequence[Instance]) -> str:
    """What to do about these."""
    named = " ".join(f"--accept ACCOUNT={i.instance_id}" for i in instances)
    return f'ask who did, and end it; or, if it does no harm, say so: `run {named} --because "…"`'
