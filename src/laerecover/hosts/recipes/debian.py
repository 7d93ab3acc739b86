"""Commands that every recipe needs on a Debian or Ubuntu host."""

from __future__ import annotations

import re
import shlex

from laerecover.hosts.recipes.recipe import HOME
from laerecover.hosts.scripts import NO_ROOM, filled, program
from laerecover.ports.hosts import Command
from laerecover.text import clean

_KIB = 1000 * 1024
"""What packages, Tahoe-LAFS and a modest cache of shares need together."""
_TMP_KIB = 20 * 1024
"""What apt and the packages' own scripts lay in /tmp, which is a tmpfs of half the memory from Debian 13 on."""

TRIED = "Debian 12 and 13 (amd64)"
"""The images on which whole accounts were recovered, on the rig, and their old files read back."""

CLOUD_INIT = Command(name="cloud-init", script=program("cloud_init.sh"))
"""For Host.output: `ended`, however it ended; `at work`, after a minute; `none` where there is none."""


SERVICES = Command(name="services", script=program("services.sh"))
"""For Host.output: a line for each service of ours: its name, `ok` or `failed`, why."""


def read_services(output: str) -> dict[str, tuple[bool, str]]:
    """What SERVICES printed: a service's name -> whether all is well with it, and why; empty where that is unknown."""
    found = re.findall(r"^([a-z]+) (ok|failed) (\S.*)$", output, re.M)
    return {name: (word == "ok", clean(why)) for name, word, why in found}


def host_is_fit(*, modern: bool) -> Command:
    """Seen before anything is written: disk space; if `modern`, Python and FUSE.

    Exit statuses are those of PROBLEMS.
    """
    script = program("room.sh") + filled("host_has_room.sh", KIB=_KIB, TMP_KIB=_TMP_KIB, NO_ROOM=NO_ROOM)
    script += program("host_is_modern.sh") if modern else ""
    return Command(name="host", script=script)


def packages(*names: str, modern: bool) -> Command:
    """Waits for apt's lock, mends what was interrupted, tries mirrors again, never asks; a supervisor if there is none.

    If `modern`, the system is brought up to date, and a compiler comes along where it can be had: not all that
    Tahoe-LAFS needs is on PyPI as a wheel for every host.
    """
    script = program("apt_is_ready.sh") + ("apt dist-upgrade\n" if modern else "")
    script += f"get {' '.join(names)}\ntest -d /run/systemd/system || get runit runit-run\n"
    if modern:
        script += "apt --no-install-recommends install gcc libc6-dev python3-dev || true\n"
    return Command(name="packages", script=script)


def users(monitor_pubkey: str) -> tuple[Command, ...]:
    """Users customer and monitor; monitor is let in with the HOWTO's monitor_pubkey."""
    monitor = filled("monitor_is_let_in.sh", KEY=shlex.quote(monitor_pubkey))
    return (
        Command(name="user-customer", script=filled("user_customer.sh", HOME=HOME)),
        Command(name="user-monitor", script=monitor),
    )


def supervised(name: str, run: str, *, needs: str | None = None, ended: str | None = None) -> Command:
    """The service lae-NAME: one start script, called by systemd where it runs the host, else by runit.

    `run` is shell, it ends with exec. `needs`: a service that starts before this one, and stops after it. `ended`:
    shell that clears up whenever the service has ended, however it did; as the service's user.
    """
    start, place = f"{_STARTS}/{name}", f"/etc/sv/lae-{name}"
    order = f"Requires=lae-{needs}.service\nAfter=lae-{needs}.service\n" if needs else ""
    after = f"ExecStopPost={start}-ended\n" if ended else ""
    script = f"mkdir -p {_STARTS}\n" + _script(start, f"umask 077\n{run}")
    if ended:
        script += _script(f"{start}-ended", ended)
    script += "if test -d /run/systemd/system; then\n"
    unit = filled("service.unit", NAME=name, ORDER=order, START=start, AFTER=after)
    script += _file(f"/etc/systemd/system/lae-{name}.service", unit)
    script += f"systemctl daemon-reload\nelse\nmkdir -p {place}/log /var/log/lae-{name}\n"
    script += _script(f"{place}/run", f"exec 2>&1\nexec chpst -u customer:customer {start}\n")
    script += _script(f"{place}/log/run", f"exec svlogd -tt /var/log/lae-{name}\n")
    if ended:
        script += _script(f"{place}/finish", f"exec chpst -u customer:customer {start}-ended\n")
    if needs:
        control = f"/etc/sv/lae-{needs}/control"
        script += f"mkdir -p {control}\n"
        script += _script(f"{control}/d", f"sv -w 10 force-stop lae-{name}\nexit 1\n")
        script += f"ln -sf d {control}/x\n"
    return Command(name=f"service-{name}", script=script + "fi\n")


_STARTS = "/usr/local/lib/lae-recovery"


def _script(path: str, text: str) -> str:
    return _file(path, f"#!/bin/sh\n{text}", "chmod 755")


def _file(path: str, text: str, then: str = "chmod 644") -> str:
    """Shell that puts the file in place by rename."""
    return f"cat >{path}.new <<'LAE_FILE'\n{text}LAE_FILE\n{then} {path}.new\nmv {path}.new {path}\n"
