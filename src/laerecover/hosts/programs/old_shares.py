"""Runs on a host, as its customer: patches the one method of Tahoe-LAFS 1.20 that destroys old shares in the installed file.

A mutable share tells at byte 92 where its extra leases are. The S3 backend of 2012 to 2014 wrote 468 there when the share
was made, never again, and no extra lease. Tahoe-LAFS 1.20 believes it: it takes the first bytes of the data for a number
of leases (16,777,216 in an MDMF share) and moves them, or writes the fifth lease over the data.

`python3 - patch` changes the file if it is the one that is known; else it changes nothing, and its exit status is that of
recipes.PROBLEMS. Done again, it makes every node that runs `older`. `python3 - ask` prints `patched`; `older` if a storage
node runs that was started before; `stock`; or `unknown` with the digest. It is sent as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

RELEASE = "tahoe-lafs==1.20.0"
STOCK = "41c2779606e0866ff41e11dfbd85fcb4ae16534c887dadedde631b427d9f3a43"
"""SHA-256 of allmydata/storage/mutable.py in the only release that `tahoe-lafs==1.20.*` means: wheel and sdist."""
PATCHED = "4288d95a278f49bf256f081b60092223acabe033e381b23bb1aea77060413242"
"""SHA-256 of the same file, patched."""
UNKNOWN = 87

STOCK_METHOD = """\
    def _read_extra_lease_offset(self, f):
        f.seek(self.EXTRA_LEASE_OFFSET)
        (extra_lease_offset,) = struct.unpack(">Q", f.read(8))
        return extra_lease_offset
"""
PATCHED_METHOD = """\
    def _read_extra_lease_offset(self, f):
        f.seek(self.EXTRA_LEASE_OFFSET)
        (extra_lease_offset,) = struct.unpack(">Q", f.read(8))
        # lae-recovery: the S3 backend of 2012-2014 kept 468 here, however
        # long the data, and wrote no extra leases. Whoever writes makes the
        # share one of today's: else, once cut short, it would not tell where
        # its leases begin. A share with bytes missing is left as it is.
        end_of_data = self.DATA_OFFSET + self._read_data_length(f)
        if extra_lease_offset < end_of_data:
            extra_lease_offset = end_of_data
            if f.writable() and f.seek(0, os.SEEK_END) >= end_of_data:
                self._write_extra_lease_offset(f, end_of_data)
                self._write_num_extra_leases(f, 0)
        return extra_lease_offset
"""


def installed() -> Path:
    """The file that a node would import, found without importing anything of it. Raises RuntimeError."""
    found = importlib.util.find_spec("allmydata")
    if found is None or found.submodule_search_locations is None:
        raise RuntimeError("no Tahoe-LAFS is installed here")
    return Path(next(iter(found.submodule_search_locations)), "storage", "mutable.py")


def storage_nodes() -> Iterator[float]:
    """When each storage node that runs was started, on the clock of files."""
    booted = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
        except OSError:
            continue
        if b"run" in words and b"storageserver" in words:
            yield booted + ticks / os.sysconf("SC_CLK_TCK")


def answer(path: Path, digest: str) -> str:
    """How it stands with the file of that digest, and with the nodes that run."""
    if digest != PATCHED:
        return "stock" if digest == STOCK else f"unknown {digest}"
    return "older" if any(started < path.stat().st_mtime for started in storage_nodes()) else "patched"


def put(path: Path, content: bytes) -> None:
    """The file has this content, and will have it after a power cut."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(path.stat().st_mode & 0o777)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def main(action: str) -> int:
    """The exit status."""
    path = installed()
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if action == "ask":
        sys.stdout.write(f"{answer(path, digest)}\n")
        return 0
    patched = content.replace(STOCK_METHOD.encode(), PATCHED_METHOD.encode()) if digest == STOCK else content
    if hashlib.sha256(patched).hexdigest() != PATCHED:
        sys.stderr.write(f"nothing was changed: {path} is unknown, SHA-256 {digest}\n")
        return UNKNOWN
    put(path, patched)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
