"""What hosts are given to carry out: the files of `programs`, filled in.

Shell is for any POSIX one, with coreutils, uutils or busybox. What was given to a host is known there by its digest, so
that no byte may change without need: what readers and linters want stands above a line that hosts are not given.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

NO_ROOM = 28
"""ENOSPC, as the exit status of our scripts.

It means that only together with what ROOM_READ finds: others end with 28, too.
"""
ROOM_READ = re.compile(r"no room: (-?[0-9]+ KiB are free at [^\n]+, [0-9]+ are wanted)")
"""What `room` (programs/room.sh) says beside that status: the number that it read."""
_BEGINS = "# -- What a host is given begins below. --\n"


@cache
def program(name: str) -> str:
    """One of the programs, by its file's name, as hosts are given it."""
    text = resources.files("laerecover.hosts.programs").joinpath(name).read_text("utf-8")
    return text.partition(_BEGINS)[2] or text


def filled(name: str, **values: object) -> str:
    """The program with each `@NAME@` in it replaced; KeyError if one has no value, or a value no place."""
    text, wanted = program(name), set(re.findall("@([A-Z_]+)@", program(name)))
    if wanted != values.keys():
        raise KeyError(f"{name}: {sorted(wanted ^ values.keys())}")
    return re.sub("@([A-Z_]+)@", lambda found: str(values[found[1]]), text)
