"""The rig's mail server: STARTTLS or nothing, a mailbox of files, mishaps on demand."""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from laerecover.manifest import written_whole
from laerecover.rehearsal.rig.faults import RigFaults

MISHAPS = ("refuse_5xx", "refuse_4xx", "delay", "drop_before_taking", "drop_after_taking")


class Mailbox:
    """aiosmtpd's handler: what is taken becomes NNNN.eml, with the envelope's recipient in its first header."""

    def __init__(self, folder: Path, faults: RigFaults) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._faults, self._mishaps = folder, faults, list[tuple[str, str]]()
        self._lock = threading.Lock()

    def plan(self, mishap: str, recipient: str = "", times: int = 1) -> None:
        """The next `times` mails to `recipient` (anybody if empty) meet this mishap.

        Raises ValueError for unknown ones.
        """
        if mishap not in MISHAPS:
            raise ValueError(f"mishaps are {', '.join(MISHAPS)}")
        with self._lock:
            self._mishaps += [(mishap, recipient)] * times

    def mails(self) -> list[str]:
        """All that was taken, oldest first."""
        return [path.read_text("utf-8") for path in sorted(self._folder.glob("*.eml"))]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the message, or do what was planned for it."""
        recipient = envelope.rcpt_tos[0]
        mishap = self._next(recipient)
        if mishap == "refuse_5xx":
            return "550 no such mailbox here"
        if mishap == "refuse_4xx":
            return "451 try again later"
        if mishap == "delay":
            await asyncio.sleep(2)
        if mishap != "drop_before_taking":
            self._keep(recipient, envelope.content)
        if mishap.startswith("drop"):
            server.transport.abort()
        return "250 taken"

    def _next(self, recipient: str) -> str:
        with self._lock:
            for planned in self._mishaps:
                if planned[1] in ("", recipient):
                    self._mishaps.remove(planned)
                    return planned[0]
            return self._faults.strike("mail") or ""

    def _keep(self, recipient: str, content: bytes) -> None:
        with self._lock:
            path = self._folder / f"{len(list(self._folder.glob('*.eml'))):04d}.eml"
            with written_whole(path, mode=0o644) as file:
                file.write(f"X-Envelope-To: {recipient}\r\n".encode() + content)


def serve_mail(mailbox: Mailbox, host: str, port: int, certificate: Path, key: Path) -> None:
    """Listen in a thread of its own until the process ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    Controller(mailbox, hostname=host, port=port, tls_context=context, require_starttls=True).start()
