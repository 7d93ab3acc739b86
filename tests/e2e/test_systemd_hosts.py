"""Hosts as a cloud's images make them: real systemd, real cloud-init out of a metadata service, a real reboot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from recovery import Recovery, account
from rig_hands import Shell, connect, launch

from laerecover.hosts.host_keys import HostKey, derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.rehearsal.rig.client import Rig, find
from laerecover.rehearsal.rig.tools import missing, missing_for_systemd

BIN = Path(sys.executable).parent
KEPT = "lae-0c4e91d7-absayacmshgzluurzahm4yncmahtfjxo"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
SYSTEMD = json.dumps({"image": "systemd"})
SOON = "sudo systemd-run --no-block sh -c 'sleep 1; systemctl {}' 2>/dev/null"
CUT = """\
add table inet cut
add chain inet cut output { type filter hook output priority 0; }
add rule inet cut output ip daddr 198.51.100.1 tcp dport 5000 drop
"""
"""The store is not reached from the host; whoever asks gets no answer."""


@pytest.fixture(autouse=True)
def _need_systemd() -> None:
    reason = missing() or missing_for_systemd()
    if reason is not None:
        pytest.skip(f"no hosts that systemd runs: {reason}")


@pytest.fixture
def host_key(tmp_path: Path) -> HostKey:
    """As a recovery hands it over in the user data."""
    return derive_host_key(Vault(tmp_path / "secrets", b"k" * 32), "token")


def later(told: Callable[[], Any], *, within: float = 90.0) -> Any:
    """What `told` says as soon as it says something; a host that cannot be asked has said nothing."""
    until = time.monotonic() + within
    while True:
        try:
            said = told()
        except (paramiko.SSHException, OSError, EOFError, AssertionError):
            said = None
        if said:
            return said
        assert time.monotonic() < until, f"nothing within {within} s"
        time.sleep(0.5)


def groups() -> list[str]:
    """The control groups of rigs, of those that this machine shows."""
    return [str(path) for path in Path("/sys/fs/cgroup").rglob("lae-rig-*") if path.is_dir()]


def test_an_image_whose_login_user_is_admin(another_rig: Callable[..., Rig], host_key: HostKey):
    """Where the user data names nobody `admin` is let in, with ours `ubuntu` is; the console tells our host key, too.

    systemd runs it, its public address is translated, it comes back from a reboot as another boot, and stays off when
    it is powered off; the rig's end leaves no control group.
    """
    rig, before = another_rig(SYSTEMD), groups()
    keys_alone = host_key.former_user_data.reveal()
    rig.boot("i-admin", "203.0.113.200", user_data=keys_alone, image="systemd", private_address="10.77.0.200")
    shell = later(lambda: _admin(rig, host_key))
    assert shell("id -un; sudo id -un").split() == ["admin", "root"]
    assert "ubuntu" not in shell("cut -d: -f1 /etc/passwd")

    instance_id, address = launch(rig, host_key)
    shell = later(lambda: connect(rig, address, host_key.public))
    assert shell("id -un; sudo id -un; ps -o comm= -p 1").split() == ["ubuntu", "root", "systemd"]
    waited = "cloud-init status --wait >/dev/null; cloud-init status --long | tail -1; systemctl is-system-running"
    assert shell(waited).split() == ["DataSourceEc2", "running"]
    assert "admin" not in shell("cut -d: -f1 /etc/passwd")
    own = shell("hostname -I").split()
    assert own != [address]
    assert own == [shell("cloud-init query ds.meta_data.local_ipv4")]
    assert host_key.public.split()[1] in rig.ask("console", instance_id)
    assert groups() != before

    boot = shell(BOOT_ID)
    shell(SOON.format("reboot"))
    later(lambda: connect(rig, address, host_key.public)(BOOT_ID) != boot)
    connect(rig, address, host_key.public)(SOON.format("poweroff"))
    later(lambda: "Powering off" in rig.ask("console", instance_id))
    with pytest.raises((paramiko.SSHException, OSError)):
        connect(rig, address, host_key.public, within=3.0)
    rig.down()
    assert groups() == before
    rig.folder.mkdir()


def test_a_killed_rig_leaves_no_control_group(another_rig: Callable[..., Rig], host_key: HostKey):
    """Whatever hosts the next rig has, it takes away what a killed one left; those of a living one stay."""
    killed, living = another_rig(SYSTEMD), another_rig(SYSTEMD)
    for rig in (killed, living):
        later(lambda rig=rig: connect(rig, launch(rig, host_key)[1], host_key.public))
    wanted = [any(group.endswith(f"-{rig.facts['pid']}") for group in groups()) for rig in (killed, living)]
    assert wanted == [True, True]
    os.kill(killed.facts["pid"], signal.SIGKILL)
    later(lambda: not killed.alive)
    another_rig()
    left = [any(group.endswith(f"-{rig.facts['pid']}") for group in groups()) for rig in (killed, living)]
    assert left == [False, True]


def test_down_takes_away_the_control_groups_of_a_killed_rig(tmp_path: Path):
    """Nested ones, too: no later rig is needed for that."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    group = f"/mnt/lae-rig-{ended.pid}"
    within = ["unshare", "--mount", "sh", "-c"]
    made = f"mount -t cgroup2 cgroup2 /mnt && mkdir -p {group}/i-1/init.scope {group}/i-2"
    subprocess.run([*within, made], check=True)
    (tmp_path / "rig").mkdir()
    (tmp_path / "rig" / "rig.json").write_text(json.dumps({"pid": ended.pid}))
    try:
        command = [sys.executable, "-m", "laerecover.rig", "down", tmp_path / "rig"]
        assert subprocess.run(command, check=False).returncode == 0
        look = f"mount -t cgroup2 cgroup2 /mnt && [ ! -e {group} ]"
        assert subprocess.run([*within, look], check=False).returncode == 0
        assert not (tmp_path / "rig").exists()
    finally:
        tidy = f"mount -t cgroup2 cgroup2 /mnt; [ ! -d {group} ] || find {group} -depth -type d -exec rmdir {{}} +"
        subprocess.run([*within, tidy], check=True)


