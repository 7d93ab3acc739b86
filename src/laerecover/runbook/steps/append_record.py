"""append_record: one row of serverinfo.csv for the new server."""

from __future__ import annotations

from secrets import token_hex

from laerecover.instances.tags import tags_of
from laerecover.ports.compute import RECOVERED_TAG
from laerecover.ports.services import ServerRow
from laerecover.runbook.values import DEPLOY, WAIT, Appended
from laerecover.runbook.work import Work

_WITHIN = 300.0


def _is_recovered(work: Work, instance_id: str) -> bool:
    tags = tags_of(work.recovery_id, work.account.account_id)
    return any(i.instance_id == instance_id and RECOVERED_TAG in i.tags for i in work.world.compute.find(tags))


def append_record(work: Work) -> Appended:
    """The row of the account's new server, once.

    A server that is tagged as recovered, and of which this state has no word, is another one's: it may have told the
    customer, though its row is lost.
    """
    deployed = work.values_of(DEPLOY)
    instance_id = deployed.instance_id
    row = ServerRow(
        recorded_at=work.world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        launch_time=deployed.launch_time,
        instance_id=instance_id,
        public_host=work.values_of(WAIT).public_host,
        recorded_by=f"by-{token_hex(8)}",
    )

    def probe() -> ServerRow | None:
        return next((r for r in work.world.register.rows() if r.instance_id == instance_id), None)

    def act() -> None:
        # Another state folder may write its row before ours, whatever befalls us here: the row tells whose it is.
        known = work.outbox.recorded(work.account.account_id)
        unknown = known is None or known[0] != instance_id
        foreign = _is_recovered(work, instance_id) if unknown else known == (instance_id, "")
        work.outbox.record(work.account.account_id, instance_id, "" if foreign else row.recorded_by)
        work.world.register.append(row)

    found = work.ensure(probe, act, within=_WITHIN, what="serverinfo.csv")
    known = work.outbox.recorded(work.account.account_id)
    if known is None or known[0] != instance_id:
        work.outbox.record(work.account.account_id, instance_id, "")
    return Appended(
        instance_id=instance_id,
        public_host=found.public_host,
        recorded_at=found.recorded_at,
        superseded=work.account.old_instance_id,
    )
