"""Hosts over ssh, by paramiko: pinned keys, no agent, nothing secret in any argument."""

from __future__ import annotations

import base64
import hashlib
import logging
import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from laerecover.adapters import phases
from laerecover.adapters.line import TIMEOUT, Line
from laerecover.hosts.host_keys import foreign_key
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command, CommandResult, FileFact, unwatched
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.text import clean, reason_of

_HANDSHAKES = threading.Semaphore(8)
"""sshd drops connections beyond its MaxStartups (10); all accounts share this cap."""
_KEEPALIVE = 15
_WATCH = 20
"""How long the host waits for a phase's end before it says that it still runs, in seconds. An answer that is overdue
by TIMEOUT means that the link is half-open."""

# paramiko tells its troubles to the log, with tracebacks; ours are told as errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class SshConnector:
    """HostConnector: one private key per user. `sudo`: whether files and commands are root's affair.

    `base` holds markers and phases; `staging` is a private folder of the login user's. Relative paths begin at his
    home.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, Path],
        command_seconds: float,
        sudo: bool = True,
        port: int = 22,
        base: str | None = None,
        staging: str = ".lae-recovery",
    ) -> None:
        self._keys, self._port = keys, port
        self.seconds, self.sudo, self.staging = command_seconds, sudo, staging
        self.base = base or ("/var/lib/lae-recovery" if sudo else f"{staging}/done")
        self.concealed: set[str] = set()
        """Lines of secrets that went through here: no output may repeat them."""
        self.asked: set[tuple[str, str]] = set()
        """Hosts with the phases that were asked of them without an answer yet."""

    def connect(self, public_host: str, *, user: str, host_key: str) -> SshHost:
        """Never asks an agent, never offers another key, never talks to a host with another host key.

        NotListening: nobody answers. Transient: somebody does, but drops us. Refusal: `host_key`, `authentication`,
        `key_unusable`.
        """
        import paramiko

        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        where, (kind, _, body) = clean(public_host), host_key.partition(" ")
        try:
            pinned = paramiko.PKey.from_type_string(kind, base64.b64decode(body.split(" ")[0]))
            private = paramiko.PKey.from_path(self._keys[user])
        except (KeyError, ValueError, OSError, paramiko.SSHException, paramiko.UnknownKeyType) as error:
            raise Refusal(f"a key cannot be used: {reason_of(error)} ({clean(user)})", kind="key_unusable") from None
        name = public_host if self._port == 22 else f"[{public_host}]:{self._port}"
        client.get_host_keys().add(name, kind, pinned)
        try:
            with _HANDSHAKES:
                client.connect(
                    public_host,
                    port=self._port,
                    username=user,
                    pkey=private,
                    allow_agent=False,
                    look_for_keys=False,
                    timeout=TIMEOUT,
                    banner_timeout=TIMEOUT,
                    auth_timeout=TIMEOUT,
                    channel_timeout=TIMEOUT,
                )
            transport = client.get_transport()
            if transport is None:
                raise EOFError
            transport.set_keepalive(_KEEPALIVE)
        except BaseException as error:
            client.close()
            if isinstance(error, paramiko.BadHostKeyException):
                answered = f"{error.key.get_name()} {error.key.get_base64()}"
                raise foreign_key(where, pinned=host_key, answered=answered) from None
            # Paramiko calls it failed authentication, too, when the answer never came.
            if isinstance(error, paramiko.AuthenticationException) and not _unanswered(error):
                raise Refusal(f"{clean(user)} is not let in at {where}", kind="authentication") from None
            if isinstance(error, OSError):
                raise NotListening(f"{where} does not answer: {reason_of(error)}") from None
            if isinstance(error, paramiko.SSHException | EOFError):
                raise Transient(f"{where} dropped the connection: {reason_of(error)}") from None
            raise
        return SshHost(client, self, public_host)


def _unanswered(error: Exception) -> bool:
    return "timeout" in str(error) or "EOF" in str(error)


class SshHost:
    """Host over one connection. Scripts travel on stdin or as files, contents as files of a private folder."""

    def __init__(self, client: Any, connector: SshConnector, public_host: str) -> None:
        self._connector, self._public_host = connector, public_host
        self._become = "sudo -n " if connector.sudo else ""
        self._line = Line(client, become=self._become, staging=connector.staging, concealed=connector.concealed)

    def boot_id(self) -> str:
        return self._line.ask("cat /proc/sys/kernel/random/boot_id", "boot id").strip()

    def stat(self, paths: Sequence[str]) -> Mapping[str, FileFact]:
        names = " ".join(shlex.quote(p) for p in paths)
        script = f'for f in {names}; do test ! -f "$f" || {{ stat -c "%a %U %n" "$f"; sha256sum <"$f"; }}; done'
        lines = self._line.script(script, "stat").splitlines()
        facts = {}
        for about, digest in zip(lines[::2], lines[1::2], strict=True):
            mode, owner, name = about.split(" ", 2)
            facts[name] = FileFact(sha256=digest.split(" ")[0], owner=owner, mode=int(mode, 8))
        return facts

    def read(self, path: str) -> Secret:
        return self._line.conceal(Secret(self._line.script(f"cat {shlex.quote(path)}", f"read {path}")))

    def write(self, path: str, content: Secret, *, owner: str, mode: int) -> None:
        encoded = self._line.conceal(content).reveal().encode("utf-8", "surrogatepass")
        staged = self._line.stage(hashlib.sha256(path.encode()).hexdigest()[:32], encoded)
        script = phases.place_script(staged=staged, target=path, owner=owner, mode=mode, size=len(encoded))
        self._line.script(script, f"write {path}")

    def run(self, commands: Sequence[Command], heard: Callable[[int, str], None] = unwatched) -> list[CommandResult]:
        connector, digest = self._connector, phases.phase_digest(commands)
        login = "root" if connector.sudo else commands[0].user
        staged = self._line.stage(f"{digest}.sh", phases.phase_script(commands).encode())
        # A host where root is ours is one account's; elsewhere phases of many accounts run side by side.
        alone = "yes" if connector.sudo else "no"
        arguments = [connector.base, digest, str(_WATCH), str(int(connector.seconds) or 1), login, alone]
        what = ", ".join(command.name for command in commands)

        def ask(action: str) -> list[str]:
            words = " ".join(shlex.quote(word) for word in ("sh", staged, action, *arguments))
            answer = self._line.ask(words, what, become=self._become, seconds=_WATCH + TIMEOUT)
            return answer.splitlines() or ["interrupted"]

        until = time.monotonic() + sum(each.seconds or connector.seconds for each in commands) + TIMEOUT
        # A failure of the past is news only to who waited for it; to others the phase begins anew.
        key = (self._public_host, digest)
        action = "again" if key in connector.asked else "start"
        connector.asked.add(key)
        answer = ask(action)
        while answer[0] == "running":
            number, line = answer[1:2], "".join(answer[2:])
            heard(int(number[0]) if number and number[0].strip().isdecimal() else 0, self._shown(line))
            if time.monotonic() > until:
                raise Refusal(f"{what}: still runs on the host; run again to find it there", kind="deadline")
            answer = ask("look")
        if answer[0] == "busy":
            raise Transient(f"{what}: the host is still at work on what an earlier run began")
        if answer[0] != "ended":
            raise Transient(f"{what}: was interrupted on the host")
        try:
            results = phases.read_results(answer[1:], self._line.reveal_nothing)
        except ValueError:
            raise Transient(f"{what}: what the host tells cannot be read") from None
        connector.asked.discard(key)
        return results

    def _shown(self, line: str) -> str:
        return clean(self._line.reveal_nothing(line))

    def output(self, command: Command) -> str:
        become = f"{self._become}-H -u {shlex.quote(command.user)} " if self._become else ""
        return self._line.ask("sh -eu -s", command.name, become=become, stdin=command.script.encode())

    def running(self, service: str) -> bool:
        script = f"unit={shlex.quote(f'lae-{service}')}\n{phases.SERVICE_RUNS}"
        return self._line.script(script, f"service {service}").strip() == "runs"

    def start(self, service: str) -> None:
        self._line.script(f"unit={shlex.quote(f'lae-{service}')}\n{phases.SERVICE_START}", f"start {service}")

    def reload_sshd(self) -> None:
        self._line.script(phases.RELOAD_SSHD, "reload sshd")

    def reboot(self) -> None:
        self._line.script("nohup setsid sh -c 'sleep 1; reboot' >/dev/null 2>&1 </dev/null &", "reboot")

    def close(self) -> None:
        self._line.close()
