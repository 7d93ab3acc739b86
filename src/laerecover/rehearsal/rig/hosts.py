"""The rig's hypervisor: hosts in namespaces, each with its own root folder, address, sshd."""

from __future__ import annotations

import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.ports.ingress import Ingress
from laerecover.rehearsal.rig.console import open_terminal
from laerecover.rehearsal.rig.control_groups import ControlGroups
from laerecover.rehearsal.rig.first_boot import furnish
from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.images import image_of
from laerecover.rehearsal.rig.metadata import Metadata
from laerecover.rehearsal.rig.network import let_in, plug_in, unplug
from laerecover.rehearsal.rig.tools import do
from laerecover.text import clean

_CONSOLE = 1 << 16


@dataclass(slots=True)
class _Host:
    new: NewHost
    name: str
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    thread: threading.Thread | None = None
    boots: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class LocalHypervisor:
    """All hosts of one rig.

    `cache`: root, debs, wheels; `place`: a folder that vanishes with the daemon; `consoles`: kept; `metadata` and
    `groups`: for hosts that systemd runs.
    """

    def __init__(
        self, cache: Path, place: Path, consoles: Path, authorized_key: str, metadata: Metadata, groups: ControlGroups
    ) -> None:
        self._cache, self._place, self._consoles, self._key = cache, place, consoles, authorized_key
        self._metadata, self._groups = metadata, groups
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def boot(self, new: NewHost, more: Callable[[Path], None] | None = None) -> None:
        """Start a host; returns at once, sshd answers within seconds. `more` works on the root beforehand."""
        instance_id, key = new.instance_id, new.authorized_key or self._key
        with self._lock:
            if instance_id in self._hosts:
                raise LaeRecoverError("that host is there", where=instance_id, next_step="terminate it first")
            name = new.private_host.partition(".")[0] or instance_id
            host = self._hosts[instance_id] = _Host(new, name)
            host.lock.acquire()
        try:
            plug_in(instance_id, new.public_host, new.private_address)
            if new.ingress is not None:
                let_in(instance_id, new.ingress)
            root = self._root(instance_id, new.disk, new.image)
            furnish(root, new, name, key)
            self._metadata.add(replace(new, authorized_key=key))
            if more is not None:
                more(root)
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
        lower = self._cache / image_of(image).root
        layers = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        do(["mount", "-t", "overlay", "-o", layers, f"root-{instance_id}", str(folder / "root")])
        return folder / "root"

    def _remove(self, instance_id: str) -> None:
        """Root folder, cable, namespace: as much of it as there is."""
        with self._lock:
            gone = self._hosts.pop(instance_id, None)
        if gone is None:
            return
        self._metadata.forget(gone.new.public_host)
        folder = self._place / instance_id
        for place in (folder / "root", folder):
            with suppress(LaeRecoverError):
                do(["umount", "-l", str(place)])
        with suppress(OSError):
            folder.rmdir()
        (self._place / f"{instance_id}.boot_id").unlink(missing_ok=True)
        if image_of(gone.new.image).systemd:
            self._groups.forget(instance_id)
        with suppress(LaeRecoverError):
            unplug(instance_id)

    def _keep(self, host: _Host) -> None:
        """Boot, wait for the end of the host's first process, and boot again after a reboot or a cut of the power."""
        boot_id = self._place / f"{host.new.instance_id}.boot_id"
        while True:
            boot_id.unlink(missing_ok=True)
            boot_id.write_text(f"{uuid.uuid4()}\n")
            boot_id.chmod(0o444)
            with self._console(host.new) as (console, terminal):
                with host.lock:
                    if not host.wanted:
                        return
                    command = self._command(host, boot_id, terminal)
                    host.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
                    host.boots += 1
                status = host.process.wait()
            if status not in (-signal.SIGHUP, -signal.SIGKILL):
                return

    @contextmanager
    def _console(self, new: NewHost) -> Iterator[tuple[int, str]]:
        """Where the host writes: a descriptor, and for systemd the terminal's path."""
        kept = self._consoles / f"{new.instance_id}.log"
        if image_of(new.image).systemd:
            with open_terminal(kept) as found:
                yield found
        else:
            with kept.open("ab") as file:
                yield file.fileno(), ""

    def _command(self, host: _Host, boot_id: Path, terminal: str) -> list[Any]:
        """What becomes the parent of the host's first process, in namespaces of its own."""
        launch = resources.files("laerecover.rehearsal.rig").joinpath("launch.sh").read_text("utf-8")
        new, command, kinds = host.new, list[Any](), ["--pid", "--mount", "--uts", "--ipc"]
        image = image_of(new.image)
        if terminal:
            group, kinds = self._groups.of(new.instance_id), [*kinds, "--cgroup"]
            command += ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', group]
        command += ["nsenter", f"--net=/run/netns/{new.instance_id}", "unshare", *kinds]
        command += ["--fork", "--kill-child", "sh", "-c", launch, "launch"]
        command += [self._place / new.instance_id / "root", host.name, boot_id]
        command += [self._cache / image.debs, self._cache / image.wheels]
        command += ["no" if "fuse" in new.without else "yes", terminal]
        return command

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
