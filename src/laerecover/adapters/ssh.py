"""Hosts over ssh, by paramiko: pinned keys, no agent, nothing secret in any argument."""

from __future__ import annotations

import base64
import hashlib
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from laerecover.manifest import Secret
from laerecover.ports import Command, CommandResult, FileFact, NotListening, Refusal, Transient
from laerecover.text import clean

_HANDSHAKES = threading.Semaphore(8)
"""sshd drops connections beyond its MaxStartups (10); all accounts share this cap."""
_TIMEOUT = 20.0
_KEEPALIVE = 15
_SHORT = 120.0
_OUTPUT = 1 << 20


class SshConnector:
    """HostConnector: one private key per user. `sudo`: whether files and commands are root's affair."""

    def __init__(self, *, keys: Mapping[str, Path], command_seconds: float, sudo: bool = True, port: int = 22) -> None:
        self._keys, self._seconds, self._sudo, self._port = keys, command_seconds, sudo, port

    def connect(self, public_host: str, *, user: str, host_key: str) -> SshHost:
        """Never asks an agent, never offers another key, never talks to a host with another host key."""
        import paramiko

        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        kind, _, body = host_key.partition(" ")
        try:
            pinned = paramiko.PKey.from_type_string(kind, base64.b64decode(body.split(" ")[0]))
            private = paramiko.PKey.from_path(self._keys[user])
        except (KeyError, ValueError, OSError, paramiko.SSHException) as error:
            raise Refusal(
                f"a key cannot be used: {type(error).__name__} ({clean(user)})", kind="key_unusable"
            ) from None
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
                    timeout=_TIMEOUT,
                    banner_timeout=_TIMEOUT,
                    auth_timeout=_TIMEOUT,
                )
        except paramiko.BadHostKeyException:
            client.close()
            raise Refusal(
                f"{clean(public_host)} answers with another host key: somebody may be in between", kind="host_key"
            ) from None
        except paramiko.AuthenticationException:
            client.close()
            raise Refusal(f"{clean(user)} is not let in at {clean(public_host)}", kind="authentication") from None
        except (paramiko.SSHException, OSError, EOFError) as error:
            client.close()
            raise NotListening(f"{clean(public_host)} does not answer: {type(error).__name__}") from None
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(_KEEPALIVE)
        return SshHost(client, seconds=self._seconds, sudo=self._sudo)


