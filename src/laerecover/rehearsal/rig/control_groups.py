"""Control groups of hosts that systemd runs, each below its rig's own; none is left when the rig has ended."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.rehearsal.rig.tools import do

_PLACE = Path("/run/cgroup")
"""In the daemon's own mount namespace."""
_STEM = "lae-rig-"
_SECONDS = 5.0
_CLEAR = f"""
mount -t cgroup2 cgroup2 /mnt
for group in /mnt/{_STEM}*; do
    # Who was killed is dead, though it still waits for its hosts: it has no command line any more.
    if [ -d "$group" ] && ! grep -qs . "/proc/${{group##*-}}/cmdline"; then
        [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"  # its hosts have outlived it
        for _ in 1 2 3 4 5; do find "$group" -depth -type d -exec rmdir {{}} + && break; sleep 1; done
    fi
done
"""


class ControlGroups:
    """Those of the rig called `name`; nothing is mounted before the first is asked for."""

    def __init__(self, name: str) -> None:
        self._place, self._lock = _PLACE / f"{_STEM}{name}", threading.Lock()

    def of(self, host: str) -> Path:
        """The host's group, which is there; whoever is written into its `cgroup.procs` is in it.

        Raises LaeRecoverError.
        """
        with self._lock:
            if not _PLACE.is_dir():
                _PLACE.mkdir()
                do(["mount", "-t", "cgroup2", "cgroup2", str(_PLACE)], what="mounting the control groups")
        place = self._place / host
        place.mkdir(parents=True, exist_ok=True)
        return place

    def forget(self, host: str) -> None:
        """Remove the host's group, whose processes have been killed; no effect if there is none."""
        until = time.monotonic() + _SECONDS
        while (self._place / host).is_dir() and time.monotonic() < until and not _remove(self._place / host):
            time.sleep(0.05)
        _remove(self._place)


def remove_left() -> None:
    """Remove those of rigs that were killed, with what still lives in them; nothing where there are no groups."""
    with suppress(LaeRecoverError):
        do(["unshare", "--mount", "sh", "-c", _CLEAR], what="removing old control groups")


def _remove(group: Path) -> bool:
    """Whether nothing of it is left. The kernel removes no group in which somebody lives."""
    if not group.is_dir():
        return True
    within = [each for each in group.iterdir() if each.is_dir()]
    for each in within:
        _remove(each)
    try:
        group.rmdir()
    except OSError:
        return False
    return True
