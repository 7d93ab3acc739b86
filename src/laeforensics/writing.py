"""A file is written whole, or stays as it was."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write lines (each with its end) as UTF-8 beside `path`, then put the file in its place.

    What UTF-8 cannot hold is written as an escape. Raises OSError; then nothing has changed at `path`.
    """
    text = "".join(lines)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)
