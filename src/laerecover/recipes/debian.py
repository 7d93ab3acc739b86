"""Commands that every recipe needs on a Debian or Ubuntu host."""

from __future__ import annotations

import shlex

from laerecover.ports import Command
from laerecover.recipes import HOME

_APT = (
    "export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none\n"
    "apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any "
    '-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null; }\n'
)
_MEGABYTES = 1000
"""What packages, Tahoe-LAFS and a modest cache of shares need together."""


def host_is_fit(*, modern: bool) -> Command:
    """Seen before anything is written: disk space; if `modern`, Python and FUSE. Exit statuses are those of PROBLEMS."""
    script = (
        "for place in /var /home /tmp; do\n"
        f'  test "$(df -Pm "$place" | awk \'NR == 2 {{ print $4 }}\')" -ge {_MEGABYTES} || exit 83\n'
        "done\n"
    )
    if modern:
        script += "python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || exit 81\n"
        script += "test -c /dev/fuse || modprobe fuse 2>/dev/null || true\ntest -c /dev/fuse || exit 82\n"
    return Command(name="host", script=script)


def packages(*names: str, modern: bool) -> Command:
    """Waits for apt's lock, mends what was interrupted, tries mirrors again, never asks; a supervisor if there is none.

    If `modern`, the system is brought up to date, and a compiler comes along where it can be had: not all that
    Tahoe-LAFS needs is on PyPI as a wheel for every host.
    """
    script = _APT + "tries=0\n"
    # dpkg does not wait for a lock that is held, as at a first boot for minutes; apt does, before it looks for anything.
    script += "until { apt check || true; dpkg --configure -a --force-confdef --force-confold </dev/null; } && apt update; do\n"
    script += "  tries=$((tries + 1)); test $tries -lt 4 || exit 1; sleep $((tries * 10))\ndone\n"
    script += "apt -f install\n" + ("apt dist-upgrade\n" if modern else "")
    script += f"apt --no-install-recommends install {' '.join(names)}\n"
    script += "test -d /run/systemd/system || apt --no-install-recommends install runit runit-run\n"
    if modern:
        script += "apt --no-install-recommends install gcc libc6-dev python3-dev || true\n"
    return Command(name="packages", script=script)


def users(monitor_pubkey: str) -> tuple[Command, ...]:
    """Users customer and monitor; monitor is let in with the HOWTO's monitor_pubkey."""
    home = "/home/monitor/.ssh"
    return (
        Command(name="user-customer", script=_user("customer") + f"chmod 711 {HOME}\n"),
        Command(
            name="user-monitor",
            script=_user("monitor") + f"install -d -m 700 -o monitor -g monitor {home}\n"
            f"printf '%s\\n' {shlex.quote(monitor_pubkey)} | install -m 600 -o monitor -g monitor /dev/stdin {home}/authorized_keys\n",
        ),
    )


def _user(name: str) -> str:
    return f"id {name} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' {name}\n"


def supervised(name: str, run: str, *, needs: str | None = None) -> Command:
    """The service lae-NAME: one start script, called by systemd where it runs the host, else by runit.

    `run` is shell, it ends with exec. `needs`: a service that starts before this one, and stops after it.
    """
    start, folder = f"{_STARTS}/{name}", f"/etc/sv/lae-{name}"
    order = f"Requires=lae-{needs}.service\nAfter=lae-{needs}.service\n" if needs else ""
    script = f"install -d -m 755 {_STARTS}\n" + _script(start, f"umask 077\n{run}")
    script += "if test -d /run/systemd/system; then\n"
    script += _file(f"/etc/systemd/system/lae-{name}.service", _UNIT.format(name=name, order=order, start=start))
    script += f"systemctl daemon-reload\nelse\ninstall -d -m 755 {folder}/log /var/log/lae-{name}\n"
    script += _script(f"{folder}/run", f"exec 2>&1\nexec chpst -u customer:customer {start}\n")
    script += _script(f"{folder}/log/run", f"exec svlogd -tt /var/log/lae-{name}\n")
    if needs:
        control = f"/etc/sv/lae-{needs}/control"
        script += f"install -d -m 755 {control}\n"
        script += _script(f"{control}/d", f"sv -w 10 force-stop lae-{name}\nexit 1\n")
        script += f"ln -sf d {control}/x\n"
    return Command(name=f"service-{name}", script=script + "fi\n")


_STARTS = "/usr/local/lib/lae-recovery"
_UNIT = """\
[Unit]
Description=Recovered {name}
Wants=network-online.target
After=network-online.target
{order}StartLimitIntervalSec=0

[Service]
User=customer
ExecStart={start}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""


def _script(path: str, text: str) -> str:
    return _file(path, f"#!/bin/sh\n{text}", "chmod 755")


def _file(path: str, text: str, then: str = "chmod 644") -> str:
    """Shell that puts the file in place by rename."""
    return f"cat >{path}.new <<'LAE_FILE'\n{text}LAE_FILE\n{then} {path}.new\nmv {path}.new {path}\n"
