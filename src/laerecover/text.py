"""Hostile text made fit to be shown."""

from __future__ import annotations

import unicodedata

_NEVER = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SHOWN = 500


def clean(text: object, *, limit: int = _SHOWN) -> str:
    """`text` on one line: control, format (bidi, zero-width) and surrogate characters become `·`, cut at `limit`."""
    shown = "".join("·" if unicodedata.category(c) in _NEVER else c for c in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def clean_end(text: str, *, limit: int = _SHOWN) -> str:
    """The last `limit` characters of `text`, made fit as by `clean`; lines are parted by ` | `."""
    lines = (clean(line.strip(), limit=limit) for line in text[-2 * limit :].split("\n"))
    return " | ".join(line for line in lines if line)[-limit:]


def duration(seconds: float) -> str:
    """`hh:mm:ss`."""
    whole = int(max(0.0, seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
