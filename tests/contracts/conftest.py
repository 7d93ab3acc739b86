"""Both sides of each port: the twin, and the real adapter over loopback servers of the tests' own."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from laerecover.rig.proxy import Cloud, serve
from laerecover.twin.world import NO_FAULTS, TwinFile
from laerecover.vault import Vault

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


@functools.cache
def rsa_key(number: int) -> paramiko.RSAKey:
    """A key of the tests' own, made once."""
    return paramiko.RSAKey.generate(2048)


class SshServer(paramiko.ServerInterface):
    """An ssh server on loopback that runs commands for real, in a folder that stands for the host's root."""

    def __init__(self, root: Path) -> None:
        self.root, self.port, self.authentications = root, 0, 0
        self.host_key, self.client_key = rsa_key(0), rsa_key(1)
        (root / "bin").mkdir(parents=True)
        sudo = root / "bin" / "sudo"
        sudo.write_text(FAKE_SUDO)
        sudo.chmod(0o755)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def public(self) -> str:
        """The host key as it is pinned."""
        return f"{self.host_key.get_name()} {self.host_key.get_base64()}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            self._transports.append(transport)
            try:
                transport.start_server(server=self)
            except (paramiko.SSHException, EOFError):
                continue

    def drop(self) -> None:
        """Lose every connection."""
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        """End the server."""
        self._listener.close()
        self.drop()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.authentications += 1
        known = key.get_base64() == self.client_key.get_base64()
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._carry_out, args=(channel, command), daemon=True).start()
        return True

    def _carry_out(self, channel: paramiko.Channel, command: bytes) -> None:
        given = channel.makefile("rb").read()
        for old, new in ((b"/var/lib/lae-recovery", b"marks"), (b"/home/customer", b"home")):
            path = str(self.root).encode() + b"/" + new
            command, given = command.replace(old, path), given.replace(old, path)
        environment = {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-c", command], input=given, capture_output=True, env=environment, check=False)
        output = done.stdout.replace(str(self.root).encode() + b"/marks", b"/var/lib/lae-recovery")
        channel.sendall(output.replace(str(self.root).encode() + b"/home", b"/home/customer"))
        channel.send_exit_status(done.returncode)
        channel.close()


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[SshServer]:
    """A host on loopback."""
    server = SshServer(tmp_path / "root")
    yield server
    server.close()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The rig's cloud on loopback, one for all tests: whoever uses it resets it."""
    pytest.importorskip("moto.server")
    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    with serve() as made:
        made.public_key = key.decode()
        yield made
