"""What else the steps need: mail, the register of servers, monitoring, time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol


class Mailer(Protocol):
    """Hands a message to a mail server over TLS."""

    def send(self, message: EmailMessage) -> None:
        """Transient: surely not taken. MailInDoubt: nobody knows.

        Refusal: surely not taken, and it is about this mail (`mail_refused`), or about us (MAIL_ABOUT_US).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRow:
    """One line of serverinfo.csv: time of recording, launch_time, instance_id, publichost.

    `recorded_by`: a word that nobody else has, so that whoever wrote the row knows it again; "" in rows of others.
    """

    recorded_at: str
    launch_time: str
    instance_id: str
    public_host: str
    recorded_by: str = ""


class ServerRegister(Protocol):
    """serverinfo.csv."""

    def rows(self) -> Sequence[ServerRow]:
        """All rows, oldest first."""

    def append(self, row: ServerRow) -> None:
        """Add one row, if the instance has none."""


class Monitoring(Protocol):
    """The zenoss server."""

    def watches(self, public_host: str) -> bool:
        """Whether the host is monitored."""

    def watch(self, public_host: str) -> None:
        """Monitor the host."""


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The time, UTC-aware."""

    def monotonic(self) -> float:
        """Seconds that never jump; they stand still while the machine sleeps."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises Stopped as soon as somebody asks to stop."""
