"""The ssh adapter at hosts of the rig: real users, real sudo, full disks, reboots, crowds at the door."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laerecover.adapters.ssh import SshConnector, SshHost
from laerecover.hosts.host_keys import HOST_KEY_FILE, HostKey, derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.rehearsal.rig.client import Rig

CUSTOMER = Command(name="user-customer", script="id customer || useradd --create-home customer")
NUMBERS = itertools.count(150)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault of the test's own."""
    return Vault(tmp_path / "secrets", b"k" * 32)


@pytest.fixture
def boot_key(vault: Vault) -> HostKey:
    """What the host is booted with."""
    return derive_host_key(vault, "token", "boot")


@pytest.fixture
def address() -> str:
    """The address of the test's one host."""
    return f"203.0.113.{next(NUMBERS)}"


@pytest.fixture
def boot(rig: Rig, boot_key: HostKey, address: str) -> Iterator[Callable[..., None]]:
    """Boots the one host of a test; its end is the test's."""
    name = f"i-sshd-{address.rpartition('.')[2]}"

    def begin(disk: str = "2g") -> None:
        rig.boot(name, address, user_data=boot_key.user_data.reveal(), disk=disk)

    yield begin
    rig.ask("terminate", name)


@pytest.fixture
def connect(rig: Rig, boot_key: HostKey, address: str) -> Callable[..., SshHost]:
    """Connects as ubuntu, again and again until the host listens."""
    connector = SshConnector(keys={"ubuntu": rig.key("ubuntu")}, command_seconds=60)

    def try_often(key: HostKey = boot_key, *, tries: int = 150) -> SshHost:
        while True:
            tries -= 1
            try:
                with rig.inside():
                    return connector.connect(address, user="ubuntu", host_key=key.public)
            except (NotListening, Transient):
                if tries <= 0:
                    raise
                time.sleep(0.2)

    return try_often


def test_a_customers_file_is_nobody_elses(boot, connect):
    """ubuntu puts a file where it may not even look; owner and mode are right, no trace of it stays behind."""
    boot()
    host = connect()
    folder = "/home/customer/introducer/private"
    host.run(
        [CUSTOMER, Command(name="shut", script=f"install -d -m 700 -o customer {folder}; chmod 700 /home/customer")]
    )
    host.write(f"{folder}/node.pem", Secret("canary"), owner="customer", mode=0o400)
    fact = host.stat([f"{folder}/node.pem"])[f"{folder}/node.pem"]
    assert (fact.owner, fact.mode, host.read(f"{folder}/node.pem").reveal()) == ("customer", 0o400, "canary")
    (look,) = host.run([Command(name="look", user="ubuntu", script=f"cat {folder}/node.pem")])
    assert look.status == 1
    left = f"ls -A {folder} /home/ubuntu/.lae-recovery; find / -xdev -name '*_history' -o -xdev -name '*lae-tmp'"
    (told,) = host.run([Command(name="left", script=f"{left}; exit 3")])
    assert [word for word in told.tail.split(" | ") if not word.endswith((":", ".sh"))] == ["node.pem"]


def test_no_secret_is_seen_in_the_list_of_processes(boot, connect, rig):
    """While files are put in place, no process has anything of them among its arguments or in its environment."""
    boot()
    host, watched = connect(), []
    script = """until=$(($(date +%s) + 4))
    while [ "$(date +%s)" -lt $until ]; do
        grep -l '[c]anary' /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || :
    done; exit 3"""
    other = connect()
    watch = threading.Thread(target=lambda: watched.extend(other.run([Command(name="watch", script=script)])))
    watch.start()
    while watch.is_alive():
        host.write("/root/s3secret", Secret("canary-of-the-mine"), owner="root", mode=0o400)
    watch.join()
    assert [(result.status, result.tail) for result in watched] == [(3, "")]


def test_a_full_disk_is_seen_before_anything_is_written(boot, connect):
    """No room at the target: refused with a remedy, the old file whole, nothing half beside it."""
    boot()
    host = connect()
    host.run([Command(name="small", script="mkdir -p /mnt/s; mount -t tmpfs -o size=2m none /mnt/s")])
    host.write("/mnt/s/file", Secret("old"), owner="root", mode=0o600)
    with pytest.raises(Refusal) as caught:
        host.write("/mnt/s/file", Secret("new" * 700_000), owner="root", mode=0o600)
    assert caught.value.kind == "disk_full"
    assert "larger image" in str(caught.value)
    assert host.read("/mnt/s/file").reveal() == "old"
    (told,) = host.run([Command(name="left", script="ls -A /mnt/s; exit 3")])
    assert told.tail == "file"