def _admin(rig: Rig, host_key: HostKey) -> Shell:
    rig.facts["keys"]["admin"] = rig.facts["keys"]["ubuntu"]
    return connect(rig, "203.0.113.200", host_key.public, "admin")


@pytest.fixture
def folder(manifest: Path) -> Iterator[Path]:
    """The drill's state folder, whose rig ends with the test."""
    yield Path(f"{manifest}.drill")
    left = find(Path(f"{manifest}.drill") / "rig")
    if left is not None:
        left.down()


@pytest.mark.parametrize("image", ["systemd", "debian13"])
def test_a_whole_account_whose_file_is_read_back(manifest: Path, folder: Path, image: str):
    """`drill --world rig --hosts IMAGE --prove`: rebooted once, recovered, and an old file comes back to the byte."""
    command = [BIN / "laerecover", "drill", manifest, "--key-file", manifest.parent / "key/manifest.key"]
    command += ["--world", "rig", "--hosts", image, "--prove", "--only", KEPT, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(row for row in json.loads(done.stdout)["accounts"] if row["account_id"] == KEPT)
    assert (row["outcome"], row["instances_launched"], row["mails_sent"]) == ("recovered", 1, 1)
    assert row["proof"]["said"].endswith("its directory took another one")
    assert json.loads((folder / "state.json").read_text())["hosts"] == image
    assert find(folder / "rig") is None


def test_services_come_back_by_themselves(another_rig: Callable[..., Rig], tmp_path: Path):
    """rclone killed, then a boot that does not reach the store: no share comes onto the disk, and all comes back.

    A service that cannot stay up is told by its name, however often systemd calls it active.
    """
    rig = another_rig(SYSTEMD)
    recovery = Recovery(rig, tmp_path, [account()])
    done = recovery.command("run", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    (customer,) = recovery.accounts
    shell = recovery.shell(customer)
    later(lambda: serves(shell))
    assert shell("systemctl --failed --no-legend") == ""

    before = shell("pgrep -x rclone")
    shell("sudo pkill -KILL -x rclone")
    later(lambda: shell("pgrep -x rclone") != before)
    later(lambda: serves(shell))

    shell("sudo mv /home/customer/rclone.conf /home/customer/away; sudo pkill -KILL -x rclone")
    assert recovery.verify()[1]["services"]["ok"] is False
    said = recovery.verify()[1]["services"]["said"]
    assert "lae-bucket: it " in said
    assert "lae-introducer" not in said
    shell("sudo mv /home/customer/away /home/customer/rclone.conf")
    later(lambda: serves(shell))
    later(lambda: recovery.verify()[1]["services"]["ok"])

    told = recovery.told(customer)
    instance_id = told["deploy_ec2_instance"]["instance_id"]
    reach(rig, instance_id, CUT)
    boot = shell(BOOT_ID)
    shell(SOON.format("reboot"))
    later(lambda: recovery.shell(customer)(BOOT_ID) != boot)
    shell = recovery.shell(customer)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert not serves(shell)
        time.sleep(2)
    beneath = 'mount --bind /home/customer /mnt && stat -c "%F %n" /mnt/bucket/shares && find /mnt/bucket -size +8'
    assert shell(f"sudo sh -c '{beneath}'") == "regular empty file /mnt/bucket/shares"
    reach(rig, instance_id, "delete table inet cut\n")
    later(lambda: serves(shell), within=180)
    assert shell("systemctl --failed --no-legend") == ""
    recovery.end()


def serves(shell: Shell) -> bool:
    """Whether the bucket is mounted and answers, and the storage node listens."""
    asked = "timeout 5 sudo -u customer df -Pk /home/customer/bucket 2>/dev/null | grep -c ' /home/customer/bucket$'"
    return shell(f"{asked} || true; ss -Hltn 'sport = :12346' | grep -c . || true").split() == ["1", "1"]


def reach(rig: Rig, instance_id: str, rules: str) -> None:
    """Change what the host reaches, in its own network, from outside."""
    inside = ["nsenter", "--target", str(rig.facts["pid"]), "--mount", "ip", "netns", "exec", instance_id]
    subprocess.run([*inside, "nft", "-f", "-"], input=rules, text=True, check=True, timeout=20)
