"""wait_for_EC2_addresses: polls until both addresses are set."""

from __future__ import annotations

from laerecover.ports import Instance, NotFound, Transient
from laerecover.steps.work import StepFailed, Values, Work

_NOT_FOUND_GRACE = 60.0
"""EC2 may not know an instance for a while after its launch, in seconds."""
_SOON = 5.0


def wait_for_ec2_addresses(work: Work) -> Values:
    """Poll DescribeInstances until dnsName and privateDnsName are both set (the HOWTO's loop, every address_poll seconds).

    Values: public_host, private_host. Fails: `instance_died`, `not_found` (after a minute), `deadline`.
    """
    clock, waits = work.world.clock, work.settings.waits
    instance_id = work.known_of("deploy_ec2_instance", "instance_id")
    begun = clock.monotonic()
    until = begun + waits.address_deadline
    while True:
        instance = _describe(work, instance_id, begun + _NOT_FOUND_GRACE)
        if instance is not None and instance.dead:
            raise StepFailed(
                f"{instance_id} is {instance.state} before it was ready; run again to launch another",
                kind="instance_died",
            )
        if instance is not None and instance.public_host and instance.private_host:
            return {"public_host": instance.public_host, "private_host": instance.private_host}
        left = until - clock.monotonic()
        if left <= 0:
            raise StepFailed(f"{instance_id} got no addresses in time", kind="deadline")
        work.waiting(f"addresses of {instance_id}", left)
        clock.sleep(min(left, waits.address_poll if instance is not None else _SOON))


def _describe(work: Work, instance_id: str, grace_until: float) -> Instance | None:
    try:
        return work.world.compute.describe(instance_id)
    except NotFound:
        if work.world.clock.monotonic() > grace_until:
            raise
    except Transient:
        pass
    return None
