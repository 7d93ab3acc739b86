"""What the runner's way over ssh costs beside a plain loop: connections, processor time, wall time.

Against real sshd on loopback.
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import paramiko

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contracts"))
from conftest import SSHD, SshServer
from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.ports.hosts import Command

ADDRESSES = tuple(f"127.0.0.{number}" for number in range(2, 18))
THREADS, COMMANDS, ROUNDS = 8, 10, 2
SECONDS = 60.0
"""How long one of all the hosts may take, before the whole is given up."""


def scripts(address: str, number: int) -> list[str]:
    """Ten commands that say something, other ones for each host and round: all the addresses lead to one machine."""
    return [f"echo {address} {number} {each}" for each in range(COMMANDS)]


def ours(server: SshServer, number: int) -> Callable[[str], list[str]]:
    """As a step does it: one connection, one phase; each address stands for a host of its own."""

    def work(address: str) -> list[str]:
        connector = SshConnector(
            keys={server.user: server.key},
            command_seconds=SECONDS,
            port=server.port,
            base=f"{server.root}/marks-{address}",
            staging=f"{server.root}/staging",
        )
        host = connector.connect(address, user=server.user, host_key=server.public)
        try:
            named = enumerate(scripts(address, number))
            commands = [Command(name=f"bench-{address}-{number}-{each}", script=script) for each, script in named]
            return [result.tail for result in host.run(commands)]
        finally:
            host.close()

    return work


def plain(server: SshServer, number: int) -> Callable[[str], list[str]]:
    """As a short program does it: one connection, a channel for each command, no trace of what was done."""

    def work(address: str) -> list[str]:
        with connected(server, address) as client:
            told = []
            for script in scripts(address, number):
                _, output, _ = client.exec_command(script, timeout=SECONDS)
                told.append(output.read().decode().strip())
                assert output.channel.recv_exit_status() == 0
            return told

    return work


def connected(server: SshServer, address: str) -> paramiko.SSHClient:
    """A plain client whose host key is pinned."""
    kind, _, body = server.public.partition(" ")
    pinned: Any = paramiko.PKey.from_type_string(kind, base64.b64decode(body))
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.get_host_keys().add(f"[{address}]:{server.port}", kind, pinned)
    alone: dict[str, Any] = {"allow_agent": False, "look_for_keys": False, "timeout": SECONDS}
    client.connect(address, port=server.port, username=server.user, pkey=paramiko.PKey.from_path(server.key), **alone)
    return client


def measure(server: SshServer, work: Callable[[str], list[str]], number: int) -> tuple[int, int, float, float]:
    """Connections and sessions opened, processor seconds of this process, seconds on the wall.

    All hosts, eight at a time.
    """
    before, processor, wall = opened(server), time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(work, ADDRESSES, timeout=SECONDS))
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    after = opened(server)
    assert told == [[line.removeprefix("echo ") for line in scripts(a, number)] for a in ADDRESSES]
    return after[0] - before[0], after[1] - before[1], processor, wall


def opened(server: SshServer) -> tuple[int, int]:
    """How many connections have been let in so far, how many sessions they had."""
    log = server.log.read_text()
    return log.count("Accepted publickey for "), log.count("Starting session: ")


def session(server: SshServer) -> float:
    """Seconds of one session that does nothing: the start of the login shell, above all."""
    with connected(server, ADDRESSES[0]) as client:
        begun = time.perf_counter()
        client.exec_command("true", timeout=SECONDS)[1].channel.recv_exit_status()
        return time.perf_counter() - begun


def ssh(folder: Path) -> None:
    """(c) Ten commands on each of 16 addresses, both ways in turn; the first round is told, too.

    It is what a run pays.
    """
    title = f"\n{COMMANDS} commands on each of {len(ADDRESSES)} addresses of a local sshd, {THREADS} at a time"
    if not Path(SSHD).exists():
        print(f"{title}: skipped, there is no {SSHD} (apt-get install openssh-server)")
        return
    key = derive_host_key(Vault(folder / "vault", b"k" * 32), "bench")
    server = SshServer(folder / "sshd", key, "MaxStartups 100", at=ADDRESSES)
    ways = {"the runner, one phase": ours, "a plain paramiko loop": plain}
    print(f"{title}\n{'':<24}{'round':>6}{'connections':>13}{'sessions':>10}{'processor ms':>14}{'wall ms':>9}")
    try:
        for number in range(ROUNDS):
            for name, way in ways.items():
                connections, sessions, processor, wall = measure(server, way(server, number), number)
                counts = f"{number + 1:>6}{connections:>13}{sessions:>10}"
                print(f"{name:<24}{counts}{1000 * processor:>14.0f}{1000 * wall:>9.0f}", flush=True)
        print(f"  one session that does nothing takes {1000 * session(server):.0f} ms here: its login shell's start")
    finally:
        server.close()
    print("  the runner's commands run detached, each leaves a synced marker; the loop's are lost with the connection")
