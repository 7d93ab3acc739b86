"""Commands that every recipe needs on a Debian or Ubuntu host."""

from __future__ import annotations

import shlex

from laerecover.hosts.recipes.recipe import HOME
from laerecover.hosts.scripts import NO_ROOM, template
from laerecover.ports.hosts import Command

_APT = (
    "export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none\n"
    "apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any "
    '-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null; }\n'
)
_KIB = 1000 * 1024
"""What packages, Tahoe-LAFS and a modest cache of shares need together."""


CLOUD_INIT = Command(
    name="cloud-init",
    script="""\
command -v cloud-init >/dev/null || { echo none; exit 0; }
timeout 60 sh -c '
    cloud-init status --wait >/dev/null 2>&1
    # Once something has failed it calls that its status, and waits no longer, though it is still at work.
    case $(cloud-init status 2>/dev/null) in *disabled*) ;; *) until [ -e /run/cloud-init/result.json ]; do sleep 1; done ;; esac
    echo ended
' </dev/null || echo at work
""",
)
"""For Host.output: `ended`, however it ended; `at work`, after a minute; `none` where there is none."""


def host_is_fit(*, modern: bool) -> Command:
    """Seen before anything is written: disk space; if `modern`, Python and FUSE. Exit statuses are those of PROBLEMS."""
    script = (
        f"{template('room')}for each in /var /home /tmp; do\n"
        f'  status=0; room "$each" {_KIB} || status=$?\n'
        f"  test $status -ne {NO_ROOM} || exit 83\n"
        "  test $status -eq 0 || exit $status\n"
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
    keys = f"{home}/authorized_keys"
    return (
        Command(name="user-customer", script=_user("customer") + f"chmod 711 {HOME}\n"),
        Command(
            name="user-monitor",
            script=_user("monitor") + f"{folder(home, mode=0o700, owner='monitor')}"
            f"printf '%s\\n' {shlex.quote(monitor_pubkey)} >{keys}.new\n"
            f"chmod 600 {keys}.new\nchown monitor:monitor {keys}.new\nmv -f {keys}.new {keys}\n",
        ),
    )


def folder(path: str, *, mode: int, owner: str) -> str:
    """Shell that makes the folder, or gives the one that is there this mode and owner."""
    return f"mkdir -p {path}\nchmod {mode:o} {path}\nchown {owner}:{owner} {path}\n"


def _user(name: str) -> str:
    return f"id {name} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' {name}\n"


def supervised(name: str, run: str, *, needs: str | None = None, ended: str | None = None) -> Command:
    """The service lae-NAME: one start script, called by systemd where it runs the host, else by runit.

    `run` is shell, it ends with exec. `needs`: a service that starts before this one, and stops after it. `ended`: shell
    that clears up whenever the service has ended, however it did; as the service's user.
    """
    start, place = f"{_STARTS}/{name}", f"/etc/sv/lae-{name}"
    order = f"Requires=lae-{needs}.service\nAfter=lae-{needs}.service\n" if needs else ""
    after = f"ExecStopPost={start}-ended\n" if ended else ""
    script = f"mkdir -p {_STARTS}\n" + _script(start, f"umask 077\n{run}")
    if ended:
        script += _script(f"{start}-ended", ended)
    script += "if test -d /run/systemd/system; then\n"
    unit = _UNIT.format(name=name, order=order, start=start, after=after)
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
_UNIT = """\
[Unit]
Description=Recovered {name}
Wants=network-online.target
After=network-online.target
{order}StartLimitIntervalSec=0

[Service]
User=customer
ExecStart={start}
{after}Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""


def _script(path: str, text: str) -> str:
    return _file(path, f"#!/bin/sh\n{text}", "chmod 755")


def _file(path: str, text: str, then: str = "chmod 644") -> str:
    """Shell that puts the file in place by rename."""
    return f"cat >{path}.new <<'LAE_FILE'\n{text}LAE_FILE\n{then} {path}.new\nmv {path}.new {path}\n"
