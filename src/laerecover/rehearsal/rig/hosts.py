"""The rig's hypervisor: hosts in namespaces, each with its own root folder, address, sshd."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.ports.ingress import Ingress
from laerecover.rehearsal.rig.cache import IMAGES
from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.network import let_in, plug_in, unplug
from laerecover.rehearsal.rig.tools import do
from laerecover.text import clean

_CONSOLE = 1 << 16
_REBOOT = "#!/bin/sh\n# As on any host: services are stopped first. What ends the host is the kernel's reboot.\nkill -TERM 1\n"


@dataclass(slots=True)
class _Host:
    instance_id: str
    name: str
    without: tuple[str, ...]
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    thread: threading.Thread | None = None
    boots: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class LocalHypervisor:
    """All hosts of one rig. `cache`: root, debs, wheels; `place`: a folder that vanishes with the daemon; `consoles`: kept."""

    def __init__(self, cache: Path, place: Path, consoles: Path, authorized_key: str) -> None:
        self._cache, self._place, self._consoles, self._key = cache, place, consoles, authorized_key
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def boot(self, new: NewHost, furnish: Callable[[Path], None] | None = None) -> None:
        """Start a host; returns at once, sshd answers within seconds. `furnish` works on the root beforehand."""
        instance_id, key = new.instance_id, new.authorized_key or self._key
        with self._lock:
            if instance_id in self._hosts:
                raise LaeRecoverError("that host is there", where=instance_id, next_step="terminate it first")
            name = new.private_host.partition(".")[0] or instance_id
            host = self._hosts[instance_id] = _Host(instance_id, name, tuple(new.without))
            host.lock.acquire()
        try:
            plug_in(instance_id, new.public_host)
            if new.ingress is not None:
                let_in(instance_id, new.ingress)
            root = self._root(instance_id, new.disk, new.image)
            _name(root, name, new.public_host, new.private_host)
            if new.image == "today":
                _seed(root, instance_id, new.user_data, new.vendor_data, key)
            else:
                _personalise(root, new.user_data, key)
            if "python" in new.without:
                for binary in (root / "usr/bin").glob("python3*"):
                    binary.unlink()
            if furnish is not None:
                furnish(root)
            host.thread = threading.Thread(target=self._keep, args=(host,), name=f"host {instance_id}", daemon=True)
            host.thread.start()
        except Exception:
            self._remove(instance_id)
            raise
        finally:
            host.lock.release()

    def let_in(self, instance_id: str, rules: Sequence[Ingress]) -> None:
        """Its security group's rules are these now; no effect if there is no such host."""
        with self._lock:
            host = self._hosts.get(instance_id)
        if host is not None:
            with host.lock:
                if instance_id in self._hosts:
                    let_in(instance_id, rules)

    def terminate(self, instance_id: str) -> None:
        """End the host, with its root folder and all; no effect if there is none."""
        with self._lock:
            host = self._hosts.get(instance_id)
        if host is None:
            return
        with host.lock:
            host.wanted = False
            self._kill(host)
        if host.thread is not None:
            host.thread.join(30)
        self._remove(instance_id)

    def reboot(self, instance_id: str) -> None:
        """Cut the power; the host boots again. No effect if there is none."""
        with self._lock:
            host = self._hosts.get(instance_id)
        if host is not None:
            with host.lock:
                self._kill(host)

    def console(self, instance_id: str) -> str:
        """The last of what the host wrote on its console; also after its end."""
        path = self._consoles / f"{instance_id}.log"
        tail = path.read_bytes()[-_CONSOLE:] if path.exists() else b""
        return "\n".join(clean(line) for line in tail.decode("utf-8", "replace").splitlines())

    def hosts(self) -> list[str]:
        """The instances that have a host now."""
        return sorted(self._hosts)

    def end(self) -> None:
        """Terminate all."""
        for instance_id in self.hosts():
            self.terminate(instance_id)

    def _root(self, instance_id: str, disk: str, image: str) -> Path:
        """An overlay whose upper side is in memory: a host's files and secrets never touch this machine's disk."""
        folder = self._place / instance_id
        folder.mkdir()
        do(["mount", "-t", "tmpfs", "-o", f"mode=755,size={disk}", f"disk-{instance_id}", str(folder)])
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(mode=0o755)
        lower = self._cache / IMAGES[image]
        layers = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        do(["mount", "-t", "overlay", "-o", layers, f"root-{instance_id}", str(folder / "root")])
        return folder / "root"

    def _remove(self, instance_id: str) -> None:
        """Root folder, cable, namespace: as much of it as there is."""
        with self._lock:
            if self._hosts.pop(instance_id, None) is None:
                return
        folder = self._place / instance_id
        for place in (folder / "root", folder):
            with suppress(LaeRecoverError):
                do(["umount", "-l", str(place)])
        with suppress(OSError):
            folder.rmdir()
        (self._place / f"{instance_id}.boot_id").unlink(missing_ok=True)
        with suppress(LaeRecoverError):
            unplug(instance_id)

    def _keep(self, host: _Host) -> None:
        """Boot, wait for the end of the host's first process, and boot again if it was a reboot or a cut of the power."""
        boot_id = self._place / f"{host.instance_id}.boot_id"
        launch = resources.files("laerecover.rehearsal.rig").joinpath("launch.sh").read_text("utf-8")
        while True:
            boot_id.unlink(missing_ok=True)
            boot_id.write_text(f"{uuid.uuid4()}\n")
            boot_id.chmod(0o444)
            command: list[Any] = ["nsenter", f"--net=/run/netns/{host.instance_id}", "unshare", "--pid", "--mount"]
            command += ["--uts", "--ipc", "--fork", "--kill-child", "sh", "-c", launch, "launch"]
            command += [self._place / host.instance_id / "root", host.name, boot_id]
            command += [self._cache / "debs", self._cache / "wheels", "no" if "fuse" in host.without else "yes"]
            with (self._consoles / f"{host.instance_id}.log").open("ab") as console, host.lock:
                if not host.wanted:
                    return
                host.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
                host.boots += 1
            status = host.process.wait()
            if status not in (-signal.SIGHUP, -signal.SIGKILL):
                return

    def _kill(self, host: _Host) -> None:
        """The host's first process dies with its parent, and everything in its namespace with it."""
        if host.process is not None and host.process.poll() is None:
            _abort_fuse(host.process.pid)
            host.process.kill()


