"""append_record: one row of serverinfo.csv for the new server."""

from __future__ import annotations

from laerecover.ports.services import ServerRow
from laerecover.runbook.work import Values, Work

_WITHIN = 300.0


def append_record(work: Work) -> Values:
    """Values: instance_id, public_host, recorded_at, superseded (the lost server, whose row stays in the file)."""
    instance_id = work.known_of("deploy_ec2_instance", "instance_id")
    row = ServerRow(
        recorded_at=work.world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        launch_time=work.known_of("deploy_ec2_instance", "launch_time"),
        instance_id=instance_id,
        public_host=work.known_of("wait_for_ec2_addresses", "public_host"),
    )

    def probe() -> ServerRow | None:
        return next((r for r in work.world.register.rows() if r.instance_id == instance_id), None)

    def act() -> None:
        work.outbox.record(work.account.account_id, instance_id, row.recorded_at)
        if not work.world.register.append(row):
            # Within the same second another state folder was quicker, and its row looks as ours would.
            work.outbox.record(work.account.account_id, instance_id, "")

    found = work.ensure(probe, act, within=_WITHIN, what="serverinfo.csv")
    known = work.outbox.recorded(work.account.account_id)
    if known is None or known[0] != instance_id:
        work.outbox.record(work.account.account_id, instance_id, "")
    superseded = work.account.old_instance_id
    return {
        "instance_id": instance_id,
        "public_host": found.public_host,
        "recorded_at": found.recorded_at,
        "superseded": superseded,
    }
