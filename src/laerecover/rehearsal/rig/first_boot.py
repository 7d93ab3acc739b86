"""What a host's root folder is given before its first boot."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.images import image_of
from laerecover.rehearsal.rig.tools import do


def furnish(root: Path, new: NewHost, name: str, authorized_key: str) -> None:
    """As the image wants it: host keys and user put in place, a seed for cloud-init, or nothing but what it asks for
    itself.
    """
    if not image_of(new.image).systemd:
        _name(root, name, new.public_host, new.private_host)
    if new.image == "today":
        _seed(root, new.instance_id, new.user_data, new.vendor_data, authorized_key)
    elif new.image == "small":
        _personalise(root, new.user_data, authorized_key)
    for folder in ("srv/debs", "srv/wheels"):
        (root / folder).mkdir(parents=True, exist_ok=True, mode=0o755)
    if "python" in new.without:
        for binary in (root / "usr/bin").glob("python3*"):
            binary.unlink()


def _name(root: Path, name: str, public_host: str, private_host: str) -> None:
    """The rig's own init, and what the host is called."""
    for path, script in (("sbin/init", "init.sh"), ("usr/sbin/reboot", "reboot.sh")):
        text = resources.files("laerecover.rehearsal.rig").joinpath(script).read_text("utf-8")
        _put(root / path, text, 0o755)
    _put(root / "etc/hostname", f"{name}\n")
    _put(root / "etc/hosts", f"127.0.0.1 localhost\n{public_host} {private_host} {name}\n")
    _put(root / "etc/default/ssh", "SSHD_OPTS=-E/dev/console\n")


def _seed(root: Path, instance_id: str, user_data: str, vendor_data: str, authorized_key: str) -> None:
    """What cloud-init finds at its first boot, in place of a metadata service."""
    seed = root / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True, mode=0o755)
    about = {"instance-id": instance_id, "public-keys": [authorized_key.strip()]}
    _put(seed / "meta-data", json.dumps(about))
    _put(seed / "user-data", user_data, 0o600)
    _put(seed / "vendor-data", vendor_data, 0o600)
    _put(root / "etc/cloud/cloud.cfg.d/99_rig.cfg", "datasource_list: [NoCloud]\nnetwork: {config: disabled}\n")


def _personalise(root: Path, user_data: str, authorized_key: str) -> None:
    """What cloud-init does at the first boot: host keys out of the user data, the admin's key for `ubuntu`."""
    (root / "var/lib/cloud/instance").mkdir(parents=True, mode=0o755)
    _put(root / "var/lib/cloud/instance/user-data.txt", user_data, 0o600)
    keys = host_keys(user_data)
    for kind in ("rsa", "ecdsa", "ed25519"):
        if f"{kind}_private" in keys:
            _put(root / f"etc/ssh/ssh_host_{kind}_key", keys[f"{kind}_private"], 0o600)
            _put(root / f"etc/ssh/ssh_host_{kind}_key.pub", keys.get(f"{kind}_public", "").rstrip() + "\n")
    if not keys:
        do(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "etc/ssh/ssh_host_ed25519_key")])
    ssh = root / "home/ubuntu/.ssh"
    ssh.mkdir(mode=0o700)
    _put(ssh / "authorized_keys", authorized_key.rstrip() + "\n", 0o600)
    do(["chroot", str(root), "chown", "-R", "ubuntu:ubuntu", "/home/ubuntu/.ssh"])


def host_keys(user_data: str) -> dict[str, str]:
    """The `ssh_keys` of a cloud-config: plain values, or block scalars (`|`), and nothing else of YAML."""
    section = re.search(r"^ssh_keys:\n((?: +.*\n)+)", user_data, re.M)
    if not user_data.startswith("#cloud-config") or section is None:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in section[1].splitlines():
        key = re.fullmatch(r"  (\w+): *(.*)", line)
        if key is None:
            found[name] += line.strip() + "\n"
        else:
            name, found[key[1]] = key[1], "" if key[2] == "|" else key[2]
    return found


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)
