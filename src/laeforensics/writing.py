"""Text is written whole, or stays as it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from laerecover.manifest import written_whole


def write_whole(path: Path, lines: Iterable[str], *, is_private: bool = False) -> None:
    """Write lines (each with its end) as UTF-8 beside `path`, then put the file in its place.

    What UTF-8 cannot hold is written as an escape. If it `is_private`, nobody but its owner may read it.
    Raises OSError; then nothing has changed at `path`.
    """
    with written_whole(path, mode=0o600 if is_private else 0o666) as file:
        file.writelines(line.encode("utf-8", "backslashreplace") for line in lines)
