"""Both sides of each port: the twin, and the real adapter over loopback servers of the tests' own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from calm_twin import NO_FAULTS
from laerecover.hosts.host_keys import HostKey, derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.rehearsal.rig.proxy import Cloud, serve
from laerecover.rehearsal.twin.world import TwinFile

SSHD = "/usr/sbin/sshd"
FAKE_SUDO = """#!/bin/sh
while [ $# -gt 0 ]; do case "$1" in -n|-H) shift;; -u) shift 2;; *) break;; esac; done
exec "$@"
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault under a key of its own."""
    return Vault(tmp_path / "secrets", b"k" * 32)


@pytest.fixture
def twin_file(tmp_path: Path) -> TwinFile:
    """A twin without mishaps."""
    return TwinFile(tmp_path / "world.sqlite", seed=1, pace=0.001, faults=NO_FAULTS)


def new_key(path: Path) -> str:
    """Write a fresh key pair in OpenSSH's format; gives the public half."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class SshServer:
    """A real sshd on loopback that lets the current user in. `sudo` there is a stand-in that changes nothing.

    `tools`: a folder of programs that its sessions find before the machine's own. It has no SFTP.
    """

    def __init__(
        self,
        root: Path,
        host_key: HostKey,
        *options: str,
        fake_sudo: bool = True,
        at: Sequence[str] = ("127.0.0.1",),
        tools: Path | None = None,
    ) -> None:
        self.root, self.user, self.key = root, getpass.getuser(), root / "client_key"
        self.host_key_file, self.log = root / "host_key", root / "log"
        self._ready = root / "pid"
        (root / "bin").mkdir(parents=True)
        (root / "home").mkdir()
        if fake_sudo:
            (root / "bin/sudo").write_text(FAKE_SUDO)
            (root / "bin/sudo").chmod(0o755)
        (root / "authorized_keys").write_text(new_key(self.key))
        self.answer_with(host_key)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        lines = (
            f"Port {self.port}",
            *(f"ListenAddress {address}" for address in at),
            f"HostKey {self.host_key_file}",
            f"AuthorizedKeysFile {root}/authorized_keys",
            f"PidFile {self._ready}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            f"SetEnv PATH={root}/bin:{tools or ''}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".replace("::", ":"),
            "LogLevel DEBUG1",
            *options,
        )
        (root / "sshd_config").write_text("\n".join(lines) + "\n")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process = subprocess.Popen([SSHD, "-D", "-E", self.log, "-f", root / "sshd_config"])
        self._wait()

    def _wait(self) -> None:
        """Until it serves. sshd listens before it minds signals, and a SIGHUP between the two would end it: its pid is
        written once it minds them."""
        for _ in range(1000):
            if self._ready.exists():
                return
            time.sleep(0.01)
        raise AssertionError(self.log.read_text())

    def answer_with(self, key: HostKey) -> None:
        """Put another host key in place, for connections after a reload."""
        self.host_key_file.write_text(key.private.reveal())
        self.host_key_file.chmod(0o600)
        self.public = key.public

    def reload(self) -> None:
        """Have it read its host key, and wait until it serves again."""
        self._ready.unlink()
        self._process.send_signal(signal.SIGHUP)
        self._wait()

    @property
    def authentications(self) -> int:
        """How many requests to be let in have reached it."""
        return self.log.read_text().count("userauth-request")

    def sessions(self) -> list[int]:
        """The processes that serve connections: children of the listener, and theirs that are sshd, too."""
        found, ask = [], [self._process.pid]
        while ask:
            parent = ask.pop()
            with contextlib.suppress(OSError):
                for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
                    if Path(f"/proc/{child}/comm").read_text().startswith("sshd"):
                        found.append(int(child))
                        ask.append(int(child))
        return found

    def signal(self, number: int) -> None:
        """To all sessions, the listener excepted."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def drop(self) -> None:
        """Lose every connection."""
        self.signal(signal.SIGKILL)

    def close(self) -> None:
        """End the server with all its connections."""
        self.drop()
        self._process.kill()
        self._process.wait(timeout=10)


UUTILS = Path("/usr/lib/cargo/bin/coreutils")
_SHELLS = ("sh", "ash", "hush")


@pytest.fixture
def tools_named(tmp_path: Path) -> Callable[[str], Path | None]:
    """Makes a folder with the small programs of that name, the shell excepted; None for the machine's own.

    Skips where it has none.
    """

    def find(name: str) -> dict[str, Path]:
        if name == "uutils":
            return {path.name: path for path in UUTILS.glob("*")}
        program = shutil.which(name)
        if program is None:
            return {}
        applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
        return {applet: Path(program) for applet in applets if applet not in _SHELLS}

    def make(name: str) -> Path | None:
        if name == "coreutils":
            return None
        targets, folder = find(name), tmp_path / "tools"
        if not targets:
            pytest.skip(f"there are no {name} here: apt-get install busybox rust-coreutils")
        folder.mkdir()
        for tool, target in targets.items():
            (folder / tool).symlink_to(target)
        return folder

    return make


@pytest.fixture
def tools() -> Path | None:
    """The machine's own programs."""
    return None


@pytest.fixture
def sshd(tmp_path: Path, vault: Vault) -> Iterator[Callable[..., SshServer]]:
    """Starts a host on loopback, otherwise than others."""
    if not Path(SSHD).exists():
        pytest.skip("there is no sshd: apt-get install openssh-server")
    with contextlib.ExitStack() as started:

        def start(*options: str, **otherwise: Any) -> SshServer:
            server = SshServer(tmp_path / "root", derive_host_key(vault, "loopback"), *options, **otherwise)
            started.callback(server.close)
            return server

        yield start


@pytest.fixture
def ssh_server(sshd: Callable[..., SshServer], tools: Path | None) -> SshServer:
    """A host on loopback."""
    return sshd(tools=tools)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The rig's cloud on loopback, one for all tests: whoever uses it resets it."""
    pytest.importorskip("moto.server")
    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    with serve() as made:
        made.public_key = key.decode()
        yield made
