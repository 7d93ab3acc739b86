"""Cutting text into lines, finding prints: what the families of damage share."""

from __future__ import annotations

import re

from damages.hurting import Hurt
from damages.witnesses import Left

CREDENTIALS = ("user_access_key_id", "user_secret_key", "user_token")
IDENTITY = ("introducer_node_pem", "introducer_nodeid", "server_node_pem", "server_nodeid")


def spans(data: bytes) -> list[tuple[int, int]]:
    """Start and end of each line, its line feed included."""
    return [match.span() for match in re.finditer(rb"[^\n]*\n|[^\n]+", data)]


def line_at(data: bytes, position: int) -> tuple[int, int]:
    """The line that a position is in, its line feed included."""
    end = data.find(b"\n", position)
    return data.rfind(b"\n", 0, position) + 1, len(data) if end < 0 else end + 1


def bytes_of(hurt: Hurt, path: str | None) -> bytes:
    """A file as it was written."""
    assert path is not None
    return hurt.written.files[path]


def printed(left: Left, name: str, value: str | None = None) -> tuple[int, int] | None:
    """Where a run's log first prints a field, a stage or a mark of the writer's."""
    found = (p for p in left.run.printed if p.name == name and value in (None, p.value))
    return next(((p.start, p.end) for p in found), None)
