"""What a check finds in the way of a recovery."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One obstacle.

    With an `account_id` it keeps that account from being launched; without, `blocks` stops the whole run.
    """

    what: str
    message: str
    remedy: str
    account_id: str | None = None
    blocks: bool = True
    instances: tuple[str, ...] = ()
    """Ids of the living instances that it is about, where a human may decide that they do no harm."""
    added_bytes: int = 0
    """Of storage that recovering its account adds to the bucket."""

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
