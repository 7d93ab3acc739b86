"""The cached parts of every host: a small Debian, a folder of packages, a folder of wheels."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.hosts.scripts import program
from laerecover.rehearsal.rig.tools import do

SUITE = "bookworm"
BASE = ("busybox", "ca-certificates", "cron", "iproute2", "openssh-server", "procps", "python3", "sudo")
"""What a small cloud image has; nothing that a recipe installs is among it."""
COMPILER = ("gcc", "libc6-dev", "python3-dev")
"""What every host would fetch and unpack for one small package that PyPI has as source only: hosts find it there."""
PACKAGES = ("fuse3", "python3-venv", "rclone", "runit", "runit-run")
"""What recipes install, offered to the hosts from a local folder with all that it depends on."""
TODAY = ("cloud-init", "rust-coreutils")
"""What the image `today` has besides: its first boot is cloud-init's, which lets in the image's own user, `debian`,
unless it is told otherwise; its small programs are uutils', as on Ubuntu from 25.10 on.
"""
SYSTEMD = ("cloud-init", "dbus", "libpam-systemd", "systemd-sysv")
"""What the image `systemd` has besides: systemd is its first process, cloud-init's data source is the metadata service,
which hands out the user data, and its own user is `admin`.
"""
IMAGES = {"small": "root", "today": "today", "systemd": "systemd"}
"""An image's folder in the cache."""
BUILDERS, TAHOE, JOINING = "builders.txt", "tahoe.txt", "joining.txt"
"""What recipes have pip install, with hashes; in the order of installing."""
FILES = {
    "etc/apt/sources.list": "deb [trusted=yes] file:/srv/debs ./\n",
    "etc/pip.conf": "[global]\nno-index = true\nfind-links = /srv/wheels\ndisable-pip-version-check = "
    "true\n[install]\nno-compile = no\n",
    "etc/apt/apt.conf.d/90lean": 'Acquire::Languages "none";\n',
    "etc/resolv.conf": "",
    "etc/machine-id": "",
}
SUDOERS = "etc/sudoers.d/90-cloud-init-users"
_SCRIPTS = ("more.sh", "today.sh", "systemd.sh")
_PYTHON = (3, 11)
_SECONDS = 900.0


def prepare(say: Callable[[str], None]) -> Path:
    """The folder with the images, `debs` and `wheels`, made once for these inputs: three minutes, and it needs the
    network.

    Raises LaeRecoverError if a tool fails or this Python is not the hosts' one.
    """
    folder = Path(os.environ.get("LAE_RIG_CACHE") or Path.home() / ".cache/lae-recovery/rig")
    pinned = [program(name) for name in (BUILDERS, TAHOE, JOINING)]
    inputs = json.dumps(
        [SUITE, BASE, COMPILER, PACKAGES, TODAY, SYSTEMD, *map(_script, _SCRIPTS), pinned, FILES, 4]
    ).encode()
    place = folder / hashlib.sha256(inputs).hexdigest()[:16]
    if place.is_dir():
        return place
    if sys.version_info[:2] != _PYTHON:
        raise LaeRecoverError(
            "the wheels for the rig's hosts are made by Python 3.11",
            where=sys.executable,
            next_step="run the rig with Python 3.11",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if not place.is_dir():
            _make(folder, place, say)
    return place


def client_program(say: Callable[[str], None]) -> Path:
    """A customer's `tahoe`, made once out of the hosts' wheels: half a minute. Raises LaeRecoverError."""
    place = prepare(say)
    client = place.parent / f"client-{place.name}"
    with _alone(place.parent):
        if not (client / "whole").exists():
            say("rig: making a customer's client (once, about half a minute)")
            do([sys.executable, "-m", "venv", "--clear", str(client)], seconds=_SECONDS)
            wheels, build = place / "wheels", ["--use-pep517", "--no-build-isolation"]
            install = [str(client / "bin/pip"), "install", "--quiet", "--no-index", "--find-links", str(wheels)]
            for name in (BUILDERS, TAHOE):
                pinned = ["--require-hashes", "--requirement", str(wheels / name)]
                do([*install, *build, *pinned], seconds=_SECONDS, what="making a customer's client")
            (client / "whole").touch()
    return client / "bin" / "tahoe"


def _make(folder: Path, place: Path, say: Callable[[str], None]) -> None:
    """Everything into a temporary folder, which is renamed when it is whole."""
    temporary = Path(tempfile.mkdtemp(prefix="making-", dir=folder))
    try:
        temporary.chmod(0o755)
        say("rig: making the hosts' Debian (once, about a minute)")
        _make_root(temporary / "root")
        _make_image(temporary / "root", temporary / "today", TODAY)
        _make_image(temporary / "root", temporary / "systemd", SYSTEMD)
        say("rig: fetching packages and wheels for the hosts (once, about half a minute)")
        _fetch_packages(temporary, temporary / "debs")
        _fetch_wheels(temporary / "wheels")
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _make_root(root: Path) -> None:
    include = f"--include={','.join((*BASE, *COMPILER))}"
    do(
        ["debootstrap", "--variant=minbase", include, SUITE, str(root)],
        seconds=_SECONDS,
        what="making the hosts' Debian",
    )
    do(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "ubuntu"])
    (root / SUDOERS).write_text("ubuntu ALL=(ALL) NOPASSWD:ALL\n")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


def _make_image(small: Path, root: Path, packages: Sequence[str]) -> None:
    do(["cp", "--archive", "--reflink=auto", str(small), str(root)], seconds=_SECONDS)
    what = f"making the hosts' image `{root.name}`"
    do(["sh", "-c", _script("more.sh"), "more", str(root), *packages], seconds=_SECONDS, what=what)
    do(["sh", "-c", _script(f"{root.name}.sh"), root.name, str(root)], seconds=_SECONDS, what=what)


def _script(name: str) -> str:
    return resources.files("laerecover.rehearsal.rig").joinpath(name).read_text("utf-8")


def _fetch_packages(place: Path, debs: Path) -> None:
    """Debian's own apt chooses what belongs to the packages; afterwards the hosts know of the local folder only."""
    root = place / "root"
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    archives = root / "var/cache/apt/archives"
    do(["chroot", str(root), "apt-get", "-q", "update"], seconds=_SECONDS)
    do(["chroot", str(root), "apt-get", "clean"])
    fetch = ["apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install", *PACKAGES]
    do(["chroot", str(root), *fetch], seconds=_SECONDS, what="fetching the hosts' packages")
    debs.mkdir(mode=0o755)
    for deb in archives.glob("*.deb"):
        shutil.move(deb, debs / deb.name)
    index = do(["dpkg-scanpackages", "--multiversion", "."], folder=debs)
    (debs / "Packages").write_text(index)
    for stale in (root / "var/lib/apt/lists").glob("*_*"):
        stale.unlink()
    for name, text in FILES.items():
        for image in IMAGES.values():
            (place / image / name).write_text(text)
            (place / image / name).chmod(0o644)


def _fetch_wheels(wheels: Path) -> None:
    """As PyPI has them, so that their digests are the pinned ones: a source stays one, and hosts build it."""
    wheels.mkdir(mode=0o755)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--dest", str(wheels)]
    for name in (BUILDERS, TAHOE, JOINING):
        (wheels / name).write_text(program(name))
        do([*command, "--requirement", str(wheels / name)], seconds=_SECONDS, what="fetching the hosts' wheels")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
