"""What the steps need of the world: Compute, HostConnector, Mailer, ServerRegister, Monitoring, Clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from laerecover.ingress import Ingress as Ingress
from laerecover.manifest import Account, Secret
from laerecover.refusals import MAIL_ABOUT_US as MAIL_ABOUT_US
from laerecover.refusals import MailInDoubt as MailInDoubt
from laerecover.refusals import NotFound as NotFound
from laerecover.refusals import NotListening as NotListening
from laerecover.refusals import Refusal as Refusal
from laerecover.refusals import Transient as Transient
from laerecover.refusals import WorldError as WorldError

# --- compute -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """One RunInstances. Equal tokens must carry equal bytes (EC2: IdempotentParameterMismatch)."""

    client_token: str
    tags: Mapping[str, str]
    ami_image_id: str
    instance_size: str
    admin_keypair_name: str
    security_group: str
    subnet: str | None = None
    zone: str | None = None
    user_data: Secret | None = None


RECOVERED_TAG = "lae-recovered"
"""When its account was recovered: such an instance is nobody's to clean up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What the cloud says of one instance; `state` is EC2's word. Hosts are None until they are assigned."""

    instance_id: str
    state: str
    launch_time: str
    public_host: str | None = None
    private_host: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def dead(self) -> bool:
        """Shutting down or terminated: it never comes back."""
        return self.state in ("shutting-down", "terminated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Something that a launch would want and the cloud has not."""

    what: str
    message: str
    remedy: str


class Compute(Protocol):
    """EC2, as far as a recovery needs it. Raises Transient, NotFound, Refusal."""

    def launch(self, request: LaunchRequest) -> Instance:
        """Launch one instance; the same request again gives the same instance.

        Refusal kinds: `capacity`, `quota`, `idempotent_mismatch`, `token_spent` (its instance is terminated), `ec2_refused`.
        """

    def describe(self, instance_id: str, *, fresh: float = 0.0) -> Instance:
        """The instance as it was at most `fresh` seconds ago; NotFound if the cloud does not know it (yet).

        With `fresh` set to the poll's interval, all who wait share one question an interval.
        """

    def find(self, tags: Mapping[str, str]) -> Sequence[Instance]:
        """All instances, dead ones too, that bear all these tags."""

    def tagged(self, key: str, values: Sequence[str]) -> Sequence[Instance]:
        """All instances, dead ones too, whose tag `key` is one of these values to the letter; asked in few questions."""

    def known(self, instance_ids: Sequence[str]) -> Mapping[str, Instance]:
        """Those of the ids that the cloud knows, dead or alive, asked at once and completely."""

    def console(self, instance_id: str) -> str:
        """What the machine printed at its console; empty while the cloud has none yet."""

    def terminate(self, instance_id: str) -> None:
        """End the instance for good."""

    def tag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Have the instance bear these tags, too."""

    def identity(self) -> str:
        """Whose cloud this is: the account's number."""

    def lacks(self, request: LaunchRequest) -> Sequence[Lack]:
        """What stands in the way of this launch, by read-only questions and a dry run."""

    def ingress(self, request: LaunchRequest) -> Sequence[Ingress] | None:
        """What the security group of this launch lets in; None if there is no such group, which `lacks` tells."""

    def room(self, instance_size: str) -> int | None:
        """How many more instances of this size the quota allows; None if the cloud does not tell."""


class Store(Protocol):
    """The customers' buckets."""

    def keys(self, account: Account) -> Iterator[str]:
        """Names of the objects in the account's bucket, by the account's own keys.

        Refusal (`data_unreachable`): wrong keys, no such bucket. Transient: nobody answered.
        """


class NodeProbe(Protocol):
    """The ports of Tahoe-LAFS nodes."""

    def tub_id(self, public_host: str, port: int, *, wanted: str) -> str:
        """The TubID that answers there when asked for `wanted`; Transient: nobody, Refusal: it knows no such tub."""


