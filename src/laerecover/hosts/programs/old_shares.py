"""Runs on a host, as its customer: patches the one method of Tahoe-LAFS 1.20 that destroys old shares in the installed file.

A mutable share tells at byte 92 where its extra leases are. The S3 backend of 2012 to 2014 wrote 468 there when the share
was made, never again, and no extra lease. Tahoe-LAFS 1.20 believes it: it takes the first bytes of the data for a number
of leases (16,777,216 in an MDMF share) and moves them, or writes the fifth lease over the data.

`python3 - patch` changes the file if it is the one that is known; else it changes nothing, and its exit status is that of
recipes.PROBLEMS. Done again, it makes every node that runs `older`. `python3 - ask` prints `patched`; `older` with the
processes of storage nodes that cannot be proved to have been started since; `stock`; or `unknown` with the digest.
It is sent as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

RELEASE = "tahoe-lafs==1.20.0"
STOCK = "41c2779606e0866ff41e11dfbd85fcb4ae16534c887dadedde631b427d9f3a43"
"""SHA-256 of allmydata/storage/mutable.py in the only release that `tahoe-lafs==1.20.*` means: wheel and sdist."""
PATCHED = "4288d95a278f49bf256f081b60092223acabe033e381b23bb1aea77060413242"
"""SHA-256 of the same file, patched."""
UNKNOWN = 87
PORT, FOLDER = 12346, "storageserver"
"""By which a storage node is known, however it was started."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

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


def listening(tables: Path = Path("/proc/net")) -> Iterator[str]:
    """The sockets that take a storage node's calls, as a process names them."""
    for name in ("tcp", "tcp6"):
        lines = (tables / name).read_text().splitlines()[1:] if (tables / name).exists() else []
        for place, state, inode in ((row[1], row[3], row[9]) for row in map(str.split, lines)):
            if state == "0A" and int(place.rpartition(":")[2], 16) == PORT:
                yield f"socket:[{inode}]"


def links(folder: Path) -> Iterator[str]:
    """What the links in the folder lead to, as far as we may look."""
    try:
        for each in folder.iterdir():
            with suppress(OSError):
                yield str(each.readlink())
    except OSError:
        return


def is_node(process: Path) -> bool:
    """Whether it is a storage node by its folder, however it was started. Raises OSError."""
    words = [Path(os.fsdecode(word)).name for word in (process / "cmdline").read_bytes().split(b"\0") if word]
    if not words or not (words[0].startswith("python") or {"tahoe", "twistd"}.intersection(words)):
        return False
    try:
        return FOLDER in words or (process / "cwd").readlink().name == FOLDER
    except PermissionError:
        return False


def storage_nodes() -> Iterator[tuple[str, float]]:
    """Each storage node that runs: its process, and when it was started, in seconds since the boot.

    -1 where nobody may know: of a process of somebody else that listens at the node's port.
    """
    unseen = set(listening())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = unseen.intersection(links(process / "fd"))
            ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
            if held or is_node(process):
                yield process.name, ticks / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
        unseen -= held
    for _ in unseen:
        yield "of another user", -1.0


def moment() -> str:
    """Which boot this is, and the seconds since: no clock that somebody may set."""
    return f"{BOOT_ID.read_text().strip()} {time.clock_gettime(time.CLOCK_BOOTTIME)}"


def nodes_before(stamp: str) -> list[str]:
    """The processes of nodes that may have been started before the moment of the stamp."""
    boot_id, _, seconds = stamp.partition(" ")
    if boot_id and boot_id != moment().partition(" ")[0]:
        return []
    return [process for process, started in storage_nodes() if not boot_id or started < float(seconds)]


def answer(path: Path, digest: str) -> str:
    """How it stands with the file of that digest, and with the nodes that run."""
    if digest != PATCHED:
        return "stock" if digest == STOCK else f"unknown {digest}"
    stamp = stamp_of(path)
    found = nodes_before(stamp.read_text() if stamp.exists() else "")
    return f"older {', '.join(found)}" if found else "patched"


def stamp_of(path: Path) -> Path:
    """Beside the file: the moment in which it was patched."""
    return path.with_name(f"{path.name}.patched")


def put(path: Path, content: bytes) -> None:
    """The file has this content, and will have it after a power cut."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
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
    if stamp_of(path).exists():
        stamp_of(path).unlink()
    put(path, patched)
    put(stamp_of(path), moment().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
