"""What the name of a log or a secrets file tells: its run, when that began, its seed."""

from __future__ import annotations

import re
from datetime import datetime

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")


def without_suffix(name: str) -> str:
    """A file's name as it was before it was compressed: `X.gz` is X."""
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return name[: -len(suffix)]
    return name


def is_moment(stamp: str) -> bool:
    """True if `YYYY-MM-DDTHH:MM:SSZ` is a time that there was."""
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return True


_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-([0-9A-Za-z-]+)")


def stem(name: str) -> str:
    """What a log and its secrets file share: the TIMESTAMP-SEED name, or in the S4 layout their folder."""
    folder, _, base = without_suffix(name).rpartition("/")
    return folder if base in ("signup_logs", "SSEC2", "stripe") else base


def start_of(name: str) -> tuple[str, str] | None:
    """UTC start (ISO, with colons) and seed of a TIMESTAMP-SEED name; None for a name whose digits are no time."""
    match = _STAMP.fullmatch(stem(name).rpartition("/")[2])
    if match is None:
        return None
    start = f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z"
    return (start, match[5]) if is_moment(start) else None
