"""The operator's own side, as it is found before anything is launched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

CLOCK, CLOUD_KEY = "clock", "EC2's access key"
"""What must be right before any answer of the cloud means something."""
ASCII_MAIL = "mail beyond ASCII"
"""Seen where the mail server takes no address with letters beyond ASCII before its @."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing that was looked at: `what` it is, the file or setting `where` it is said, what was found.

    With a `remedy` it is not as it should be; then `blocks` says whether a run would fail of it. No secret.
    """

    what: str
    where: str
    said: str
    remedy: str = ""
    blocks: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class OwnSide(Protocol):
    """Keys, settings, environment, clock, mail server."""

    def look(self) -> Sequence[Seen]:
        """Everything, in a fixed order; raises nothing. No mail is sent, nothing is changed."""
