"""Shell scripts that the ssh adapter has hosts carry out, what they answer."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence

from laerecover.hosts.scripts import program
from laerecover.ports.hosts import NO_SPACE, Command, CommandResult
from laerecover.text import clean_end


def phase_digest(commands: Sequence[Command]) -> str:
    """Other commands, or another order, are another phase."""
    return hashlib.sha256("\n".join(f"{each.name} {each.digest}" for each in commands).encode()).hexdigest()


def phase_script(commands: Sequence[Command]) -> str:
    """The whole phase as one file for sh; see programs/phase.sh for how it is called."""
    parts = [program("phase.sh"), program("room.sh"), "commands() {\n"]
    for number, command in enumerate(commands, start=1):
        end = f"LAE_{command.digest}"
        told = (str(number), command.name, command.user, command.digest)
        seconds = () if command.seconds is None else (str(int(command.seconds) or 1),)
        words = " ".join(shlex.quote(word) for word in (*told, *seconds))
        parts.append(f"one {words} <<'{end}' || return 1\n{command.script.rstrip(chr(10))}\n{end}\n")
    return "".join([*parts, '}\n"$action"\n'])


def place_script(*, staged: str, target: str, owner: str, mode: int, size: int) -> str:
    """A script for `sh -s` that puts the staged file of `size` bytes into place."""
    kib = size // 1024 + SLACK_KIB
    names = {"staged": staged, "target": target, "owner": owner, "mode": f"{mode:o}", "kib": str(kib)}
    return program("room.sh") + _set(names) + program("place.sh")


def stage_script(*, folder: str, name: str, part: str, size: int) -> str:
    """A script that takes `size` bytes of stdin as the file `name` in `folder`, which it says; `part`: its name before
    it is whole.
    """
    names = {"folder": folder, "name": name, "part": part, "size": str(size), "kib": str(SLACK_KIB)}
    return program("room.sh") + _set(names) + program("stage.sh")


def _set(names: Mapping[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in names.items())


SLACK_KIB = 512
"""A disk with less than this left counts as full."""


def read_results(lines: Sequence[str], conceal: Callable[[str], str]) -> list[CommandResult]:
    """What the phase's script told after `ended`. Raises ValueError if it is nothing of ours."""
    results = []
    for line in lines:
        name, status, output = (line + " ").split(" ")[:3]
        text = conceal(base64.b64decode(output, validate=True).decode("utf-8", "replace"))
        skipped = status == "skipped"
        results.append(
            CommandResult(name=name, status=0 if skipped else int(status), tail=_end_of(text), skipped=skipped)
        )
    return results


def _end_of(output: str) -> str:
    """The end of what a command printed. That the disk was full is told, however much was printed after it."""
    end = clean_end(output)
    full = next((line for line in output.split("\n") if NO_SPACE in line), "")
    return end if not full or NO_SPACE in end else f"{NO_SPACE} | {end}"


SERVICE_RUNS, SERVICE_START, RELOAD_SSHD = map(program, ("service_runs.sh", "service_start.sh", "reload_sshd.sh"))
"""Of the service lae-… that `unit` names; of the sshd that this connection came through."""
