"""The cached parts of every host: small Debians, folders of packages, folders of wheels."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.hosts.scripts import program
from laerecover.rehearsal.rig.images import (
    BOOKWORM,
    BUILDERS,
    COMPILER,
    DEBIAN13,
    FILES,
    HARDENED,
    JOINING,
    SYSTEMD,
    TAHOE,
    TODAY,
    TRIXIE,
    WHEN_WANTED,
    Debian,
    folder_of_all,
    folder_wanted,
    script,
)
from laerecover.rehearsal.rig.tools import do

SUDOERS = "etc/sudoers.d/90-cloud-init-users"
_SECONDS = 900.0


def prepare(say: Callable[[str], None], *, images: Collection[str] = ()) -> Path:
    """The folder with the images, `debs` and `wheels`, made once for these inputs: three minutes, and it needs the
    network. Of WHEN_WANTED only those that `images` names are made, within it.

    Raises LaeRecoverError if a tool fails or this Python is not the hosts' one.
    """
    folder = Path(os.environ.get("LAE_RIG_CACHE") or Path.home() / ".cache/lae-recovery/rig")
    place = folder / folder_of_all()
    _once(place, _make, say)
    for name, make in zip(WHEN_WANTED, (_make_newer, _make_hardened), strict=True):
        if name in images:
            _once(place / folder_wanted(name), make, say)
    return place


def _once(place: Path, make: Callable[[Path, Callable[[str], None]], None], say: Callable[[str], None]) -> None:
    """Make it in a temporary folder, which is renamed when it is whole."""
    if place.is_dir():
        return
    if sys.version_info[:2] != tuple(map(int, BOOKWORM.python.split("."))):
        raise LaeRecoverError(
            "the wheels for the rig's hosts are made by Python 3.11",
            where=sys.executable,
            next_step="run the rig with Python 3.11",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with _alone(place.parent):
        if place.is_dir():
            return
        temporary = Path(tempfile.mkdtemp(prefix="making-", dir=place.parent))
        # The hosts' own users read it, too; laerecover's umask lets nobody but its owner.
        umask = os.umask(0o022)
        try:
            temporary.chmod(0o755)
            make(temporary, say)
            temporary.rename(place)
        finally:
            os.umask(umask)
            shutil.rmtree(temporary, ignore_errors=True)


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


def _make(temporary: Path, say: Callable[[str], None]) -> None:
    say("rig: making the hosts' Debian (once, about a minute)")
    _make_root(temporary / "root", BOOKWORM)
    for name, packages in (("today", TODAY), ("systemd", SYSTEMD)):
        do(["cp", "--archive", "--reflink=auto", str(temporary / "root"), str(temporary / name)], seconds=_SECONDS)
        _make_image(temporary / name, packages, f"{name}.sh")
    say("rig: fetching packages and wheels for the hosts (once, about half a minute)")
    _fetch_packages(temporary / "root", temporary / "debs", BOOKWORM)
    _write_files(*(temporary / name for name in ("root", "today", "systemd")))
    _fetch_wheels(temporary / "wheels", BOOKWORM)


def _make_newer(temporary: Path, say: Callable[[str], None]) -> None:
    say("rig: making the hosts' Debian 13 (once, about three minutes)")
    root = temporary / "root"
    _make_root(root, TRIXIE)
    _make_image(root, (*SYSTEMD, *DEBIAN13, *COMPILER), "systemd.sh", "debian13.sh")
    _fetch_packages(root, temporary / "debs", TRIXIE)
    _write_files(root)
    _fetch_wheels(temporary / "wheels", TRIXIE)


def _make_hardened(temporary: Path, say: Callable[[str], None]) -> None:
    """Out of the small Debian beside it, which knows only its local packages by now."""
    say("rig: making the hosts' hardened Debian (once, about a minute)")
    root = temporary / "root"
    do(["cp", "--archive", "--reflink=auto", str(temporary.parent / "root"), str(root)], seconds=_SECONDS)
    (root / "etc/apt/sources.list").write_text(f"deb http://deb.debian.org/debian {BOOKWORM.suite} main\n")
    _make_image(root, (*SYSTEMD, *HARDENED), "systemd.sh", "hardened.sh")
    _write_files(root)


def _make_root(root: Path, release: Debian) -> None:
    include = f"--include={','.join(release.base)}"
    do(
        ["debootstrap", "--variant=minbase", include, release.suite, str(root)],
        seconds=_SECONDS,
        what="making the hosts' Debian",
    )
    do(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "ubuntu"])
    (root / SUDOERS).write_text("ubuntu ALL=(ALL) NOPASSWD:ALL\n")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


def _make_image(root: Path, packages: Sequence[str], *scripts: str) -> None:
    what = f"making the hosts' image `{root.name}`"
    do(["sh", "-c", script("more.sh"), "more", str(root), *packages], seconds=_SECONDS, what=what)
    for name in scripts:
        do(["sh", "-c", script(name), name, str(root)], seconds=_SECONDS, what=what)


def _fetch_packages(root: Path, debs: Path, release: Debian) -> None:
    """Debian's own apt chooses what belongs to the packages; afterwards the hosts know of the local folder only."""
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    archives = root / "var/cache/apt/archives"
    do(["chroot", str(root), "apt-get", "-q", "update"], seconds=_SECONDS)
    do(["chroot", str(root), "apt-get", "clean"])
    fetch = ["apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install", *release.packages]
    do(["chroot", str(root), *fetch], seconds=_SECONDS, what="fetching the hosts' packages")
    debs.mkdir(mode=0o755)
    for deb in archives.glob("*.deb"):
        shutil.move(deb, debs / deb.name)
    index = do(["dpkg-scanpackages", "--multiversion", "."], folder=debs)
    (debs / "Packages").write_text(index)
    for stale in (root / "var/lib/apt/lists").glob("*_*"):
        stale.unlink()


def _write_files(*roots: Path) -> None:
    for name, text in FILES.items():
        for root in roots:
            (root / name).write_text(text)
            (root / name).chmod(0o644)


def _fetch_wheels(wheels: Path, release: Debian) -> None:
    """As PyPI has them, so that their digests are the pinned ones: a source stays one, and hosts build it.

    `tahoe.txt` and the others name all that is needed, for this Python as for the hosts'.
    """
    wheels.mkdir(mode=0o755)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--dest", str(wheels)]
    if release is not BOOKWORM:
        command += ["--no-deps", "--python-version", release.python]
    for name in (BUILDERS, TAHOE, JOINING):
        (wheels / name).write_text(program(name))
        do([*command, "--requirement", str(wheels / name)], seconds=_SECONDS, what="fetching the hosts' wheels")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
