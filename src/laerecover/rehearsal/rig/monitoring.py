"""The rig's monitoring host: a user zenoss, whose zenbatchload records what it is given."""

from __future__ import annotations

from pathlib import Path

from laerecover.rehearsal.rig.hosts import LocalHypervisor
from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.tools import do

ADDRESS = "198.51.100.10"
LOADED = "/home/zenoss/loaded"
_LOADER = f"""#!/bin/sh
# Stands in for Zenoss: a batch is a device class, then one device a line.
[ -r "$1" ] || {{ echo "zenbatchload: no such file" >&2; exit 2; }}
grep -q '^/Devices/' "$1" || {{ echo "zenbatchload: no device class" >&2; exit 1; }}
cat "$1" >>{LOADED}
"""


def boot_monitoring(hypervisor: LocalHypervisor, public_key: str, user_data: str) -> None:
    """A host at ADDRESS where `public_key` logs in as zenoss."""

    def furnish(root: Path) -> None:
        do(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "zenoss"])
        home = root / "home/zenoss"
        for folder in (".ssh", "bin", "loadfiles"):
            (home / folder).mkdir()
        (home / ".bashrc").write_text("export PATH=$HOME/bin:$PATH\n")
        (home / "bin/zenbatchload").write_text(_LOADER)
        (home / "bin/zenbatchload").chmod(0o755)
        (home / ".ssh/authorized_keys").write_text(public_key + "\n")
        do(["chroot", str(root), "chown", "-R", "zenoss:zenoss", "/home/zenoss"])

    new = NewHost(instance_id="zenoss", public_host=ADDRESS, private_host="zenoss", user_data=user_data)
    hypervisor.boot(new, furnish)