# --- hosts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """What a host tells of a file without sending it."""

    sha256: str
    owner: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A named script that may be run twice; when done, the host keeps its digest in a marker file."""

    name: str
    script: str
    user: str = "root"

    @property
    def marker(self) -> str:
        """Where the host keeps the proof that this command was done."""
        return f"/var/lib/lae-recovery/{self.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of what would be run: another script is another command."""
        return hashlib.sha256(f"{self.user}\n{self.script}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What came of one command: its exit status, the cleaned end of its output. `skipped`: its marker stood already."""

    name: str
    status: int
    tail: str = ""
    skipped: bool = False


class Host(Protocol):
    """One connection to one host. Raises Transient, NotListening, Refusal."""

    def boot_id(self) -> str:
        """The kernel's boot id: another one after every boot."""

    def stat(self, paths: Sequence[str]) -> Mapping[str, FileFact]:
        """Those of `paths` that exist."""

    def read(self, path: str) -> Secret:
        """A file's text."""

    def write(self, path: str, content: Secret, *, owner: str, mode: int) -> None:
        """Put a file in place by rename: never half a file, never a wider mode."""

    def run(self, commands: Sequence[Command]) -> Sequence[CommandResult]:
        """Run one phase in order; a result per command, up to the first whose status is not 0.

        A command whose marker holds its digest is skipped, a marker is written after each that ended with 0. The phase
        outlives the connection: after a Transient the same commands find it running, or find its results.
        """

    def output(self, command: Command) -> str:
        """What a short script prints now: it is run each time, for it leaves no marker.

        Refusal (`command_failed`) if its exit status is not 0.
        """

    def running(self, service: str) -> bool:
        """Whether the service runs now."""

    def start(self, service: str) -> None:
        """Start the service, now and at every boot; no effect if it runs."""

    def reload_sshd(self) -> None:
        """Have sshd read its host keys anew; connections that stand keep the old one."""

    def reboot(self) -> None:
        """Ask for a reboot; the connection is gone afterwards."""

    def close(self) -> None:
        """Close the connection."""


class HostConnector(Protocol):
    """Opens connections to hosts whose key is known beforehand."""

    def connect(self, public_host: str, *, user: str, host_key: str) -> Host:
        """Connect as `user`; `host_key` is the pinned public key. NotListening, Transient, Refusal (`host_key`)."""


# --- mail, register, monitoring, time ------------------------------------------------------------


class Mailer(Protocol):
    """Hands a message to a mail server over TLS."""

    def send(self, message: EmailMessage) -> None:
        """Transient: surely not taken. MailInDoubt: nobody knows.

        Refusal: surely not taken, and it is about this mail (`mail_refused`), or about us (MAIL_ABOUT_US).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRow:
    """One line of serverinfo.csv: time of recording, launch_time, instance_id, publichost."""

    recorded_at: str
    launch_time: str
    instance_id: str
    public_host: str


class ServerRegister(Protocol):
    """serverinfo.csv."""

    def rows(self) -> Sequence[ServerRow]:
        """All rows, oldest first."""

    def append(self, row: ServerRow) -> None:
        """Add one row; none is added if the instance has one."""


class Monitoring(Protocol):
    """The zenoss server."""

    def watches(self, public_host: str) -> bool:
        """Whether the host is monitored."""

    def watch(self, public_host: str) -> None:
        """Monitor the host."""


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The time, UTC-aware."""

    def monotonic(self) -> float:
        """Seconds that never jump; they stand still while the machine sleeps."""

    def sleep(self, seconds: float) -> None:
        """Wait; raises Stopped as soon as somebody asks to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All ports of one world, the real one or the twin."""

    compute: Compute
    hosts: HostConnector
    mailer: Mailer
    register: ServerRegister
    monitoring: Monitoring | None
    clock: Clock
    store: Store | None = None
    nodes: NodeProbe | None = None
