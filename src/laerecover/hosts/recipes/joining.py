"""The commands by which a host joins the shares of its customer's bucket."""

from __future__ import annotations

from laerecover.hosts.recipes.recipe import HOME
from laerecover.hosts.scripts import NO_ROOM, filled, program
from laerecover.ports.hosts import Command

PLACE = f"{HOME}/joining"
_PROGRAMS = "laerecover.hosts.programs"
_MODULES = ("bucket_shares.py", "below.py", "progress.py", "store_answers.py", "joining.py", "s3_joining.py")
_KIB = 200 * 1024
"""What boto3 needs, with all that it depends on."""


def join_shares(configuration: str, *, seconds: float) -> tuple[Command, ...]:
    """A phase: what the program needs, in a venv of its own; the program. `configuration`.

    Rclone's, with the keys and the bucket.

    The exit statuses are those of PROBLEMS. `seconds`: how long joining may take.
    """
    return (
        Command(name="joining", user="customer", script=_tools()),
        Command(name="join-shares", user="customer", script=_joined(configuration), seconds=seconds),
    )


def _tools() -> str:
    """The versions that were tried, known by their digests, for Python 3.9 and newer; `make lock` renews them."""
    pinned = program("joining.txt").rstrip("\n")
    return program("room.sh") + filled(
        "install_joining.sh", HOME=HOME, KIB=_KIB, NO_ROOM=NO_ROOM, PLACE=PLACE, PINNED=pinned
    )


def _joined(configuration: str) -> str:
    """The program's modules where they import each other from; nothing of the host's environment reaches it."""
    folder = "programs/" + _PROGRAMS.replace(".", "/")
    script = f"cd {PLACE}\nrm -rf programs\nmkdir -p {folder}\n"
    for module in _MODULES:
        script += f"cat >{folder}/{module} <<'LAE_PROGRAM'\n{program(module)}LAE_PROGRAM\n"
    run = f"env -i PATH=/usr/bin:/bin HOME={HOME} LC_ALL=C.UTF-8 PYTHONPATH={PLACE}/programs"
    return f"{script}{run} venv/bin/python -B -u -m {_PROGRAMS}.s3_joining {configuration}\n"
