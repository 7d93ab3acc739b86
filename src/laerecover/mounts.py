"""On what kind of file system something lies, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# fmt: off
_NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
        "orangefs", "pvfs2", "smb2", "smb3", "smbfs", "virtiofs", "vboxsf", "vmhgfs",
    }
)
_OVER_A_NETWORK = frozenset(
    {
        "afpfs", "ceph-fuse", "curlftpfs", "davfs", "davfs2", "gcsfuse", "geesefs", "glusterfs", "goofys",
        "gvfsd-fuse", "juicefs", "mfs", "ossfs", "rclone", "s3fs", "seaweedfs", "smbnetfs", "sshfs", "vmhgfs-fuse",
    }
)
# fmt: on
"""What stands behind `fuse.`: mounts by programs, whose files lie elsewhere."""


def network_of(path: Path) -> str:
    """The kind of the network file system on which the path lies or would lie, as `nfs4`, `fuse.sshfs`; "" if none.

    Folders that other machines, or a virtual machine's host, can write, too: no lock and no shared memory holds there.
    """
    place, found, depth = path.resolve(), "", -1
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(b" - ")
        names, kinds = before.split(), after.split()
        if len(names) < 5 or not kinds:
            continue
        mounted = Path(_plain(names[4]))
        # What was mounted last at a place hides what was there before.
        if place.is_relative_to(mounted) and len(mounted.parts) >= depth:
            found, depth = kinds[0].decode("ascii", "replace"), len(mounted.parts)
    kind, _, program = found.partition(".")
    return found if kind in _NETWORK or (kind == "fuse" and program in _OVER_A_NETWORK) else ""


def _plain(escaped: bytes) -> str:
    """A path as it is: blanks and backslashes stand there as three octal digits."""
    plain = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), escaped)
    return plain.decode("utf-8", "surrogateescape")
