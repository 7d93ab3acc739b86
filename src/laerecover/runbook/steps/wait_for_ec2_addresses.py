"""wait_for_EC2_addresses: polls until both addresses are set."""

from __future__ import annotations

from laerecover.errors import StepFailed
from laerecover.ports.compute import Instance
from laerecover.ports.refusals import NotFound, Transient
from laerecover.runbook.values import DEPLOY, Addresses
from laerecover.runbook.work import Work, refuse_dead

_NOT_FOUND_GRACE = 60.0
"""EC2 may not know an instance for a while after its launch, in seconds."""
_SOON = 5.0
_TRIES_AT_LEAST = 10


def wait_for_ec2_addresses(work: Work) -> Addresses:
    """Poll DescribeInstances until dnsName and privateDnsName are both set, every address_poll seconds as in the HOWTO.

    All accounts share the answers: see Compute.describe.
    Fails: `instance_died`, `instance_stopped`, `not_found` (after a minute),
    `deadline`.
    """
    clock, waits = work.world.clock, work.settings.waits
    instance_id = work.values_of(DEPLOY).instance_id
    begun, tries, unknown, pause = clock.monotonic(), 0, 0, waits.address_poll
    until = begun + waits.address_deadline
    while True:
        tries += 1
        instance: Instance | None = None
        try:
            instance = work.world.compute.describe(instance_id, fresh=pause)
        except NotFound:
            unknown += 1
        except Transient:
            pass
        if instance is not None:
            refuse_dead(instance)
            if instance.public_host and instance.private_host:
                return Addresses(public_host=instance.public_host, private_host=instance.private_host)
        now = clock.monotonic()
        if instance is None and now > begun + _NOT_FOUND_GRACE and unknown >= _TRIES_AT_LEAST:
            raise StepFailed(f"EC2 does not know {instance_id}", kind="not_found")
        if now > until and tries >= _TRIES_AT_LEAST:
            raise StepFailed(f"{instance_id} got no addresses in time", kind="deadline")
        work.waiting(f"addresses of {instance_id}", max(0.0, until - now))
        pause = waits.address_poll if instance is not None else _SOON
        clock.sleep(pause)
