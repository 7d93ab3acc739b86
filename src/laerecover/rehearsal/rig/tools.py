"""What the rig needs of this machine, said before anything is started."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.rehearsal.rig.images import image_of
from laerecover.text import reason_of

PACKAGES = {
    "debootstrap": "debootstrap",
    "dpkg-scanpackages": "dpkg-dev",
    "ip": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
}
"""A tool, with the Debian package that brings it (`make rig-tools` installs them all)."""


def missing() -> str | None:
    """Why no rig can run here, on one line; None if one can."""
    if os.geteuid() != 0:
        return "the rig makes namespaces and mounts: it needs root"
    extra = [module for module in ("aiosmtpd", "moto") if importlib.util.find_spec(module) is None]
    if extra:
        return f"the extra [rig] is not installed ({', '.join(extra)})"
    lacking = [tool for tool in PACKAGES if shutil.which(tool) is None]
    if lacking:
        return f"{', '.join(lacking)} not found"
    if not Path("/dev/fuse").exists():
        return "/dev/fuse is missing"
    probe = [
        "unshare",
        "--pid",
        "--mount",
        "--net",
        "--fork",
        "--mount-proc",
        "ip",
        "link",
        "add",
        "name",
        "probe0",
        "type",
        "bridge",
    ]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return "this kernel, or this container, allows no namespaces of one's own"
    return None


def missing_for_systemd() -> str | None:
    """Why no host can be run by systemd here, on one line, though a rig can be; None if one can."""
    probe = "mount -t cgroup2 cgroup2 /mnt && mkdir /mnt/lae-rig-0 && rmdir /mnt/lae-rig-0"
    try:
        do(["unshare", "--mount", "sh", "-c", probe], what="making a control group")
    except LaeRecoverError as error:
        return f"this kernel, or this container, has no control groups for systemd: {error.what}"
    return None


def need_tools(image: str = "") -> None:
    """Raises LaeRecoverError with reason and remedy where the rig, with hosts of that image, cannot run."""
    reason = missing() or (missing_for_systemd() if image and image_of(image).systemd else None)
    if reason is not None:
        wanted = " ".join(sorted(set(PACKAGES.values())))
        raise LaeRecoverError(
            f"no rig on this machine: {reason}",
            where="laerecover.rig",
            next_step=f"as root: apt-get install {wanted}, pip install 'lae-recovery[rig]'; or drill without --world",
        )


def do(
    command: Sequence[str],
    *,
    stdin: str | None = None,
    folder: Path | None = None,
    seconds: float = 60.0,
    what: str = "",
) -> str:
    """Run a tool in `folder`; its output. Raises LaeRecoverError with the tail of what it said."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            cwd=folder,
            umask=0o022,
            check=False,
        )
        said, status = f"{done.stdout}\n{done.stderr}", done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, status = reason_of(error), -1
    if status != 0:
        last = " / ".join(said.strip().splitlines()[-3:])
        raise LaeRecoverError(
            f"{what or command[0]} failed: {last[-400:]}",
            where=" ".join(command)[:200],
            next_step="mend it and run the same command again",
        )
    return done.stdout
