"""Hosts: one connection to one host, by pinned keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from laerecover.manifest import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """What a host tells of a file without sending it."""

    sha256: str
    owner: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A named script that may be run twice; when done, the host keeps its digest in a marker file."""

    name: str
    script: str
    user: str = "root"
    seconds: float | None = None
    """How long it may take at most, where that is known better than the settings know it.

    It prints then how far it is.
    """

    @property
    def marker(self) -> str:
        """Where the host keeps the proof that this command was done."""
        return f"/var/lib/lae-recovery/{self.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of what would be run: another script is another command."""
        return hashlib.sha256(f"{self.user}\n{self.script}".encode()).hexdigest()


NO_SPACE = "No space left on device"
"""What every program says when a disk became full under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What came of one command: its exit status, the cleaned end of its output. `skipped`: its marker stood already."""

    name: str
    status: int
    tail: str = ""
    skipped: bool = False


def unheard(line: str) -> None:
    """Nobody listens."""
    del line


def unwatched(done: int, line: str) -> None:
    """Nobody looks how far a phase is."""
    del done, line


class Host(Protocol):
    """One connection to one host. Raises Transient, NotListening, Refusal."""

    def boot_id(self) -> str:
        """The kernel's boot id: another one after every boot."""

    def stat(self, paths: Sequence[str]) -> Mapping[str, FileFact]:
        """Those of `paths` that exist."""

    def read(self, path: str) -> Secret:
        """A file's text."""

    def write(self, path: str, content: Secret, *, owner: str, mode: int) -> None:
        """Put a file in place by rename: never half a file, never a wider mode."""

    def run(
        self, commands: Sequence[Command], heard: Callable[[int, str], None] = unwatched
    ) -> Sequence[CommandResult]:
        """Run one phase in order; a result per command, up to the first whose status is not 0.

        `heard` is told how many of them are over, and the latest line of the one that is at work.

        A command whose marker holds its digest is skipped, a marker is written after each that ended with 0. The
        phase outlives the connection: after a Transient the same commands find it running, or find its results.
        """

    def output(self, command: Command) -> str:
        """What a short script prints now: it is run each time, for it leaves no marker.

        Refusal (`command_failed`) if its exit status is not 0.
        """

    def running(self, service: str) -> bool:
        """Whether the service runs now."""

    def start(self, service: str) -> None:
        """Start the service, now and at every boot; no effect if it runs."""

    def reload_sshd(self) -> None:
        """Have sshd read its host keys anew; connections that stand keep the old one."""

    def reboot(self) -> None:
        """Ask for a reboot; the connection is gone afterwards."""

    def close(self) -> None:
        """Close the connection."""


class HostConnector(Protocol):
    """Opens connections to hosts whose key is known beforehand."""

    def connect(self, public_host: str, *, user: str, host_key: str) -> Host:
        """Connect as `user`; `host_key` is the pinned public key. NotListening, Transient, Refusal (`host_key`)."""
