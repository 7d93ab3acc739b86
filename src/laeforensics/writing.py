"""Text is written whole, or stays as it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from laerecover.manifest import written_whole


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """Write lines (each with its end) as UTF-8 beside `path`, then put the file in its place.

    What UTF-8 cannot hold is written as an escape. Raises OSError; then nothing has changed at `path`.
    """
    with written_whole(path, mode=0o666) as file:
        file.writelines(line.encode("utf-8", "backslashreplace") for line in lines)
