"""notify_zenoss: the monitoring server learns of the new host."""

from __future__ import annotations

from laerecover.errors import StepFailed
from laerecover.ports.refusals import Refusal
from laerecover.runbook.values import WAIT, Watched
from laerecover.runbook.work import Work


def notify_zenoss(work: Work) -> Watched:
    """Have the new server watched, if monitoring is configured.

    Fails with a follow-up only: `monitoring_missing`; the account stays recovered.
    """
    monitoring = work.world.monitoring
    old = work.account.old_public_host
    if monitoring is None:
        return Watched(watched=False, unwatch=old)
    public_host = work.values_of(WAIT).public_host
    try:
        work.ensure(
            lambda: monitoring.watches(public_host) or None,
            lambda: monitoring.watch(public_host),
            within=work.settings.waits.monitoring_deadline,
            what="zenoss",
        )
    except (StepFailed, Refusal) as error:
        raise StepFailed(
            f"{public_host} is not monitored: {error}", kind="monitoring_missing", follow_up=True
        ) from None
    return Watched(watched=True, unwatch=old)
