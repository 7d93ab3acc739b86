"""Which program of which weeks wrote a log: recognised by its lines, never needed to read a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from laeforensics.evidence.names import s4_name

if TYPE_CHECKING:
    from laeforensics.parsing.logs import SignupLog


def _announced(*texts: str) -> Callable[[SignupLog], bool]:
    return lambda log: any(text in log.announcements for text in texts)


def _marked(*marks: str) -> Callable[[SignupLog], bool]:
    return lambda log: any(mark in log.marks for mark in marks)


def _monitoring_last(log: SignupLog) -> bool:
    return "monitoring after mail" in log.marks


# Newest first: a log is of the newest dialect whose mark it bears. A log cut early may bear an older one's only.
_DIALECTS: tuple[tuple[str, Callable[[SignupLog], bool]], ...] = (
    ("x00", _marked("marked stream")),
    ("re-record", _announced("Reading secrets...", "tahoe.cfg read out")),
    ("d14", lambda log: _marked("s4 furl")(log) and not _marked("s4")(log)),
    ("d13", _marked("s4")),
    ("d12", _announced("Rebooting server (this will take a while)...")),
    ("x08", _marked("node.privkey")),
    ("x07", _marked("fingerprint told")),
    ("d11", _marked("fingerprint unmarked", "Signup done.")),
    (
        "d08",
        lambda log: (
            _marked("75 seconds")(log) and not _announced("Setting up monitoring...", "Getting monitoring code...")(log)
        ),
    ),
    ("x05", _marked("75 seconds")),
    ("d07", _announced("Restoring introducer identity...", "Restoring storage server identity...")),
    ("d06", _announced("Getting monitoring code...")),
    ("x04", lambda log: _announced("Failure notification sent for the following error:")(log) or _monitoring_last(log)),
    ("x03", _announced("Notifying one of our staff of the failure...")),
    ("x02", _marked("debug prints")),
    ("d05", lambda log: _announced("Setting up monitoring...")(log) or _marked("zenoss")(log)),
    (
        "d04",
        _announced("Setting up monitor account...", "Setting up introducer and storage server to run on reboot..."),
    ),
    ("d03", _marked("region", "e-mail")),
    ("d02", _marked("settings")),
    ("d01", lambda log: log is not None),
)


def recognise(log: SignupLog) -> str:
    """The dialect's label as in the dated table of the formats; "" for a file in which nothing was recognised."""
    if not log.facts:
        return ""
    return next(label for label, holds in _DIALECTS if holds(log))


def is_s4(log: SignupLog) -> bool:
    """True for a log of the programs behind the site that quoted nothing."""
    return "s4" in log.marks or s4_name(log.evidence) is not None
