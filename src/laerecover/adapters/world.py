"""The real world, as the settings name it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from laerecover.adapters.clock import SystemClock
from laerecover.hosts.host_keys import LOGIN
from laerecover.hosts.vault import Vault
from laerecover.ports.hosts import unheard
from laerecover.ports.world import OpenWorld, World, WorldCounts
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.settings import Settings


def open_real(settings: Settings, stop: threading.Event, heard: Callable[[str], None] = unheard) -> OpenWorld:
    """The real world, as the settings name it. Nothing is connected yet. `heard`: see `aws.Pace`."""
    from laerecover.adapters.ec2 import Ec2Compute
    from laerecover.adapters.own_side import RealOwnSide
    from laerecover.adapters.s3 import S3Store
    from laerecover.adapters.serverinfo import ServerinfoFile
    from laerecover.adapters.smtp import SmtpMailer
    from laerecover.adapters.ssh import SshConnector
    from laerecover.adapters.tahoe_probe import TahoeProbe
    from laerecover.adapters.zenoss import Zenoss

    ours, host_key = settings.config, settings.monitoring.host_key
    admin = SshConnector(
        keys={LOGIN: ours.admin_privkey_path, "monitor": ours.monitor_privkey_path},
        command_seconds=settings.waits.command_deadline,
    )
    monitoring, clock = None, SystemClock(stop)
    if ours.zenoss_ip and ours.zenoss_privkey_path and host_key:
        connector = SshConnector(keys={"zenoss": ours.zenoss_privkey_path}, command_seconds=60.0, sudo=False)
        monitoring = Zenoss(connector, ours.zenoss_ip, host_key)
    world = World(
        compute=Ec2Compute(settings, clock, heard),
        hosts=admin,
        mailer=SmtpMailer(settings.mail),
        register=ServerinfoFile(settings.files.serverinfo),
        monitoring=monitoring,
        nodes=TahoeProbe(),
        clock=clock,
        store=S3Store(settings, clock, heard),
        own_side=RealOwnSide(settings),
    )
    return OpenWorld(world=world, point=lambda step, point: None)


class RealWorlds:
    """Worlds, where every state is that of a run. `heard`: see `open_real`."""

    def __init__(self, heard: Callable[[str], None] = unheard) -> None:
        self._heard = heard

    def cloud(self, settings: Settings, stop: threading.Event) -> OpenWorld:
        """See `open_real`."""
        return open_real(settings, stop, self._heard)

    def open(self, state: State, settings: Settings, vault: Vault, stop: threading.Event) -> OpenWorld:
        """The same for every state."""
        del state, vault
        return open_real(settings, stop, self._heard)

    def counted(self, state: State) -> WorldCounts | None:
        """The cloud does not count for us."""
        del state
        return None
