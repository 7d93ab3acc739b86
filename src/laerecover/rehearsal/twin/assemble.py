"""The twin's ports put together, with what its file says at the end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from laerecover.databases import readable
from laerecover.hosts.vault import Vault
from laerecover.ports.services import Clock
from laerecover.ports.world import World, WorldCounts
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.rehearsal.twin.hosts import TwinHosts
from laerecover.rehearsal.twin.probes import TwinProbe
from laerecover.rehearsal.twin.services import TwinMailer, TwinMonitoring, TwinRegister
from laerecover.rehearsal.twin.world import TwinFile


def twin_world(file: TwinFile, vault: Vault, clock: Clock) -> World:
    """All ports over one file."""
    return World(
        compute=TwinCompute(file),
        hosts=TwinHosts(file, vault),
        mailer=TwinMailer(file),
        register=TwinRegister(file),
        monitoring=TwinMonitoring(file),
        clock=clock,
        nodes=TwinProbe(file),
    )


def count(path: Path) -> WorldCounts:
    """Read-only; the file must exist."""
    with readable(path) as look, closing(look()) as db:
        return WorldCounts(
            instances=dict(db.execute("SELECT account_id, count(*) FROM instances GROUP BY account_id")),
            rows=dict(
                db.execute(
                    "SELECT account_id, count(*) FROM serverinfo JOIN instances USING (instance_id) GROUP BY account_id"
                )
            ),
            mails=dict(db.execute("SELECT message_id, count(*) FROM mailbox GROUP BY message_id")),
        )
