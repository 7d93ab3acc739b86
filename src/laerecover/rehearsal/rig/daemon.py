"""The process that holds a rig: the first of its own namespaces, with which all of the rig ends."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socketserver
import sys
import threading
import xmlrpc.server
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from laerecover.rehearsal.rig.authority import make_certificate, make_ssh_key
from laerecover.rehearsal.rig.control_groups import ControlGroups
from laerecover.rehearsal.rig.ec2_refusals import OPERATOR
from laerecover.rehearsal.rig.faults import RigFaults, read_faults
from laerecover.rehearsal.rig.hosts import LocalHypervisor
from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.mail import Mailbox, serve_mail
from laerecover.rehearsal.rig.metadata import Metadata
from laerecover.rehearsal.rig.monitoring import ADDRESS as MONITORING
from laerecover.rehearsal.rig.monitoring import LOADED, boot_monitoring
from laerecover.rehearsal.rig.network import PROVIDER, make_network
from laerecover.rehearsal.rig.proxy import Cloud, serve
from laerecover.rehearsal.rig.tools import do
from laerecover.writing import write_atomically

CLOUD_PORT, MAIL_PORT, CONTROL_PORT = 5000, 2525, 5001
KEY_PAIR, OPERATOR_KEY = "rig-admin", "AKIDRIGOPERATOR00000"
_LONGEST_SECONDS = 6 * 3600.0
_ENDINGS = (signal.SIGTERM, signal.SIGINT)


class _Control(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    daemon_threads = True


def main() -> None:
    """`python -m laerecover.rehearsal.rig.daemon FOLDER CACHE FAULTS IMAGE`, started by `laerecover.rig up` in fresh
    namespaces.
    """
    folder, cache, faults = Path(sys.argv[1]), Path(sys.argv[2]), read_faults(sys.argv[3])
    faults.image = sys.argv[4] if len(sys.argv) > 4 and sys.argv[4] else faults.image
    os.umask(0o022)
    # For all threads to come: the first process of a namespace would not even be asked otherwise.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    # The old /proc still shows this process as the machine sees it.
    pid = int(Path("/proc/self").readlink().name)
    _make_mounts(cache)
    make_network()
    rig = Daemon(folder, faults, ControlGroups(str(pid)))
    with serve(rig.hypervisor, (PROVIDER, CLOUD_PORT), faults=faults) as cloud:
        rig.start(cloud)
        _serve_control(rig)
        write_atomically(folder / "rig.json", json.dumps({**rig.facts(), "pid": pid}, indent=1).encode())
        signal.sigtimedwait(_ENDINGS, _LONGEST_SECONDS)
        rig.hypervisor.end()


def _make_mounts(cache: Path) -> None:
    """Mounts of this namespace only: its own /proc, the way to end FUSE connections, a /run that vanishes with it."""
    do(["mount", "-t", "proc", "proc", "/proc"])
    do(["mount", "-t", "fusectl", "fusectl", "/sys/fs/fuse/connections"])
    do(["mount", "-t", "tmpfs", "-o", "mode=755", "rig", "/run"])
    for name in ("cache", "hosts"):
        Path("/run", name).mkdir()
    do(["mount", "--rbind", str(cache), "/run/cache"])


class Daemon:
    """Everything that a rig consists of, in `folder`: keys, mailbox, consoles, settings."""

    def __init__(self, folder: Path, faults: RigFaults, groups: ControlGroups) -> None:
        self.folder = folder
        for name in ("keys", "consoles"):
            (folder / name).mkdir(exist_ok=True, mode=0o700)
        keys = folder / "keys"
        self.admin, self.monitor, self.zenoss = (make_ssh_key(keys / name) for name in ("admin", "monitor", "zenoss"))
        self.zenoss_host_key = make_ssh_key(keys / "zenoss_host")
        make_certificate(keys, PROVIDER, datetime.now(UTC))
        self.metadata, places = Metadata(), (Path("/run/cache"), Path("/run/hosts"), folder / "consoles")
        self.hypervisor = LocalHypervisor(*places, self.admin, self.metadata, groups)
        self.mailbox = Mailbox(folder / "mailbox", faults)

    def start(self, cloud: Cloud) -> None:
        """The operator's side of the cloud, monitoring host, mail server."""
        keys = self.folder / "keys"
        self.cloud = cloud
        self.image, self.subnet = cloud.prepare(key_name=KEY_PAIR, public_key=self.admin)
        self.secret = secrets.token_urlsafe(30)
        cloud.allow(OPERATOR_KEY, self.secret)
        private = (keys / "zenoss_host").read_text().replace("\n", "\n    ")
        boot_monitoring(
            self.hypervisor,
            self.zenoss,
            f"#cloud-config\nssh_keys:\n  ed25519_private: |\n    {private}\n  ed25519_public: "
            f"{self.zenoss_host_key}\n",
        )
        self.metadata.serve()
        serve_mail(self.mailbox, PROVIDER, MAIL_PORT, keys / "server.pem", keys / "server.key")

    def customer(
        self, bucket: str, access_key_id: str, secret: str, token: str | None = None, objects_from: str | None = None
    ) -> None:
        """Let this key into its bucket, made if there is none; to objects from that range of addresses alone."""
        from moto.s3.models import s3_backends

        self.cloud.allow(access_key_id, secret, bucket=bucket, token=token, objects_from=objects_from)
        backend = s3_backends[OPERATOR]["aws"]
        if bucket not in backend.buckets:
            backend.create_bucket(bucket, "us-east-1")

    def calls(self) -> dict[str, int]:
        """How often each call of EC2 (`RunInstances`) and S3 (`s3:PUT`) was made so far."""
        return dict(self.cloud.faults.calls)

    def loaded(self) -> str:
        """What zenbatchload was given so far."""
        path = Path("/run/hosts/zenoss/root", LOADED.lstrip("/"))
        return path.read_text() if path.exists() else ""

    def facts(self) -> dict[str, Any]:
        """rig.json but for the pid."""
        return {
            "endpoint": f"http://{PROVIDER}:{CLOUD_PORT}",
            "operator": {"access_key_id": OPERATOR_KEY, "secret_key": self.secret, "key_pair": KEY_PAIR},
            "image": self.image,
            "subnet": self.subnet,
            "control": f"http://127.0.0.1:{CONTROL_PORT}",
            "mail": {"host": PROVIDER, "port": MAIL_PORT, "ca_file": "keys/ca.pem"},
            "monitoring": {"host": MONITORING, "host_key": " ".join(self.zenoss_host_key.split()[:2])},
            "keys": {"ubuntu": "keys/admin", "monitor": "keys/monitor", "zenoss": "keys/zenoss"},
        }


def _serve_control(rig: Daemon) -> None:
    """The control port, on the namespace's own loopback: for tests and for `drill`, not for the runner."""
    control = _Control(("127.0.0.1", CONTROL_PORT), logRequests=False, allow_none=True)
    offered: list[Callable[..., Any]] = [
        rig.hypervisor.terminate,
        rig.hypervisor.reboot,
        rig.hypervisor.console,
        rig.hypervisor.hosts,
    ]
    offered += [rig.mailbox.plan, rig.mailbox.mails, rig.loaded, rig.calls, rig.customer]
    for function in offered:
        control.register_function(function)
    control.register_function(lambda wanted: rig.hypervisor.boot(NewHost(**wanted)), "boot")
    threading.Thread(target=control.serve_forever, daemon=True).start()


if __name__ == "__main__":
    main()
