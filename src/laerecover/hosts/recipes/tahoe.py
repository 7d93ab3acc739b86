"""The recipe `tahoe`: stock Tahoe-LAFS 1.20, with the customer's bucket mounted as the storage node's folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT, any_weak
from laerecover.hosts.recipes.debian import host_is_fit, packages, supervised, users
from laerecover.hosts.recipes.joining import join_shares
from laerecover.hosts.recipes.recipe import HOME, INTRODUCER, NOT_MOUNTED, STORAGE, File, Service, Site, file_text
from laerecover.hosts.recipes.tahoe_files import (
    BUCKET,
    LOWERED,
    introducer_config,
    introducers,
    rclone_config,
    storage_config,
)
from laerecover.hosts.scripts import filled, program
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command

RCLONE_CONF = f"{HOME}/rclone.conf"
OPENSSL_CONF = f"{HOME}/openssl.cnf"

_SETTINGS = f"PATH=/usr/bin:/bin HOME={HOME} LC_ALL=C.UTF-8"


class Tahoe:
    """What the HOWTO's functions made in 2012, made of parts that exist today."""

    joins = True
    identity_files: Mapping[str, str] = {
        "introducer_node_pem": f"{INTRODUCER}/private/node.pem",
        "introducer_furl": f"{INTRODUCER}/private/introducer.furl",
        "server_node_pem": f"{STORAGE}/private/node.pem",
    }

    def before_reboot(self) -> tuple[Command, ...]:
        """What the host must have, then packages."""
        return host_is_fit(modern=True), packages("python3-venv", "rclone", "fuse3", "ca-certificates", modern=True)

    def after_reboot(self, monitor_pubkey: str) -> tuple[Command, ...]:
        """Users, Tahoe-LAFS in a venv, two empty nodes, the place of the mount, three services."""
        return (
            *users(monitor_pubkey),
            Command(name="tahoe-lafs", user="customer", script=_tahoe_lafs()),
            *(
                Command(
                    name=name, user="customer", script=filled("create_node.sh", HOME=HOME, VERB=verb, FOLDER=folder)
                )
                for name, verb, folder in (
                    ("create-introducer", "create-introducer", "introducer"),
                    ("create-node", "create-node", "storageserver"),
                )
            ),
            Command(name="bucket-folder", script=filled("bucket_folder.sh", BUCKET=BUCKET)),
            supervised("introducer", _run("introducer")),
            supervised("bucket", _mount(), ended=filled("end_mount.sh", BUCKET=BUCKET)),
            supervised("storageserver", _mounted(1) + _run("storageserver"), needs="bucket"),
        )

    def patches(self) -> tuple[Command, ...]:
        """Commands of their own, for hosts that an older recipe has installed, too."""
        return (
            Command(name="old-shares", user="customer", script=_python("old_shares.py", "patch", folder="/")),
            Command(name="old-shares-in-force", script=program("restart_storage.sh")),
        )

    def patched(self) -> Command:
        """Of file and running node."""
        return Command(name="patched", user="customer", script=_python("old_shares.py", "ask", folder="/"))

    def services(self, site: Site) -> tuple[Service, ...]:
        """Introducer, mount, storage node."""
        keys, furl_file = site.keys, self.identity_files["introducer_furl"]
        level = Secret(LOWERED if any_weak(keys) else "# Nothing needs lowering here.\n")
        introducer = (
            File(path=OPENSSL_CONF, content=level, mode=0o644),
            File(path=f"{INTRODUCER}/tahoe.cfg", content=introducer_config(site), mode=0o644),
            File(path=self.identity_files["introducer_node_pem"], content=file_text(keys.introducer_node_pem)),
            File(path=furl_file, content=file_text(keys.introducer_furl)),
        )
        storage = (
            File(path=f"{STORAGE}/tahoe.cfg", content=storage_config(site)),
            File(path=f"{STORAGE}/private/introducers.yaml", content=introducers(site)),
            File(path=self.identity_files["server_node_pem"], content=file_text(keys.server_node_pem)),
            File(path=f"{STORAGE}/private/node.privkey", content=file_text(keys.server_node_privkey)),
        )
        return (
            Service(name="introducer", files=introducer, proofs=(_proof("introducer", furl_file, INTRODUCER_PORT),)),
            Service(
                name="bucket",
                files=(File(path=RCLONE_CONF, content=rclone_config(site), mode=0o400),),
                proofs=(Command(name="proof-bucket", user="customer", script=_mounted(NOT_MOUNTED)),),
                preparation=() if site.joining is None else join_shares(RCLONE_CONF, seconds=site.joining),
            ),
            Service(
                name="storageserver",
                files=storage,
                proofs=(_proof("storageserver", f"{STORAGE}/private/storage.furl", STORAGE_PORT),),
            ),
        )

    def announced(self, server_nodeid: str) -> Command:
        """A subscriber on the host itself, by the furl that lies there."""
        arguments = f"{self.identity_files['introducer_furl']} {INTRODUCER_PORT} {shlex.quote(server_nodeid)}"
        return Command(name="announced", user="customer", script=_python("announced.py", arguments, folder="/"))

    def serving(self) -> Command:
        """By the mount's own configuration, and through the mount."""
        script = _python("serving.py", f"{BUCKET} {RCLONE_CONF}", folder="/")
        return Command(name="serving", user="customer", script=script)


def _tahoe_lafs() -> str:
    """The versions that were tried, known by their digests, for Python 3.9 and newer; `make lock` renews them."""
    builders, pinned = program("builders.txt").rstrip("\n"), program("tahoe.txt").rstrip("\n")
    return filled("install_tahoe.sh", HOME=HOME, BUILDERS=builders, PINNED=pinned)


def _alone() -> str:
    return filled("clear_environment.sh", SETTINGS=_SETTINGS).rstrip("\n")


def _mount() -> str:
    return filled("mount_bucket.sh", HOME=HOME, BUCKET=BUCKET, RCLONE_CONF=RCLONE_CONF, ALONE=_alone())


def _mounted(otherwise: int) -> str:
    return filled("wait_for_mount.sh", BUCKET=BUCKET, STATUS=otherwise)


def _run(node: str) -> str:
    return filled("run_node.sh", HOME=HOME, FOLDER=node, OPENSSL_CONF=OPENSSL_CONF, ALONE=_alone())


def _proof(node: str, furl_file: str, port: int) -> Command:
    """Who answers at the port has TubID and swissnum of the furl in the file."""
    return Command(name=f"proof-{node}", user="customer", script=_python("proof.py", f"{furl_file} {port}"))


def _python(name: str, arguments: str, *, folder: str = "") -> str:
    """The program, run in the host's own venv, which it leaves as it is; from `folder`, if it is named."""
    run = f"env -i {_SETTINGS} OPENSSL_CONF={OPENSSL_CONF} {HOME}/venv/bin/python -B - {arguments}"
    return f"{f'cd {folder}{chr(10)}' if folder else ''}{run} <<'LAE_PROGRAM'\n{program(name)}LAE_PROGRAM\n"