class SshHost:
    """Host over one connection. Scripts and contents travel on stdin."""

    def __init__(self, client: Any, *, seconds: float, sudo: bool) -> None:
        self._client, self._seconds = client, seconds
        self._become = "sudo -n " if sudo else ""
        self._sudo = sudo

    def boot_id(self) -> str:
        return self._do("cat /proc/sys/kernel/random/boot_id", "boot id").strip()

    def stat(self, paths: Sequence[str]) -> Mapping[str, FileFact]:
        names = " ".join(shlex.quote(p) for p in paths)
        script = f'for f in {names}; do test ! -f "$f" || {{ stat -c "%a %U %n" "$f"; sha256sum <"$f"; }}; done'
        lines = self._do(f"{self._become}sh -eu -s", "stat", stdin=script).splitlines()
        facts = {}
        for about, digest in zip(lines[::2], lines[1::2], strict=True):
            mode, owner, name = about.split(" ", 2)
            facts[name] = FileFact(sha256=digest.split(" ")[0], owner=owner, mode=int(mode, 8))
        return facts

    def read(self, path: str) -> Secret:
        return Secret(self._do(f"{self._become}cat {shlex.quote(path)}", f"read {path}"))

    def write(self, path: str, content: Secret, *, owner: str, mode: int) -> None:
        target, temporary = shlex.quote(path), shlex.quote(f"{path}.lae-tmp")
        who = shlex.quote(owner)
        script = (
            f"umask 077; test -d {shlex.quote(str(Path(path).parent))} || install -d -o {who} {shlex.quote(str(Path(path).parent))}; "
            f"cat >{temporary}; chown {who} {temporary}; chmod {mode:o} {temporary}; sync {temporary}; mv {temporary} {target}"
        )
        self._do(f"{self._become}sh -eu -c {shlex.quote(script)}", f"write {path}", stdin=content.reveal())

    def run(self, commands: Sequence[Command]) -> list[CommandResult]:
        facts = self.stat([command.marker for command in commands]) if self._sudo else {}
        results: list[CommandResult] = []
        for command in commands:
            fact = facts.get(command.marker)
            if fact is not None and fact.sha256 == hashlib.sha256(command.digest.encode()).hexdigest():
                results.append(CommandResult(name=command.name, status=0, skipped=True))
                continue
            try:
                self._run(command)
            except Refusal as error:
                return [*results, CommandResult(name=command.name, status=1, tail=str(error))]
            results.append(CommandResult(name=command.name, status=0))
        return results

    def _run(self, command: Command) -> None:
        if not self._sudo:
            self._do("sh -eu -s", command.name, stdin=command.script, seconds=self._seconds)
            return
        marker = shlex.quote(command.marker)
        script = (
            f"sudo -n -H -u {shlex.quote(command.user)} sh -eu <<'LAE_END_OF_SCRIPT'\n{command.script}\nLAE_END_OF_SCRIPT\n"
            f"install -d -m 755 {shlex.quote(str(Path(command.marker).parent))}\n"
            f"printf %s {command.digest} >{marker}.tmp\nmv {marker}.tmp {marker}\n"
        )
        self._do(f"{self._become}sh -eu -s", command.name, stdin=script, seconds=self._seconds)

    def reload_sshd(self) -> None:
        self._do(f"{self._become}systemctl reload ssh", "reload sshd")

    def running(self, service: str) -> bool:
        unit = shlex.quote(f"lae-{service}")
        return self._do(f"systemctl is-active {unit} || true", f"service {service}").strip() == "active"

    def start(self, service: str) -> None:
        self._do(f"{self._become}systemctl enable --now {shlex.quote(f'lae-{service}')}", f"start {service}")

    def reboot(self) -> None:
        self._do(f"{self._become}sh -c 'nohup sh -c \"sleep 1; reboot\" >/dev/null 2>&1 &'", "reboot")

    def close(self) -> None:
        self._client.close()

    def _do(self, command: str, what: str, *, stdin: str = "", seconds: float = _SHORT) -> str:
        """The output of one command; Transient if the link is lost, Refusal (`command_failed`) if it fails."""
        import paramiko

        until = time.monotonic() + seconds
        try:
            channel = self._client.get_transport().open_session(timeout=_TIMEOUT)
            channel.settimeout(1.0)
            channel.set_combine_stderr(False)
            channel.exec_command(command)
            _send(channel, stdin.encode("utf-8", "surrogatepass"), until)
            output, status = _receive(channel, until)
        except (paramiko.SSHException, OSError, EOFError, AttributeError) as error:
            raise Transient(f"{clean(what)}: connection lost ({type(error).__name__})") from None
        if status != 0:
            raise Refusal(f"{clean(what)}: exit status {status}", kind="command_failed")
        return output.decode("utf-8", "surrogateescape")


def _send(channel: Any, content: bytes, until: float) -> None:
    while content:
        try:
            content = content[channel.send(content) :]
        except TimeoutError:
            if time.monotonic() > until:
                raise
    channel.shutdown_write()


def _receive(channel: Any, until: float) -> tuple[bytes, int]:
    output = b""
    while True:
        if time.monotonic() > until:
            channel.close()
            raise Transient("the command took too long")
        try:
            chunk = channel.recv(65536)
        except TimeoutError:
            if channel.closed or not channel.get_transport().is_active():
                raise EOFError from None
            continue
        while channel.recv_stderr_ready():
            channel.recv_stderr(65536)
        if not chunk:
            break
        output = (output + chunk)[:_OUTPUT]
    if not channel.status_event.wait(max(0.0, until - time.monotonic())):
        raise EOFError
    if channel.exit_status < 0:
        raise EOFError
    return output, int(channel.exit_status)
