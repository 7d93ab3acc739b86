"""The exam for hosts, sat by whole ones of the rig: one of small programs and runit, one that systemd runs.

Each is booted once for all of it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import paramiko
import pytest
from rig_hands import connect
from test_host import HostExam, Subject

from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import HOST_KEY_FILE, HostKey, derive_host_key
from laerecover.hosts.recipes.debian import packages, supervised
from laerecover.hosts.vault import Vault
from laerecover.ports.hosts import Host
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.rehearsal.rig.client import Rig, up
from laerecover.rehearsal.rig.tools import missing, missing_for_systemd

ADDRESS, MARKS = "203.0.113.230", "/var/lib/lae-recovery"
IMAGES = {"small": {}, "systemd": {"image": "systemd", "private_address": "10.77.0.230"}}
KILL = "sudo sh -c 'pkill -KILL -f \"^sshd: ubuntu\"'"
"""Every connection of the login user, this one, too."""


@dataclass
class Machine:
    """A host of the rig, with the key that it answers with by now. It is a HostConnector: from within its network."""

    rig: Rig
    key: HostKey

    def connect(self, public_host: str, *, user: str, host_key: str) -> Host:
        connector = SshConnector(keys={"ubuntu": self.rig.key("ubuntu")}, command_seconds=60)
        with self.rig.inside():
            return connector.connect(public_host, user=user, host_key=host_key)

    def shell(self, script: str) -> str:
        return connect(self.rig, ADDRESS, self.key.public, within=60.0)(script)

    def drop(self) -> None:
        with contextlib.suppress(AssertionError, EOFError, OSError, paramiko.SSHException):
            self.shell(KILL)


def later(ask: Callable[[], Any]) -> Any:
    """What it says as soon as the host can be asked."""
    until = time.monotonic() + 60
    while True:
        try:
            return ask()
        except (NotListening, Transient):
            assert time.monotonic() < until, "the host did not come back"
            time.sleep(0.3)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Of all keys."""
    return Vault(tmp_path_factory.mktemp("vault"), b"k" * 32)


@pytest.fixture(scope="module", params=list(IMAGES))
def machine(
    request: pytest.FixtureRequest, vault: Vault, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Booted, with the user customer and a supervisor."""
    reason = missing() or (missing_for_systemd() if request.param == "systemd" else None)
    if reason is not None:
        pytest.skip(f"no such host: {reason} (make rig-tools installs the tools)")
    faults = json.dumps({"image": request.param})
    rig = up(
        tmp_path_factory.mktemp("rigs") / "rig",
        say=lambda text: print(text, file=sys.stderr),
        faults=faults,
        with_parent=True,
    )
    try:
        made = Machine(rig, derive_host_key(vault, request.param, "boot"))
        rig.boot("i-exam", ADDRESS, user_data=made.key.user_data.reveal(), **IMAGES[request.param])
        made.shell("command -v cloud-init >/dev/null && cloud-init status --wait >/dev/null; sudo useradd -m customer")
        yield made
    finally:
        rig.down()


class TestHostOfTheRig(HostExam):
    """By the ssh adapter, as a recovery meets it: real users, real sudo, a real supervisor, a real reboot."""

    @pytest.fixture
    def subject(self, machine: Machine) -> Subject:
        """With nothing of the test before."""
        machine.shell(f"sudo sh -c 'rm -rf {MARKS}/* /home/customer/*'")
        key, home = machine.key.public, "/home/customer"
        return Subject(machine, ADDRESS, "ubuntu", key, "customer", home, MARKS, machine.drop)

    def test_its_written_key_and_its_service_outlive_a_reboot(self, subject: Subject, machine: Machine, vault: Vault):
        """After sshd has read its keys anew the new key alone answers; what was started runs in the next boot, too."""
        final, host = derive_host_key(vault, "final"), subject.connect()
        commands = [packages("ca-certificates", modern=False), supervised("clerk", "exec sleep 1000\n")]
        assert [result.status for result in host.run(commands)] == [0, 0]
        assert not host.running("clerk")
        host.start("clerk")
        assert host.running("clerk")
        before = host.boot_id()
        host.write(HOST_KEY_FILE, final.private, owner="root", mode=0o600)
        with contextlib.suppress(Transient):  # the runbook asks again, too
            host.reload_sshd()
        host = later(lambda: subject.connect(final.public))
        with pytest.raises(Refusal):
            subject.connect()
        machine.key = final
        host.reboot()

        def rebooted() -> Host:
            again: Host = subject.connect(final.public)
            if again.boot_id() == before or not again.running("clerk"):
                raise Transient("not yet")
            return again

        assert later(rebooted).stat([HOST_KEY_FILE])[HOST_KEY_FILE].mode == 0o600
