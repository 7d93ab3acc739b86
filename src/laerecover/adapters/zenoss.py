"""Monitoring on the zenoss server, by zenbatchload over ssh."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from laerecover.manifest import Secret
from laerecover.ports.hosts import Command, Host, HostConnector
from laerecover.ports.refusals import NotListening, Refusal, Transient

_FOLDER = "/home/zenoss/loadfiles"
_USER = "zenoss"
_PROFILE = "/home/zenoss/.bashrc"


class Zenoss:
    """Writes zbatch_<ip> and loads it, as the signup of 2012 did; a file beside it tells that it was loaded."""

    def __init__(self, connector: HostConnector, zenoss_ip: str, host_key: str) -> None:
        self._connector, self._ip, self._host_key = connector, zenoss_ip, host_key

    def watches(self, public_host: str) -> bool:
        """Whether the batch file of this host was loaded."""
        done = f"{_batch(public_host)}.loaded"
        with self._host() as host:
            return done in host.stat([done])

    def watch(self, public_host: str) -> None:
        """Load `<ip> setManageIp="<ip>"` into /Devices/Server/SSH/Linux."""
        batch = _batch(public_host)
        text = f'/Devices/Server/SSH/Linux\n{public_host} setManageIp="{public_host}"\n'
        with self._host() as host:
            host.write(batch, Secret(text), owner=_USER, mode=0o644)
            script = f". {_PROFILE}; zenbatchload {batch} && touch {batch}.loaded"
            results = host.run([Command(name=f"zenbatchload-{public_host}", script=script, user=_USER)])
        if results[-1].status != 0:
            raise Refusal(f"zenbatchload: exit status {results[-1].status}", kind="command_failed")

    @contextmanager
    def _host(self) -> Iterator[Host]:
        try:
            host = self._connector.connect(self._ip, user=_USER, host_key=self._host_key)
        except NotListening as error:
            raise Transient(str(error)) from None
        try:
            yield host
        finally:
            host.close()


def _batch(public_host: str) -> str:
    try:
        return f"{_FOLDER}/zbatch_{ipaddress.ip_address(public_host)}"
    except ValueError:
        raise Refusal("zenoss takes dotted addresses only", kind="monitoring_refused") from None
