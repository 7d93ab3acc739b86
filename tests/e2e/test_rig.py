"""The rig itself: hosts that boot, reboot and vanish, and nothing that outlives its keeper."""

from __future__ import annotations

import errno
import json
import os
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from pathlib import Path

import paramiko
import pytest
from rig_hands import connect, ec2, launch

from laerecover.hosts.host_keys import HostKey, derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.rehearsal.rig.client import Rig

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
APT = "sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y"


@pytest.fixture
def host_key(tmp_path: Path) -> HostKey:
    """A derived key, as a recovery hands it over in the user data."""
    return derive_host_key(Vault(tmp_path / "secrets", b"k" * 32), "token")


def namespaces(pid: int) -> set[str]:
    """Those that the process is in, but for what all processes of the machine share."""
    mine = {str(path.readlink()) for path in Path("/proc/self/ns").iterdir()}
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/ns").iterdir()} - mine


def descendants(pid: int) -> list[int]:
    """The process with all that came of it."""
    children = [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]
    return [pid, *(each for child in children for each in descendants(child))]


def everywhere() -> set[str]:
    """All namespaces that some process of the machine is in."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(str(path.readlink()))
        except OSError:
            continue
    return found


def footprint() -> tuple[list[str], str]:
    """Mounts and links of this machine."""
    mounts = [line.split(" ", 3)[3] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return mounts, "\n".join(line.partition(" mtu")[0] for line in links.splitlines())


def boot_id_after(rig: Rig, address: str, host_key: HostKey, before: str) -> str:
    """The host's boot id, as soon as it is another one; after half a minute, whatever it is."""
    until, now = time.monotonic() + 30, before
    while now == before and time.monotonic() < until:
        time.sleep(0.5)
        try:
            now = connect(rig, address, host_key.public)(BOOT_ID)
        except (paramiko.SSHException, OSError, EOFError):
            continue
    return now


def test_a_launched_instance_answers_with_the_host_key_of_its_user_data(rig: Rig, host_key: HostKey, tmp_path: Path):
    """RunInstances boots a Debian whose sshd has the key that was handed over, and no other is taken for it."""
    instance_id, address = launch(rig, host_key)
    shell = connect(rig, address, host_key.public)
    assert shell(". /etc/os-release; echo $VERSION_CODENAME; id -un; sudo id -u").split() == ["bookworm", "ubuntu", "0"]
    other = derive_host_key(Vault(tmp_path / "secrets", b"k" * 32), "another token")
    with pytest.raises(paramiko.BadHostKeyException):
        connect(rig, address, other.public)
    assert "Accepted publickey for ubuntu" in rig.ask("console", instance_id)
    with rig.inside():
        ec2(rig).terminate_instances(InstanceIds=[instance_id])
    assert instance_id not in rig.ask("hosts")


def test_a_reboot_is_real(rig: Rig, host_key: HostKey):
    """`reboot` ends every process; files stay, the boot id differs, services under runit come back."""
    rig.boot("i-reboot", "203.0.113.5", user_data=host_key.user_data.reveal())
    shell = connect(rig, "203.0.113.5", host_key.public)
    before = shell(BOOT_ID)
    shell(f"{APT} update && {APT} install runit && sudo mkdir /etc/sv/clerk && sudo ln -s /etc/sv/clerk /etc/service/")
    shell("printf '#!/bin/sh\\nexec sleep 1000\\n' | sudo tee /etc/sv/clerk/run && sudo chmod 755 /etc/sv/clerk/run")
    shell(
        "until sudo sv status clerk | grep ^run; do sleep 0.2; done; sudo sh -c 'sleep 0.3; reboot' >/dev/null 2>&1 &"
    )
    assert boot_id_after(rig, "203.0.113.5", host_key, before) != before
    shell = connect(rig, "203.0.113.5", host_key.public)
    assert "run: clerk" in shell("for i in 1 2 3 4 5 6 7 8 9; do sudo sv status clerk && exit; sleep 0.5; done")
    rig.ask("terminate", "i-reboot")


def test_a_host_without_a_way_out(rig: Rig, host_key: HostKey):
    """A host reaches the provider and its neighbours; everywhere else there is no route, and packages are local."""
    rig.boot("i-alone", "203.0.113.6", user_data=host_key.user_data.reveal())
    shell = connect(rig, "203.0.113.6", host_key.public)
    probe = "import socket as s\nfor a in {}:\n c=s.socket(); c.settimeout(3); print(c.connect_ex(a))"
    places = [("192.0.2.1", 80), ("198.51.100.1", 5000), ("198.51.100.10", 22)]
    assert shell(f"python3 -c '{probe.format(repr(places).replace(chr(39), chr(34)))}'").split() == [
        str(errno.ENETUNREACH),
        "0",
        "0",
    ]
    assert shell("cat /etc/apt/sources.list") == "deb [trusted=yes] file:/srv/debs ./"
    rig.ask("terminate", "i-alone")


