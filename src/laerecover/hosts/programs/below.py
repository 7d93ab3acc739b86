"""What lies below `recovered/`: whose it is; whether the mark COMPLETE there is believed.

Where `COMPLETE` stands a node is started: over an empty folder, or over that of another bucket, it would be an empty
server that looks like a recovered one. So it is believed only when it was read, is of the form that joining writes,
and fits what lies beside it.

Runs on the runner, and is sent to hosts as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, RECOVERED, Listed, Share, shares_in

FORMAT = 1
LARGEST = 64 << 20
"""Bytes of the largest `COMPLETE` that is read: it names every share that was left out."""
BRING_BACK = (
    f"find out who changed what lies below {RECOVERED}; bring back what is missing, and {COMPLETE} as joining wrote "
    "it: the bucket's older versions may have it, and the report of the recovery that joined tells what stood in it"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CALLED = re.compile(r"[a-z2-7]{26}/[0-9]{1,3}")


class JoinedMark(NamedTuple):
    """What `COMPLETE` tells: when, the digest of the old objects, shares joined and copied, their bytes.

    `left_out`: storage index and number -> why.
    """

    at: str
    of: str
    joined: int
    copied: int
    bytes: int
    left_out: Mapping[str, str]

    @property
    def text(self) -> str:
        """As it stands in the bucket."""
        return json.dumps({"format": FORMAT, **self._asdict()}, indent=1)


def read_mark(text: bytes) -> JoinedMark:
    """Raises ValueError, with what is wrong, if joining did not write that."""
    try:
        told = json.loads(text)
        datetime.fromisoformat(told["at"])
        made = JoinedMark(**{name: told[name] for name in JoinedMark._fields})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("it is nothing that joining wrote") from None
    if told.get("format") != FORMAT or not _well_made(made):
        raise ValueError("it is nothing that this version of joining wrote")
    return made


def _well_made(told: JoinedMark) -> bool:
    counts: tuple[Any, ...] = (told.joined, told.copied, told.bytes)
    left_out: Any = told.left_out
    return (
        all(type(count) is int and count >= 0 for count in counts)
        and isinstance(told.of, str)
        and _DIGEST.fullmatch(told.of) is not None
        and isinstance(left_out, dict)
        and all(_CALLED.fullmatch(name) and isinstance(why, str) for name, why in left_out.items())
    )


def doubt(told: JoinedMark, *, there: int, missing: int) -> str:
    """Why it is not believed, or "". `there`: shares below `recovered/`; `missing`: old ones that are not.

    The customer may have removed old objects since, and added shares.
    """
    shares = told.joined + told.copied
    if there < shares:
        return f"it tells of {shares:,} shares, and {there:,} lie below {RECOVERED}"
    if missing > len(told.left_out):
        return (
            f"{missing:,} of the old shares are not below {RECOVERED}, and it tells of {len(told.left_out):,} that "
            "were left out"
        )
    return ""


class Below:
    """What is listed below `recovered/`, as it comes; then each old share is looked for, as that comes."""

    def __init__(self) -> None:
        self.complete = self.joining = ""
        """When these were written, `-` if that is not known; empty where they do not stand."""
        self.newest = self.other = self.first = ""
        """When anything else was last written. A name that is no share's; that of a share."""
        self.there = self.bytes = self.missing = 0
        self.sizes: dict[str, int] = {}
        """Shares that no old one was found for: name of the old one -> bytes."""

    def take(self, entry: Listed) -> bool:
        """Whether it lies below `recovered/`."""
        if not entry.name.startswith(RECOVERED):
            return False
        if entry.name == COMPLETE:
            self.complete = entry.modified or "-"
        elif entry.name == JOINING:
            self.joining = entry.modified or "-"
        elif not (entry.name.endswith("/") and entry.size == 0):  # else a folder, as some programs mark them
            self.newest = max(self.newest, entry.modified)
            self._else(entry)
        return True

    def _else(self, entry: Listed) -> None:
        (old,) = shares_in([entry._replace(name=entry.name[len(RECOVERED) :])])
        if isinstance(old, Share) and set(old.pieces) == {0}:
            self.there, self.bytes = self.there + 1, self.bytes + entry.size
            self.first = self.first or entry.name
            self.sizes[old.name] = entry.size
        else:
            self.other = self.other or entry.name

    def find(self, share: Share) -> None:
        """That share is one of the old ones."""
        if self.sizes.pop(share.name, None) is None:
            self.missing += 1

    def foreign(self, *, joins: bool) -> str:
        """A name that nobody has put there who is still joining; it may be a customer's only copy.

        `joins`: something is to be joined there. Shares without JOINING and COMPLETE are those of a node that has run.
        """
        if self.complete:
            return ""
        if self.first and not self.joining:
            return self.first
        if self.sizes:
            return RECOVERED + min(self.sizes)
        return self.other if joins or self.joining else ""
