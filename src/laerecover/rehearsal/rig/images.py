"""The images that hosts of the rig are booted from: what each has, where the cache keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from laerecover.hosts.scripts import program

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
DEBIAN13 = ("cron", "openssh-server", "sudo-rs")
"""What the image `debian13` has beyond that: OpenSSH 10, sudo-rs as its sudo; its /tmp is a tmpfs."""
HARDENED = ("apt-utils", "needrestart")
"""What the image `hardened` has beyond `systemd`, as guides for hardening and server images have it: needrestart, and
debconf's questions before the packages; /tmp, /var/tmp and /dev/shm noexec; a locale that nobody generated.
"""
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
NEWER = "debian13"
WHEN_WANTED = (NEWER, "hardened")
"""Images that are made when they are first wanted, each in a folder of its own below that of Debian 12."""
SCRIPTS = ("more.sh", "today.sh", "systemd.sh")


@dataclass(frozen=True, slots=True)
class Debian:
    """A release, with the version of its Python; `base`: what its debootstrap can bring, apt brings the rest."""

    suite: str
    python: str
    base: Sequence[str]
    packages: Sequence[str]


BOOKWORM = Debian("bookworm", "3.11", (*BASE, *COMPILER), PACKAGES)
TRIXIE = Debian("trixie", "3.13", tuple(p for p in BASE if p not in DEBIAN13), ("fuse3", "python3-venv", "rclone"))


@dataclass(frozen=True, slots=True)
class Image:
    """Where it lies below the cache's folder; `systemd`: whether that is its first process, with a private address."""

    root: str
    debs: str = "debs"
    wheels: str = "wheels"
    systemd: bool = False


def image_of(name: str) -> Image:
    """The image of that name: `small`, `today`, `systemd`, `debian13`, `hardened`. KeyError if there is none."""
    if name in WHEN_WANTED:
        folder = folder_wanted(name)
        if name != NEWER:
            return Image(f"{folder}/root", systemd=True)
        return Image(f"{folder}/root", f"{folder}/debs", f"{folder}/wheels", systemd=True)
    return {"small": Image("root"), "today": Image("today"), "systemd": Image("systemd", systemd=True)}[name]


def folder_of_all() -> str:
    """The folder of all that is Debian 12, named by what it is made of."""
    made_of = [BOOKWORM.suite, BASE, COMPILER, PACKAGES, TODAY, SYSTEMD, *map(script, SCRIPTS), _wheels(), FILES, 5]
    return _digest(made_of)


@cache
def folder_wanted(name: str) -> str:
    """The same of an image that is made when it is wanted, below the folder of Debian 12."""
    if name == NEWER:
        made_of = [TRIXIE.suite, TRIXIE.base, TRIXIE.packages, COMPILER, SYSTEMD, DEBIAN13, _wheels(), FILES]
        return f"{name}-{_digest([*made_of, script('more.sh'), script('systemd.sh'), script('debian13.sh')])}"
    return f"{name}-{_digest([HARDENED, script('hardened.sh')])}"


def _wheels() -> list[str]:
    """What pip is to install, in the order of installing."""
    return [program(name) for name in (BUILDERS, TAHOE, JOINING)]


def script(name: str) -> str:
    """One of the shell scripts that make an image."""
    return resources.files("laerecover.rehearsal.rig").joinpath(name).read_text("utf-8")


def _digest(made_of: object) -> str:
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]