def test_poor_hosts(rig: Rig, host_key: HostKey):
    """A host may be booted with little room, without FUSE, without Python."""
    rig.boot("i-poor", "203.0.113.7", user_data=host_key.user_data.reveal(), disk="8m", without=["fuse", "python"])
    shell = connect(rig, "203.0.113.7", host_key.public)
    assert "No space left" in shell("dd if=/dev/zero of=big bs=1M count=20 2>&1; rm big")
    assert shell("ls /dev/fuse 2>&1 || true; python3 -V 2>&1 || true").count("\n") == 1
    assert "not found" in shell("python3 -V 2>&1 || true")
    rig.ask("terminate", "i-poor")


def test_planned_poverty_and_a_planned_cut_of_the_power(another_rig, host_key: HostKey):
    """A plan of faults gives one account a poor host, and cuts the power of the first host, which boots again."""
    plan = {"hosts": {"poor": {"disk": "8m"}}, "rules": [{"call": "host", "fault": "power:6", "at": [1]}]}
    rig = another_rig(json.dumps(plan))
    _, address = launch(rig, host_key, "poor")
    shell = connect(rig, address, host_key.public)
    before = shell(BOOT_ID)
    assert "8.0M" in shell("df -h / | tail -1")
    assert "2.0G" in connect(rig, launch(rig, host_key, "rich")[1], host_key.public)("df -h / | tail -1")
    assert boot_id_after(rig, address, host_key, before) != before


HELD = """\
import os, subprocess, time
from laerecover.rehearsal.rig.network import make_network, plug_in, unplug

subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
make_network()
plug_in("held", "203.0.113.9")
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
holder = subprocess.Popen(["ip", "netns", "exec", "held", "sleep", "60"], **quiet)
while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
    time.sleep(0.01)
unplug("held")
try:
    plug_in("again", "203.0.113.9")
finally:
    holder.kill()
"""


def test_an_address_is_free_as_soon_as_its_host_is_gone(rig: Rig):
    """Even while something still holds the namespace of the old host, as the kernel itself does for a while."""
    apart = ["unshare", "--mount", "--net", sys.executable, "-c", HELD]
    done = subprocess.run(apart, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_mail_server_takes_refuses_and_hangs_up(rig: Rig):
    """Mail goes over TLS or not at all; what was taken is kept, also when the line is cut after it."""
    mail, message = rig.facts["mail"], "Subject: one\r\n\r\nbody\r\n"

    def send(*, tls: bool = True) -> None:
        with rig.inside(), smtplib.SMTP(mail["host"], mail["port"], timeout=10) as smtp:
            if tls:
                smtp.starttls(context=ssl.create_default_context(cafile=rig.folder / mail["ca_file"]))
            smtp.sendmail("a@example.org", ["ann@example.org"], message)

    kept = len(rig.ask("mails"))
    send()
    with pytest.raises(smtplib.SMTPException):
        send(tls=False)
    rig.ask("plan", "refuse_4xx", "ann@example.org")
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send()
    rig.ask("plan", "drop_before_taking", "ann@example.org")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send()
    assert len(rig.ask("mails")) == kept + 1
    rig.ask("plan", "drop_after_taking", "ann@example.org")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send()
    assert len(rig.ask("mails")) == kept + 2
    assert rig.ask("mails")[-1].startswith("X-Envelope-To: ann@example.org")


def test_the_monitoring_host_records_what_it_loads(rig: Rig):
    """zenbatchload is found as zenoss's own profile says, and what it was given can be asked for."""
    monitoring = rig.facts["monitoring"]
    shell = connect(rig, monitoring["host"], monitoring["host_key"], "zenoss")
    shell(". ~/.bashrc; printf '/Devices/Server/SSH/Linux\\nx\\n' >loadfiles/zbatch_x; zenbatchload loadfiles/zbatch_x")
    assert rig.ask("loaded").endswith("/Devices/Server/SSH/Linux\nx\n")


def test_nothing_outlives_a_killed_keeper(another_rig, host_key: HostKey):
    """After kill -9 of the keeper there is no process, namespace, mount or link of it, not even where FUSE hangs."""
    before = footprint()
    rig = another_rig()
    rig.boot("i-1", "203.0.113.9", user_data=host_key.user_data.reveal())
    shell = connect(rig, "203.0.113.9", host_key.public)
    shell(
        f"{APT} update && {APT} install rclone fuse3 && mkdir m && rclone mount /srv m --daemon && pkill -STOP rclone"
    )
    shell("nohup sh -c 'sleep 1000 & ls m/debs' >/dev/null 2>&1 &")
    pids = descendants(rig.facts["pid"])
    held = set().union(*(namespaces(pid) for pid in pids))
    assert len(pids) > 10
    assert len(held) >= 3 * 3
    assert footprint() == before
    os.kill(rig.facts["pid"], signal.SIGKILL)
    until = time.monotonic() + 10
    while held & everywhere() and time.monotonic() < until:
        time.sleep(0.05)
    assert not held & everywhere()
    assert not rig.alive
    assert footprint() == before
