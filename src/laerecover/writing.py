"""Small files of ours, written whole."""

from __future__ import annotations

from pathlib import Path

from laerecover.manifest import written_whole


def write_atomically(path: Path, content: bytes) -> None:
    """Whole or not at all, for nobody else to read (mode 0600). Raises OSError."""
    with written_whole(path) as file:
        file.write(content)
