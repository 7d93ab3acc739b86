"""A recipe: what the HOWTO's two functions of a host put on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from laerecover.hosts.identity import NodeKeys
from laerecover.hosts.programs import joining, progress
from laerecover.hosts.programs.below import BRING_BACK
from laerecover.hosts.programs.old_shares import RELEASE, UNKNOWN
from laerecover.manifest import Account, Secret
from laerecover.ports.hosts import Command
from laerecover.text import is_one_line

HOME = "/home/customer"
INTRODUCER = f"{HOME}/introducer"
STORAGE = f"{HOME}/storageserver"
REINSTALL = f"sudo -H -u customer {HOME}/venv/bin/pip install --force-reinstall --no-deps {RELEASE}"
"""What an administrator types on a host whose Tahoe-LAFS is not the release that the recipe `tahoe` knows."""
NOT_MOUNTED = 95
"""Exit status of who has waited for the mount in vain."""
BOOT_NOTE = "/var/lib/lae-recovery/boot-before-reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that must be in place before its service starts for the first time."""

    path: str
    content: Secret
    mode: int = 0o600
    owner: str = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A supervised service with its files; `proofs` are run once it has started, and fail if it is not what it should
    be.
    """

    name: str
    files: tuple[File, ...]
    proofs: tuple[Command, ...] = ()
    preparation: tuple[Command, ...] = ()
    """A phase that is done once the files are in place, before the service first starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One account at its new place.

    `session_token`: whether user and product token travel to the store at `s3_endpoint`.
    """

    account: Account
    public_host: str
    private_host: str
    keys: NodeKeys
    s3_endpoint: str | None = None
    session_token: bool = False
    recovered: bool = False
    """Whether what is served lies below `recovered/` in the bucket."""
    joining: float | None = None
    """How many seconds its shares may take to be joined there first; None if they need not be."""


class Recipe(Protocol):
    """Commands may run twice; whatever is secret is a File, never part of a Command."""

    @property
    def joins(self) -> bool:
        """Whether its hosts can join shares that lie in pieces."""

    @property
    def identity_files(self) -> Mapping[str, str]:
        """Where the host keeps what NodeKeys names: introducer_node_pem, introducer_furl, server_node_pem."""

    def before_reboot(self) -> tuple[Command, ...]:
        """Up to the reboot that a new kernel wants."""

    def after_reboot(self, monitor_pubkey: str) -> tuple[Command, ...]:
        """The users (the HOWTO's monitor_pubkey), the software, two empty nodes, their supervision."""

    def patches(self) -> tuple[Command, ...]:
        """What must be mended in the software that was installed, before a node first starts; one that runs is started
        again.
        """

    def patched(self) -> Command | None:
        """For Host.output: `patched` if that is done and in force, else `stock`, `older` (a node runs that was started
        before) or `unknown`; None: there is nothing to mend.
        """

    def services(self, site: Site) -> tuple[Service, ...]:
        """What runs, in the order of start. Raises ValueError if a value would break a file that it stands in."""

    def announced(self, server_nodeid: str) -> Command | None:
        """For Host.output: the TubIDs of storage nodes that the introducer tells its clients, one a line, each with the
        key (`identity.announced_key`) that signed what it announces.

        `server_nodeid` is waited for, some seconds. None: this recipe's introducer cannot be asked.
        """

    def serving(self) -> Command | None:
        """For Host.output: whether the store lets the host in, whether a share can be read where the node reads it.

        See `programs/serving.py` for what it prints. None: a host of this recipe cannot be asked.
        """


@dataclass(frozen=True, slots=True)
class Problem:
    """What a host lacks: `kind` is for reports, `text` holds the remedy."""

    kind: str
    text: str


PROBLEMS: Mapping[int, Problem] = {
    81: Problem("no_python", "the host has no Python 3.9 or newer with venv; choose an image that has one"),
    82: Problem(
        "no_fuse", "the host has no /dev/fuse, so no bucket can be mounted; choose a kernel or image with FUSE"
    ),
    83: Problem("disk_full", "the host has too little disk space; choose a larger root volume"),
    84: Problem(
        "no_tahoe", "the image has no Tahoe-LAFS of 2012 in /home/customer/LAFS_source; use another recipe or image"
    ),
    85: Problem("identity_differs", "a node answers with another identity than the one put in place; look at the host"),
    86: Problem(
        "service_failed",
        "a node does not answer though it was started; see journalctl, or /var/log/lae-* where there is no systemd",
    ),
    UNKNOWN: Problem(
        "unknown_tahoe",
        "the installed Tahoe-LAFS is not the release whose fault is known, so it may destroy shares of 2014; on the "
        f"host: `{REINSTALL}`; then run again",
    ),
    progress.STALLED: Problem(
        "joining_stalled", "joining its shares came to a halt; run again, and it goes on where it was"
    ),
    joining.CHANGED: Problem(
        "bucket_changed", "somebody else writes to its bucket: find out who, and stop them; then run again"
    ),
    joining.REFUSED: Problem("store_refuses", "mend what the store says, then run again, and it goes on where it was"),
    joining.SERVED: Problem(
        "bucket_served", "what lies below recovered/ in its bucket nobody joined, or a node has served it"
    ),
    joining.NOT_NOW: Problem("store_not_now", "run again later, and it goes on where it was"),
    joining.NOT_BELIEVED: Problem("not_joined", BRING_BACK),
    92: Problem(
        "small_tmp", "the host's /tmp has too little room, though its disk has enough: clear it, or mount a larger one"
    ),
    NOT_MOUNTED: Problem(
        "not_mounted", "the bucket is not mounted, though its service was started; see /home/customer/rclone.log there"
    ),
    96: Problem(
        "no_package",
        "the host's mirrors do not have what is to be installed; enable the part of the distribution that has it "
        "(Ubuntu: universe), or choose another image",
    ),
    97: Problem(
        "no_exec",
        "the host's /home or /var/lib is mounted noexec, so neither Tahoe-LAFS nor what packages bring along can run "
        "there; mount them without it (/tmp may have it), or choose another image",
    ),
}
"""Exit statuses by which a command of a recipe says what is wrong; any other status is just a failed command."""


def one_line(value: str) -> str:
    """The value itself. Raises ValueError if it would become two lines of a configuration file."""
    if not is_one_line(value):
        raise ValueError("a value of the account holds a line break, a control character or a space at its end")
    return value


def file_text(secret: Secret) -> Secret:
    """The text with one newline at its end: in the evidence those of node keys are stripped."""
    return Secret(secret.reveal().rstrip("\n") + "\n")
