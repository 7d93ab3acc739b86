"""What the scripts that hosts carry out have in common. They are for any POSIX shell, with coreutils, uutils or busybox."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

NO_ROOM = 28
"""ENOSPC, as the exit status of our scripts. It means that only together with what ROOM_TOLD finds: others end with 28, too."""
ROOM_TOLD = re.compile(r"no room: (-?[0-9]+ KiB are free at [^\n]+, [0-9]+ are wanted)")
"""What `room` (programs/room.sh) says beside that status: the number that it read."""


@cache
def template(name: str) -> str:
    """One of the package's shell scripts."""
    return resources.files("laerecover.hosts.programs").joinpath(f"{name}.sh").read_text("utf-8")
