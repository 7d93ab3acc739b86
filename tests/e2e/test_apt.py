"""The packages of a recipe on a host of the rig whose apt is in trouble: locked, interrupted, with a bad mirror."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rig_hands import Shell, connect

from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.vault import Vault
from laerecover.ports.hosts import CommandResult
from laerecover.rehearsal.rig.client import Rig

NUMBERS = itertools.count(250)  # beyond those that the rig's cloud gives out

# Lets go of the lock once one and the same process of apt's has waited for it for so many seconds.
HOLDER = """\
import fcntl, os, pathlib, time
held = [open(f"/var/lib/dpkg/{name}", "a") for name in ("lock-frontend", "lock")]
for file in held:
    fcntl.lockf(file, fcntl.LOCK_EX)
pathlib.Path("/run/held").touch()
def waiting():
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() == "apt-get":
                return comm.parent.name
        except OSError:
            pass
seen, since, until = None, time.monotonic(), time.monotonic() + 150
while time.monotonic() < until:
    now = waiting()
    if now != seen:
        seen, since = now, time.monotonic()
    if seen and time.monotonic() - since > 20:
        installed = os.popen("dpkg-query -W | wc -l").read()
        pathlib.Path("/run/waited").write_text(installed)
        break
    time.sleep(0.2)
"""

# The first that is asked for an index has none, the second is busy; so are the first for a package, the second hangs
# up.
MIRROR = """\
import http.server, os, pathlib
asked = {}
class Mirror(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        number = asked[self.path] = asked.get(self.path, 0) + 1
        package = self.path.endswith(".deb")
        fault = {1: 503 if package else 404, 2: "cut" if package else 503}.get(number)
        if package and not ("fuse3" in self.path or "runit" in self.path):
            fault = None
        path = pathlib.Path(self.translate_path(self.path))
        if fault is None or not path.is_file():
            return super().do_GET()
        with open("/run/faults", "a") as log:
            log.write(f"{fault} {self.path}\\n")
        if fault != "cut":
            return self.send_error(fault)
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True
os.chdir("/srv/debs")
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Mirror).serve_forever()
"""

# A package whose configuration hangs while /run/hang is there, and one whose configuration file the administrator
# changed.
PACKAGES = """\
set -eu
cd /run
package() {
    mkdir -p $1-$2/DEBIAN $1-$2/etc
    {
        printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\n' $1 $2
        printf 'Maintainer: nobody <nobody@example.org>\\nDescription: invented\\n'
    } >$1-$2/DEBIAN/control
    echo "of version $2" >$1-$2/etc/$1.conf
    echo /etc/$1.conf >$1-$2/DEBIAN/conffiles
    printf '#!/bin/sh\\ntouch /run/configuring\\nwhile test -e /run/hang; do sleep 0.2; done\\n' >$1-$2/DEBIAN/postinst
    chmod 755 $1-$2/DEBIAN/postinst
    dpkg-deb --build --root-owner-group $1-$2 >/dev/null
}
package hangs 1
package asks 1
package asks 2
dpkg -i asks-1.deb
echo 'of the administrator' >/etc/asks.conf
dpkg --unpack asks-2.deb
rm -f /run/configuring
touch /run/hang
setsid dpkg -i hangs-1.deb >/dev/null 2>&1 </dev/null &
until test -e /run/configuring; do sleep 0.1; done
pkill -KILL -x dpkg
rm /run/hang
"""


@dataclass
class Machine:
    """A fresh host. `packages` is the first phase of the default recipe, as a recovery has it done."""

    rig: Rig
    folder: Path
    number: int

    def __post_init__(self) -> None:
        self.name, self.address = f"i-apt{self.number}", f"203.0.113.{self.number}"
        key = derive_host_key(Vault(self.folder, b"k" * 32), self.name, "boot")
        self.key = key.public
        self.rig.boot(self.name, self.address, user_data=key.user_data.reveal())
        self.shell: Shell = connect(self.rig, self.address, self.key)

    def packages(self) -> CommandResult:
        """The result of the last command that was carried out."""
        connector = SshConnector(keys={"ubuntu": self.rig.key("ubuntu")}, command_seconds=300)
        with self.rig.inside():
            host = connector.connect(self.address, user="ubuntu", host_key=self.key)
        return host.run(recipe_named("tahoe").before_reboot())[-1]

    def python(self, program: str, wait_for: str) -> None:
        """Start a program of root's that stays, and wait until a shell condition holds."""
        self.shell(f"sudo tee /run/program.py >/dev/null <<'END'\n{program}END\n")
        self.shell("sudo sh -c 'setsid python3 /run/program.py >/run/program.log 2>&1 </dev/null &'")
        self.shell(f"for i in $(seq 100); do {wait_for} && exit 0; sleep 0.1; done; cat /run/program.log >&2; exit 1")

    def installed(self) -> set[str]:
        """Packages that are wholly there."""
        lines = self.shell("dpkg-query -W -f '${Package} ${Status}\\n'").splitlines()
        return {line.split()[0] for line in lines if line.endswith("install ok installed")}


@pytest.fixture
def machine(rig: Rig, tmp_path: Path) -> Iterator[Machine]:
    """A host of the test's own."""
    made = Machine(rig, tmp_path, next(NUMBERS))
    yield made
    rig.ask("terminate", made.name)


WANTED = {"fuse3", "python3-venv", "rclone", "runit", "runit-run"}


def test_a_held_lock_is_waited_for(machine: Machine) -> None:
    """While another holds apt's lock nothing is installed and nothing fails: one process waits, for 20 s and longer."""
    before = len(machine.installed())
    machine.python(HOLDER, "test -e /run/held")
    result = machine.packages()
    assert (result.name, result.status) == ("packages", 0), result.tail
    assert machine.shell("cat /run/waited") == str(before), "somebody waited, and nothing was installed meanwhile"
    assert machine.installed() >= WANTED


def test_an_interrupted_dpkg_is_mended(machine: Machine) -> None:
    """What a killed dpkg left half configured is finished.

    A changed configuration file raises no question and stays.
    """
    machine.shell(f"sudo tee /run/packages.sh >/dev/null <<'END'\n{PACKAGES}END\nsudo sh /run/packages.sh")
    status = "dpkg-query -W -f '${Status};' asks hangs"
    assert machine.shell(status) == "install ok unpacked;install ok half-configured;"
    assert machine.shell("sudo apt-get install -y rclone 2>&1 || true").count("dpkg was interrupted") == 1
    result = machine.packages()
    assert (result.name, result.status) == ("packages", 0), result.tail
    assert machine.shell(status) == "install ok installed;" * 2
    assert machine.shell("cat /etc/asks.conf") == "of the administrator"
    assert machine.installed() >= WANTED


def test_a_bad_mirror_is_asked_again(machine: Machine) -> None:
    """An index that is missing at first, a busy mirror, a download that breaks off: all is there in the end."""
    machine.shell("echo 'deb [trusted=yes] http://127.0.0.1:8080/ ./' | sudo tee /etc/apt/sources.list")
    machine.python(MIRROR, "busybox wget -q -O /dev/null http://127.0.0.1:8080/")
    result = machine.packages()
    assert (result.name, result.status) == ("packages", 0), result.tail
    faults = machine.shell("cat /run/faults").splitlines()
    kinds = {(fault.split()[0], fault.endswith(".deb")) for fault in faults}
    assert kinds == {("404", False), ("503", False), ("503", True), ("cut", True)}
    assert machine.installed() >= WANTED
