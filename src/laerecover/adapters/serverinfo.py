"""serverinfo.csv in the format of 2012: four fields, no header, no quoting.

A fifth, where the last programs of then kept a status, says whose a row of ours is; readers of evidence pass it over.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from laerecover.manifest import written_whole
from laerecover.ports.refusals import Refusal
from laerecover.ports.services import ServerRow


class ServerinfoFile:
    """ServerRegister over the file. Rows that are torn or have another form are kept as they are, and not read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> Sequence[ServerRow]:
        """The well-formed rows; none if there is no file."""
        try:
            text = self._path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return []
        found = [line.split(",") for line in text.split("\n")]
        return [
            ServerRow(
                recorded_at=f[0], launch_time=f[1], instance_id=f[2], public_host=f[3], recorded_by="".join(f[4:5])
            )
            for f in found
            if len(f) >= 4
        ]

    def append(self, row: ServerRow) -> None:
        """Under a lock, the whole file anew with its mode. A last line that was broken off is ended first."""
        fields = [row.recorded_at, row.launch_time, row.instance_id, row.public_host]
        fields += [row.recorded_by] if row.recorded_by else []
        if any("," in f or "\n" in f or "\r" in f for f in fields):
            raise Refusal("a value does not fit into serverinfo.csv", kind="bad_row")
        with self._locked():
            if any(r.instance_id == row.instance_id for r in self.rows()):
                return
            before = self._path.read_bytes() if self._path.exists() else b""
            if before and not before.endswith(b"\n"):
                before += b"\n"
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o600
            with written_whole(self._path) as file:
                os.fchmod(file.fileno(), mode)
                file.write(before + ",".join(fields).encode() + b"\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