def test_a_host_without_any_room_starts_nothing(boot, connect):
    """Neither a file nor a phase is begun on a full root disk; with room again both work."""
    boot("64m")
    host = connect()
    host._line.script("dd if=/dev/zero of=/fill bs=4k 2>/dev/null || :", "fill")
    for act in (
        lambda: host.write("/etc/new", Secret("x"), owner="root", mode=0o600),
        lambda: host.run([Command(name="after", script="touch /after")]),
    ):
        with pytest.raises(Refusal) as caught:
            act()
        assert caught.value.kind == "disk_full"
    assert host.stat(["/etc/new", "/after"]) == {}
    host._line.script("rm /fill", "make room")
    assert [r.status for r in host.run([Command(name="after", script="touch /after")])] == [0]


def test_the_final_key_outlives_a_reboot(boot, connect, vault, boot_key):
    """Installed over a connection pinned to the boot key, the final key answers at once, and after a reboot."""
    boot()
    final = derive_host_key(vault, "token")
    host = connect()
    before = host.boot_id()
    host.write(HOST_KEY_FILE, final.private, owner="root", mode=0o600)
    host.reload_sshd()
    host = _patiently(lambda: connect(final))
    with pytest.raises(Refusal):
        connect(boot_key)
    host.reboot()

    def rebooted() -> SshHost:
        host = connect(final)
        if host.boot_id() == before:
            raise Transient("not yet")
        return host

    assert _patiently(rebooted).stat([HOST_KEY_FILE])[HOST_KEY_FILE].mode == 0o600


def test_a_phase_that_a_reboot_ended_is_begun_again(boot, connect):
    """What was at work at the reboot is not taken for being at work; what was done before is not done again."""
    boot()
    host = connect()
    before = host.boot_id()
    phase = [
        Command(name="once", script="echo once >>/root/once"),
        Command(name="long", script="test -e /root/begun || { touch /root/begun; sleep 600; }; cat /root/once; exit 3"),
    ]
    connect()._line.script(
        "sh -c 'until test -e /root/begun; do sleep 0.1; done; reboot' >/dev/null 2>&1 </dev/null &", ""
    )
    with pytest.raises(Transient):
        host.run(phase)

    def again():
        host = connect()
        assert host.boot_id() != before
        return host.run(phase)

    results = _patiently(again)
    assert [(r.status, r.skipped, r.tail) for r in results] == [(0, True, ""), (3, False, "once")]


def test_a_service_is_started_by_its_supervisor(boot, connect):
    """Where there is no systemd, runit runs it, now and after it was killed."""
    boot()
    host = connect()
    run = "#!/bin/sh\\nexec sleep 1000\\n"
    script = (
        "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq -y install runit runit-run\n"
        f"mkdir -p /etc/sv/lae-clerk; printf '{run}' >/etc/sv/lae-clerk/run; chmod 755 /etc/sv/lae-clerk/run"
    )
    assert [r.status for r in host.run([Command(name="runit", script=script)])] == [0]
    assert not host.running("clerk")
    host.start("clerk")
    host.start("clerk")
    assert host.running("clerk")


def test_a_crowd_at_the_door_is_a_reason_to_come_again(boot, connect, rig, address):
    """sshd drops connections beyond its MaxStartups: that is passing trouble, and nothing else."""
    boot()
    host = connect()
    host.write("/etc/ssh/sshd_config.d/few.conf", Secret("MaxStartups 3\n"), owner="root", mode=0o644)
    host.reload_sshd()
    with contextlib.ExitStack() as crowd, rig.inside():
        for _ in range(60):
            time.sleep(0.1)
            try:
                one = socket.create_connection((address, 22), timeout=10)
            except ConnectionRefusedError:  # it reads its settings anew
                continue
            crowd.enter_context(contextlib.closing(one))
            if b"Exceeded" in one.recv(100):
                break
        with pytest.raises(Transient):
            connect(tries=1)
    assert connect().boot_id()


def _patiently(act):
    """What comes of it, asked again for a while after a lost connection."""
    for _ in range(100):
        with contextlib.suppress(Transient, NotListening, AssertionError):
            return act()
        time.sleep(0.3)
    return act()
