"""Golden files: what was said once, looked at by a human, and is said again word for word.

`LAE_UPDATE_GOLDENS=1 pytest tests/golden` writes them anew. Look at the difference before you keep it; README.md says
which of them may change at all.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
UPDATE = "LAE_UPDATE_GOLDENS"
_SHOWN_LINES = 60
# 2012-04-20T21:43:20.123456+00:00, and as names of files have it: 2012-04-20T214320Z.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:?\d\d:?\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_SECONDS = ("seconds", "rto_seconds")


def hold(name: str, text: str) -> None:
    """Fail with the difference unless tests/golden/`name` holds exactly `text`; if UPDATE is set, write it there."""
    path = HERE / name
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    kept = path.read_bytes().decode("utf-8") if path.is_file() else ""
    if text != kept:
        pytest.fail(_difference(name, kept, text), pytrace=False)


def hold_all(name: str, text: str) -> None:
    """As `hold`, but lines may have come: every line of the golden is still there, in whatever order."""
    path = HERE / name
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    today = set(text.split("\n"))
    gone = [line for line in path.read_text("utf-8").split("\n") if line not in today]
    if gone:
        pytest.fail("\n".join([f"no longer true of tests/golden/{name}:", *gone]), pytrace=False)


def _difference(name: str, kept: str, text: str) -> str:
    lines = list(difflib.unified_diff(kept.split("\n"), text.split("\n"), name, "today", lineterm="", n=1))
    more = [f"... and {len(lines) - _SHOWN_LINES} lines more"] if len(lines) > _SHOWN_LINES else []
    advice = f"tests/golden/{name} says otherwise. README.md beside it says whether it may; if so: "
    advice += f"{UPDATE}=1 pytest tests/golden"
    return "\n".join([advice, *lines[:_SHOWN_LINES], *more])


def timeless(text: str) -> str:
    """The text with `‹time›` in the place of every time of today or later.

    Those of the evidence are of 2014 at the latest.
    """
    return _TIME.sub(lambda found: found[0] if found[0] < "2020" else "‹time›", text)


def neutral(value: Any, names: dict[str, str] | None = None) -> Any:
    """A JSON value without what differs from run to run: times, measured seconds, what `names` replaces."""
    names = names or {}
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(each, "‹seconds›")
            if key == "step_seconds"
            else "‹seconds›"
            if key in _SECONDS and each is not None
            else neutral(each, names)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [neutral(each, names) for each in value]
    if isinstance(value, str):
        return timeless(names.get(value, value))
    return value
