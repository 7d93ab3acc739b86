"""One ssh connection: bounded questions, staged files, outputs that repeat no secret."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from laerecover.adapters import phases
from laerecover.hosts.scripts import NO_ROOM, ROOM_READ
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal, Transient
from laerecover.text import clean, clean_end, reason_of

TIMEOUT = 20.0
"""How long the other end may be silent, in seconds, where it should answer at once."""
SHORT = 120.0
"""How long a small errand may take."""
_OUTPUT, _ERRORS = 1 << 20, 1000
_BY_SIGNAL = 128
"""From this status on a shell says that a signal ended what it ran."""
_NO_SHELL = (
    "the host's login shell carries out no commands; give the login user /bin/sh or /bin/bash and no command of its "
    "own in authorized_keys, or choose another image; it says"
)
_NO_ROOT = (
    "the login user cannot become root there; sudo must let it without password and terminal (in /etc/sudoers.d: "
    "`ubuntu ALL=(ALL) NOPASSWD:ALL`, and no requiretty), or choose another image; sudo says"
)
_TELLING = 8
"""Shorter lines of a secret file (`[node]`, say) give nothing away."""


class Line:
    """A connection of paramiko's. `staging` is a private folder of the login user's, `become` what makes him root.

    `concealed`: lines of secrets that went to or came from the hosts; those who share it add to it.
    """

    def __init__(self, client: Any, *, become: str, staging: str, concealed: set[str]) -> None:
        self._client, self._become = client, become
        self._folder, self._concealed = staging, concealed

    def stage(self, name: str, content: bytes) -> str:
        """The absolute path of a file with this content, in a folder that only the login user can enter.

        Another connection may be reading the file of this name. Transient, Refusal (as `ask`).
        """
        script = phases.stage_script(folder=self._folder, name=name, part=f"{name}.{id(self):x}", size=len(content))
        folder = self.ask(f"sh -eu -c {shlex.quote(script)}", "staging", stdin=content).strip()
        return f"{folder}/{name}"

    def conceal(self, secret: Secret) -> Secret:
        """The same secret, which no output will repeat from now on."""
        lines = secret.reveal().splitlines()
        self._concealed.update(line.strip() for line in lines if len(line.strip()) >= _TELLING)
        return secret

    def reveal_nothing(self, text: str) -> str:
        """The text without the concealed."""
        for line in sorted(self._concealed, key=len, reverse=True):
            text = text.replace(line, "[concealed]")
        return text

    def script(self, script: str, what: str) -> str:
        """The output of a script that root runs, where root is asked for. As `ask`."""
        return self.ask("sh -eu -s", what, become=self._become, stdin=script.encode("utf-8", "surrogatepass"))

    def ask(
        self, command: str, what: str, *, become: str = "", stdin: bytes = b"", seconds: float | None = None
    ) -> str:
        """The output of one command, by whoever `become` makes of the login user; nothing that his shell says besides.

        Transient if the link is lost or the command was interrupted; Refusal (`command_failed`, `disk_full`) if it
        fails, (`no_shell`, `no_root`) if it cannot even begin.
        """
        import paramiko

        what, mark = clean(what), token_hex(8)
        seconds = SHORT if seconds is None else seconds
        until = time.monotonic() + seconds
        try:
            with self._bounded(seconds + TIMEOUT):
                channel = self._client.get_transport().open_session(timeout=TIMEOUT)
                channel.settimeout(TIMEOUT)
                channel.exec_command(_framed(command, become, mark))
                channel.sendall(stdin)
                channel.shutdown_write()
                output, errors = _receive(channel, until)
                if len(output) > _OUTPUT:
                    raise Refusal(f"{what}: more than {_OUTPUT} bytes", kind="too_long")
                if not channel.status_event.wait(max(1.0, until - time.monotonic())) or channel.exit_status < 0:
                    raise EOFError
        except (paramiko.SSHException, OSError, EOFError, AttributeError) as error:
            raise Transient(f"{what}: connection lost ({reason_of(error)})") from None
        said = self.reveal_nothing(errors.decode("utf-8", "replace"))
        answer = _answer(output, become, mark, status=channel.exit_status, what=what, said=said)
        if channel.exit_status != 0:
            if channel.exit_status == NO_ROOM and (told := ROOM_READ.search(said)):
                raise disk_full(what, told[1])
            why = clean_end(said)
            raise Refusal(f"{what}: exit status {channel.exit_status}: {why}".rstrip(": "), kind="command_failed")
        return answer.decode("utf-8", "surrogateescape")

    @contextmanager
    def _bounded(self, seconds: float) -> Iterator[None]:
        """Paramiko waits for some answers for ever: whoever hangs for so long loses the connection."""
        watchdog = threading.Timer(seconds, self._client.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _framed(command: str, become: str, mark: str) -> str:
    """The command for any login shell, so that marks stand where it begins and ends: shells greet and take leave."""
    within = f"echo {mark}-begins; {command}; status=$?; printf %s {mark}-ended; exit $status"
    if become:
        within = f"echo {mark}-becomes; exec {become}sh -c {shlex.quote(within)}"
    return f"sh -c {shlex.quote(within)}"


def _answer(output: bytes, become: str, mark: str, *, status: int, what: str, said: str) -> bytes:
    """What stands between the marks. Transient, Refusal (`no_shell`, `no_root`)."""
    _, begun, rest = output.partition(f"{mark}-begins\n".encode())
    answer, ended, _ = rest.rpartition(f"{mark}-ended".encode())
    if ended:
        return answer
    told = clean_end(output.decode("utf-8", "replace") + said)
    became = become and f"{mark}-becomes\n".encode() in output
    if begun or (status >= _BY_SIGNAL and (became or not told)):
        raise Transient(f"{what}: was interrupted on the host")
    if became:
        raise Refusal(f"{what}: {_NO_ROOT}: {clean_end(said)}".rstrip(": "), kind="no_root")
    raise Refusal(f"{what}: {_NO_SHELL}: {told}".rstrip(": "), kind="no_shell")


def disk_full(what: str, told: str) -> Refusal:
    """Seen before anything was written; `told` is what the host read."""
    return Refusal(
        f"{clean(what)}: the host's disk is full ({clean(told)}); nothing was written. Make room there or choose a "
        "larger image, then run again",
        kind="disk_full",
    )


def _receive(channel: Any, until: float) -> tuple[bytes, bytes]:
    """All output, or a little more than _OUTPUT of it; the end of the errors.

    TimeoutError if nothing comes until then.
    """
    output, errors = b"", b""
    while len(output) <= _OUTPUT:
        channel.settimeout(max(0.1, until - time.monotonic()))
        chunk = channel.recv(65536)
        while channel.recv_stderr_ready():
            errors = (errors + channel.recv_stderr(65536))[-_ERRORS:]
        if not chunk:
            break
        output += chunk
    return output, errors