def _abort_fuse(pid: int) -> None:
    """End the host's FUSE connections: a process that waits for an answer of a dead server cannot be killed."""
    try:
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        mounts = Path(f"/proc/{child}/mountinfo").read_text().splitlines()
    except (OSError, IndexError):
        return
    for mount in mounts:
        fields = mount.split()
        if "fuse" in fields[fields.index("-") + 1]:
            abort = Path(f"/sys/fs/fuse/connections/{fields[2].partition(':')[2]}/abort")
            if abort.exists():
                abort.write_text("1")


def _name(root: Path, name: str, public_host: str, private_host: str) -> None:
    """The rig's own init, and what the host is called."""
    init = resources.files("laerecover.rehearsal.rig").joinpath("init.sh").read_text("utf-8")
    for path, text in (("sbin/init", init), ("usr/sbin/reboot", _REBOOT)):
        _put(root / path, text, 0o755)
    _put(root / "etc/hostname", f"{name}\n")
    _put(root / "etc/hosts", f"127.0.0.1 localhost\n{public_host} {private_host} {name}\n")
    _put(root / "etc/default/ssh", "SSHD_OPTS=-E/dev/console\n")
    for folder in ("srv/debs", "srv/wheels"):
        (root / folder).mkdir(parents=True, exist_ok=True, mode=0o755)


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
