"""The change from boot key to final key, on the twin's host as on a real sshd, killed wherever it can be."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from calm_twin import DEPLOYED
from laerecover.adapters.clock import SystemClock
from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import derive_host_key, fingerprint
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.refusals import NotListening, Refusal, Transient, WorldError
from laerecover.rehearsal.twin.assemble import twin_world
from laerecover.runbook.steps import install_server as module
from laerecover.runbook.steps.install_server import replace_host_key
from laerecover.runbook.values import DEPLOY, WAIT
from laerecover.runbook.work import Work
from laerecover.settings import drill_settings

PACE = 0.05
# As real ones: an error is its status at once, whatever is still at work; what it leaves at its end is the result.
CLOUD_INIT = """#!/bin/sh
root=${0%/bin/*}
echo asked >>"$root/asked"
if [ -e "$root/failed" ]; then echo "status: error"; exit 1; fi
if [ -e "$root/run/result.json" ]; then echo "status: done"; exit 0; fi
echo "status: running"
case $* in *--wait*) exec sleep 1000 ;; esac
"""
POINTS = ("before-act", "host-key-written", "after-act")


class Killed(BaseException):
    """The runner dies here."""


@dataclass
class BootedHost:
    """A host that was booted with the boot key, with a work that is to change it."""

    work: Work
    answer_with: Callable[[Any], None]
    authentications: Callable[[], int]

    def rotate(self, kill_at: str = "") -> None:
        def point(name: str) -> None:
            if name == kill_at:
                raise Killed

        for _ in range(100):
            try:
                return replace_host_key(replace(self.work, point=point))
            except NotListening:  # as the runbook does
                time.sleep(0.05)
        raise AssertionError

    def answers(self, key: str) -> bool:
        address = self.work.values_of(WAIT).public_host
        for _ in range(100):
            try:
                self.work.world.hosts.connect(address, user="ubuntu", host_key=key).close()
            except (NotListening, Transient):
                time.sleep(0.05)
            except Refusal:
                return False
            else:
                return True
        raise AssertionError


def keys(vault) -> dict[str, Any]:
    return {which: derive_host_key(vault, "token", which) for which in ("boot", "final")}


def made(tmp_path: Path, vault, world, address: str) -> Work:
    known = {
        DEPLOY: {
            **DEPLOYED,
            "client_token": "token",
            "host_key": keys(vault)["final"].public,
            "boot_host_key": keys(vault)["boot"].public,
        },
        WAIT: {"public_host": address, "private_host": "ip-192-0-2-1"},
    }
    common: Any = {"account": SimpleNamespace(account_id="one"), "outbox": None, "settings": drill_settings(tmp_path)}
    return Work(recovery_id="r", mode="drill", world=world, vault=vault, known=known, **common)


@pytest.fixture
def twin_booted(tmp_path, twin_file, vault) -> BootedHost:
    """A running instance of the twin."""
    world = twin_world(twin_file, vault, SystemClock(threading.Event(), pace=PACE))
    request = LaunchRequest(
        client_token="token",
        tags={},
        ami_image_id="ami-1",
        instance_size="t1.micro",
        admin_keypair_name="admin",
        security_group="CustomerDefault",
        user_data=keys(vault)["boot"].user_data,
    )
    instance_id = world.compute.launch(request).instance_id
    with twin_file.change() as db:
        db.execute("UPDATE instances SET state = 'running', hidden = 0, refusals = 0")

    def answer_with(key) -> None:
        with twin_file.change() as db:
            db.execute("UPDATE instances SET host_key = ?", (key.public,))

    address = world.compute.describe(instance_id).public_host or ""
    return BootedHost(made(tmp_path, vault, world, address), answer_with, lambda: 0)


def stand_in(root: Path, name: str, script: str) -> None:
    """A program of the host's that is not the machine's own."""
    (root / "bin" / name).write_text(script)
    (root / "bin" / name).chmod(0o755)


@pytest.fixture
def sshd_booted(tmp_path, twin_file, vault, ssh_server, monkeypatch) -> BootedHost:
    """A real sshd on loopback that reads its host key from the tests' own file."""
    ssh_server.answer_with(keys(vault)["boot"])
    ssh_server.reload()
    root = ssh_server.root
    monkeypatch.setattr(module, "HOST_KEY_FILE", str(ssh_server.host_key_file))
    quick = module.CLOUD_INIT.script.replace("/run/cloud-init/", f"{root}/run/").replace("timeout 60", "timeout 1")
    monkeypatch.setattr(module, "CLOUD_INIT", replace(module.CLOUD_INIT, script=quick))
    stand_in(root, "chown", "#!/bin/sh\nexit 0\n")
    stand_in(root, "cloud-init", "#!/bin/sh\necho 'status: disabled'\n")
    connector = SshConnector(
        keys={ssh_server.user: ssh_server.key},
        command_seconds=10,
        port=ssh_server.port,
        base=f"{root}/marks",
        staging=f"{root}/staging",
    )

    class AsMe:
        def connect(self, public_host: str, *, user: str, host_key: str):
            return connector.connect(public_host, user=ssh_server.user, host_key=host_key)

    world = replace(twin_world(twin_file, vault, SystemClock(threading.Event(), pace=PACE)), hosts=AsMe())

    def answer_with(key) -> None:
        ssh_server.answer_with(key)
        ssh_server.reload()

    return BootedHost(made(tmp_path, vault, world, "127.0.0.1"), answer_with, lambda: ssh_server.authentications)


@pytest.fixture(params=["twin", "sshd"])
def booted(request) -> BootedHost:
    """Both of them."""
    return request.getfixturevalue(f"{request.param}_booted")


@pytest.mark.parametrize("kill_at", ["", *POINTS])
def test_the_final_key_answers_wherever_the_change_was_killed(booted, vault, kill_at):
    """Killed between any two steps, the change is gone on with, and the boot key is worth nothing afterwards."""
    if kill_at:
        with pytest.raises(Killed):
            booted.rotate(kill_at)
    booted.rotate()
    assert booted.answers(keys(vault)["final"].public)
    assert not booted.answers(keys(vault)["boot"].public)
    booted.rotate("before-act")  # nothing is left to be done


def test_a_third_key_gets_nothing(booted, vault):
    """A host with neither key is somebody else's: refused at once, without a byte of authentication.

    Both of ours are told, and the one that answered, as a console shows them.
    """
    foreign = derive_host_key(vault, "somebody else's")
    booted.answer_with(foreign)
    before = booted.authentications()
    with pytest.raises(WorldError) as caught:
        booted.rotate()
    assert caught.value.kind == "host_key"
    assert booted.authentications() == before
    for key in (*keys(vault).values(), foreign):
        assert fingerprint(key.public) in str(caught.value)


def test_a_fingerprint_is_the_one_that_consoles_show(vault):
    """Somebody compares it with a console, character by character."""
    public = keys(vault)["boot"].public
    assert fingerprint(public) == paramiko.Ed25519Key(data=base64.b64decode(public.split()[1])).fingerprint
    assert fingerprint("nothing of the kind") == "(no key)"


@pytest.mark.parametrize("failed", [False, True], ids=["well", "with an error"])
def test_cloud_init_is_waited_for_before_the_key_is_changed(sshd_booted, ssh_server, vault, failed):
    """Until it has left its result nothing is changed, though an error makes it say at once that it is over.

    Then all goes on, whatever became of it.
    """
    root, boot = ssh_server.root, keys(vault)["boot"]
    stand_in(root, "cloud-init", CLOUD_INIT)
    if failed:
        (root / "failed").touch()
    changing = threading.Thread(target=sshd_booted.rotate, daemon=True)
    changing.start()
    for _ in range(1500):
        if (root / "asked").exists() and (root / "asked").read_text().count("asked") > 2:  # the first minute is over
            break
        time.sleep(0.01)
    assert changing.is_alive()
    assert ssh_server.host_key_file.read_text() == boot.private.reveal()
    assert not (root / "marks").exists()
    (root / "run").mkdir()
    (root / "run/result.json").touch()
    changing.join(timeout=30)
    assert sshd_booted.answers(keys(vault)["final"].public)


def test_cloud_init_is_not_waited_for_for_ever(sshd_booted, ssh_server, vault, monkeypatch):
    """One that never ends, or was never begun, costs its ten minutes and nothing else."""
    monkeypatch.setattr(module, "_CLOUD_INIT_SECONDS", 20.0)
    stand_in(ssh_server.root, "cloud-init", CLOUD_INIT)
    sshd_booted.rotate()
    assert (ssh_server.root / "asked").read_text().count("asked") > 2
    assert sshd_booted.answers(keys(vault)["final"].public)


def test_a_user_who_is_not_let_in_is_told_by_name(sshd_booted, ssh_server):
    """The image, the key pair, or an instance of an older version: what to look at stands in the message."""
    (ssh_server.root / "authorized_keys").write_text("")
    with pytest.raises(Refusal) as caught:
        sshd_booted.rotate()
    assert caught.value.kind == "authentication"
    for word in ("let ubuntu in", "admin_privkey_path", "admin_keypair_name", "laerecover cleanup"):
        assert word in str(caught.value)


def test_a_key_that_changes_while_it_is_asked_for_is_no_alarm(twin_booted, vault, monkeypatch):
    """The final key may come into force between the question for it and the question for the boot key."""
    hosts = twin_booted.work.world.hosts
    first, connect = keys(vault)["final"], type(hosts).connect

    def late(self, public_host, *, user, host_key):
        try:
            return connect(self, public_host, user=user, host_key=host_key)
        finally:
            twin_booted.answer_with(first)

    monkeypatch.setattr(type(hosts), "connect", late)
    twin_booted.rotate("before-act")
