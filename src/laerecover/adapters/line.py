"""One ssh connection: bounded questions, staged files, outputs that repeat no secret."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from laerecover.adapters import phases
from laerecover.hosts.scripts import NO_ROOM, ROOM_READ, program
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal, Transient
from laerecover.text import clean, clean_end

TIMEOUT = 20.0
"""How long the other end may be silent, in seconds, where it should answer at once."""
SHORT = 120.0
"""How long a small errand may take."""
_OUTPUT, _ERRORS = 1 << 20, 1000
_TELLING = 8
"""Shorter lines of a secret file (`[node]`, say) give nothing away."""


class Line:
    """A connection of paramiko's. `staging` is a private folder of the login user's, `become` what makes him root.

    `concealed`: lines of secrets that went to or came from the hosts; those who share it add to it.
    """

    def __init__(self, client: Any, *, become: str, staging: str, concealed: set[str]) -> None:
        self._client, self._become = client, become
        self._wanted, self._concealed = shlex.quote(staging), concealed
        self._sftp: Any = None
        self._staging = ""

    def stage(self, name: str, content: bytes, *, shared: bool = False) -> str:
        """The absolute path of a file with this content, in a folder that only the login user can enter.

        `shared`: another connection may be reading the file of this name. Transient, Refusal (`disk_full`).
        """
        import paramiko

        try:
            if self._sftp is None:
                self._staging = self._private_folder()
            path = f"{self._staging}/{name}"
            own = f"{path}.{id(self):x}" if shared else path
            with self._bounded(SHORT):
                self._sftp = self._sftp or self._client.open_sftp()
                self._sftp.get_channel().settimeout(TIMEOUT)
                with self._sftp.open(own, "w") as file:
                    file.write(content)
                if shared:
                    self._sftp.posix_rename(own, path)
        except (OSError, EOFError, paramiko.SSHException) as error:
            with self._bounded(TIMEOUT), suppress(OSError, EOFError, paramiko.SSHException, AttributeError):
                self._sftp.remove(own)
            self._sftp = None
            # SFTP says no more than `Failure`; a full disk is seen here.
            self._private_folder()
            raise Transient(f"staging: connection lost ({type(error).__name__})") from None
        return path

    def _private_folder(self) -> str:
        wanted = self._wanted
        room = program("room.sh") + f"room {wanted} {phases.SLACK_KIB} || exit $?\n"
        script = f"mkdir -p -m 700 {wanted}\nchmod 700 {wanted}\ncd {wanted}\npwd -P\n"
        return self.ask("sh -eu -s", "staging", stdin=room + script).strip()

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
        return self.ask(f"{self._become}sh -eu -s", what, stdin=script)

    def ask(self, command: str, what: str, *, stdin: str = "", seconds: float | None = None) -> str:
        """The output of one command; Transient if the link is lost, Refusal (`command_failed`, `disk_full`) if it
        fails.
        """
        import paramiko

        seconds = SHORT if seconds is None else seconds
        until = time.monotonic() + seconds
        try:
            with self._bounded(seconds + TIMEOUT):
                channel = self._client.get_transport().open_session(timeout=TIMEOUT)
                channel.settimeout(TIMEOUT)
                channel.exec_command(command)
                channel.sendall(stdin.encode("utf-8", "surrogatepass"))
                channel.shutdown_write()
                output, errors = _receive(channel, until)
                if not channel.status_event.wait(max(1.0, until - time.monotonic())) or channel.exit_status < 0:
                    raise EOFError
        except (paramiko.SSHException, OSError, EOFError, AttributeError) as error:
            raise Transient(f"{clean(what)}: connection lost ({type(error).__name__})") from None
        if channel.exit_status != 0:
            said = self.reveal_nothing(errors.decode("utf-8", "replace"))
            if channel.exit_status == NO_ROOM and (told := ROOM_READ.search(said)):
                raise disk_full(what, told[1])
            why = clean_end(said)
            raise Refusal(
                f"{clean(what)}: exit status {channel.exit_status}: {why}".rstrip(": "), kind="command_failed"
            )
        if len(output) > _OUTPUT:
            raise Refusal(f"{clean(what)}: more than {_OUTPUT} bytes", kind="too_long")
        return output.decode("utf-8", "surrogateescape")

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
