"""Shell scripts that the ssh adapter has hosts carry out, what they answer."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Sequence

from laerecover.hosts.scripts import template
from laerecover.ports.hosts import Command, CommandResult
from laerecover.text import clean_end


def phase_digest(commands: Sequence[Command]) -> str:
    """Other commands, or another order, are another phase."""
    return hashlib.sha256("\n".join(f"{each.name} {each.digest}" for each in commands).encode()).hexdigest()


def phase_script(commands: Sequence[Command]) -> str:
    """The whole phase as one file for sh; see templates/phase.sh for how it is called."""
    parts = [template("phase"), template("room"), "commands() {\n"]
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
    return (
        template("room")
        + "".join(f"{name}={shlex.quote(value)}\n" for name, value in names.items())
        + template("place")
    )


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
            CommandResult(name=name, status=0 if skipped else int(status), tail=clean_end(text), skipped=skipped)
        )
    return results


SERVICE_RUNS = """if [ -d /run/systemd/system ]; then systemctl is-active --quiet "$unit" && echo runs || :
else sv status "$unit" 2>/dev/null | grep -q '^run:' && echo runs || :
fi
"""

SERVICE_START = """if [ -d /run/systemd/system ]; then exec systemctl enable --now "$unit"; fi
[ -L "/etc/service/$unit" ] || ln -s "/etc/sv/$unit" "/etc/service/$unit"
tries=0
until [ -e "/etc/service/$unit/supervise/ok" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || exit 1
    sleep 1
done
exec sv -w 60 start "$unit"
"""

# The listening sshd is the topmost of this connection's ancestors with that name.
RELOAD_SSHD = """process=$$ listener=
while [ "$process" -gt 1 ]; do
    case $(cat "/proc/$process/comm") in sshd*) listener=$process ;; esac
    process=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$process/status")
done
kill -HUP "$listener"
"""
