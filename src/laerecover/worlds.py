"""Which world a state works on: the twin or a rig for drills, the real one for runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from laerecover.adapters.clock import SystemClock
from laerecover.hosts.host_keys import LOGIN
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import FAILURE, Outbox
from laerecover.ports.world import OpenWorld, World
from laerecover.report.report import Counts
from laerecover.runbook.ledger import read_ledger
from laerecover.settings import Settings
from laerecover.state.state import State


def open_world(
    state: State, settings: Settings, vault: Vault, stop: threading.Event, *, crash_at: str = ""
) -> OpenWorld:
    """The world that this state works on. Raises LaeRecoverError if it is a rig that has ended."""
    if state.mode != "drill":
        return open_real(settings, stop)
    if state.rehearsal.is_file():
        return open_rig(state, settings, stop, crash_at=crash_at)
    return open_twin(state, vault, stop, crash_at=crash_at)


def open_rig(state: State, settings: Settings, stop: threading.Event, *, crash_at: str = "") -> OpenWorld:
    """The real adapters in the network of the drill's rig, which this thread, and those that it starts, never leave."""
    from laerecover.rehearsal.rig.of_a_drill import enter

    def point(step: str, point: str) -> None:
        if crash_at == f"{step}:{point}":
            os.kill(os.getpid(), signal.SIGKILL)

    enter(state)
    return replace(open_real(settings, stop), point=point)


def open_twin(state: State, vault: Vault, stop: threading.Event, *, crash_at: str = "") -> OpenWorld:
    """The twin world of a drill's state."""
    from laerecover.rehearsal.twin.assemble import twin_world
    from laerecover.rehearsal.twin.world import TwinFile, faults_of

    file = TwinFile(state.world, seed=state.seed, pace=state.pace, faults=faults_of(state.faults), crash_at=crash_at)
    return OpenWorld(world=twin_world(file, vault, SystemClock(stop, pace=state.pace)), point=file.point)


def open_real(settings: Settings, stop: threading.Event) -> OpenWorld:
    """The real world, as the settings name it. Nothing is connected yet."""
    from laerecover.adapters.ec2 import Ec2Compute
    from laerecover.adapters.s3 import S3Store
    from laerecover.adapters.serverinfo import ServerinfoFile
    from laerecover.adapters.smtp import SmtpMailer
    from laerecover.adapters.ssh import SshConnector
    from laerecover.adapters.tahoe_probe import TahoeProbe
    from laerecover.adapters.zenoss import Zenoss

    admin = SshConnector(
        keys={LOGIN: Path(settings.admin_privkey_path), "monitor": Path(settings.monitor_privkey_path)},
        command_seconds=settings.waits.command_deadline,
    )
    monitoring, clock = None, SystemClock(stop)
    if settings.zenoss_ip and settings.zenoss_privkey_path and settings.zenoss_host_key:
        connector = SshConnector(keys={"zenoss": Path(settings.zenoss_privkey_path)}, command_seconds=60.0, sudo=False)
        monitoring = Zenoss(connector, settings.zenoss_ip, settings.zenoss_host_key)
    world = World(
        compute=Ec2Compute(settings, clock),
        hosts=admin,
        mailer=SmtpMailer(settings),
        register=ServerinfoFile(settings.serverinfo),
        monitoring=monitoring,
        nodes=TahoeProbe(),
        clock=clock,
        store=S3Store(settings, clock),
    )
    return OpenWorld(world=world, point=lambda step, point: None)


def count_effects(state: State, settings: Settings | None) -> Mapping[str, Counts]:
    """Per account, as the world tells: the twin's file; for a run the ledger's instance ids, serverinfo.csv and the outbox."""
    letters = [mail for mail in Outbox(state.outbox).all() if mail.kind != FAILURE]
    if state.mode == "drill" and not state.rehearsal.is_file():
        from laerecover.rehearsal.twin.assemble import count

        if not state.world.is_file():
            return {}
        told = count(state.world)
        instances, rows, mails = told.instances, told.rows, told.mails
    else:
        rounds = read_ledger(state.ledger)
        instances = {account: len(latest.launched) for account, latest in rounds.items()}
        rows = _registered(settings, {account: latest.launched for account, latest in rounds.items()})
        mails = {mail.message_id: 1 for mail in letters if mail.state == "sent"}
    sent: dict[str, int] = {}
    for mail in letters:
        sent[mail.account_id] = sent.get(mail.account_id, 0) + mails.get(mail.message_id, 0)
    return {
        account: Counts(
            instances_launched=instances.get(account, 0),
            serverinfo_rows=rows.get(account, 0),
            mails_sent=sent.get(account, 0),
        )
        for account in instances.keys() | rows.keys() | sent.keys()
    }


def _registered(settings: Settings | None, launched: Mapping[str, frozenset[str]]) -> dict[str, int]:
    from laerecover.adapters.serverinfo import ServerinfoFile

    rows = [row.instance_id for row in ServerinfoFile(settings.serverinfo).rows()] if settings is not None else []
    return {account: sum(1 for instance_id in rows if instance_id in ids) for account, ids in launched.items()}
