"""The steps in their order; what each tells: typed here, JSON values in the ledger, never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Self, TypeVar

from laerecover.mail.dialling import NOT_REACHED
from laerecover.mail.outbox import Mail

Values = Mapping[str, Any]
"""What a step tells, as the ledger keeps it. A recovery that an older version began may have other names in it."""

CAPACITY, NOT_LISTENING, INSTANCE_DIED = "capacity", "not_listening", "instance_died"
"""Kinds of failure after which the runbook goes on by itself: another offer, another try, another instance."""
TO_LISTEN = "the host to listen"
"""What is waited for after each NOT_LISTENING."""
GUARD_KINDS = ("max_instances", "quota", NOT_REACHED)
"""Kinds of failure after which nothing further is started."""


@dataclass(frozen=True, slots=True)
class StepValues:
    """JSON values with their types; those that have a default are left out where they have it."""

    @classmethod
    def read(cls, values: Values) -> Self:
        """Of what the ledger has. Raises TypeError where something is missing."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})

    @property
    def body(self) -> dict[str, Any]:
        """For the ledger."""
        said = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {name: value for name, (value, usual) in said.items() if value is not usual}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed(StepValues):
    """The account's one living instance. `former`: ids of its dead predecessors; the keys are public halves."""

    instance_id: str
    launch_time: str
    generation: int
    attempt: int
    size: str | None
    zone: str | None
    subnet: str | None
    former: Sequence[str]
    client_token: str
    host_key: str
    boot_host_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses(StepValues):
    """Both are set."""

    public_host: str
    private_host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed(StepValues):
    """The boot id after the reboot."""

    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced(StepValues):
    """Who the nodes are; `bucket` as it was found, and what was `joined` there, if there was any."""

    bucket: Values | None = None
    joined: Values | None = None
    introducer_tub_id: str
    server_nodeid: str
    introducer_restored: bool
    storage_restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended(StepValues):
    """The row of serverinfo.csv. `superseded`: the lost server, whose row stays in the file."""

    instance_id: str
    public_host: str
    recorded_at: str
    superseded: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLeft(StepValues):
    """Names below the folder that `--evidence-out` names."""

    log_file: str
    secrets_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted(StepValues):
    """A mail, and its state; `dialled`: whether the new server was, before."""

    message_id: str
    kind: str
    mail: str
    dialled: bool | None = None

    @classmethod
    def of(cls, mail: Mail, *, dialled: bool | None = None) -> Posted:
        """That mail, as it stands."""
        return cls(message_id=mail.message_id, kind=mail.kind, mail=mail.state, dialled=dialled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(StepValues):
    """False if no monitoring is configured. `unwatch`: the lost server's address, for removal."""

    watched: bool
    unwatch: str | None


T = TypeVar("T", bound=StepValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[T]):
    """A function of the HOWTO: its name in the ledger, in few letters, in plain words; what it tells."""

    name: str
    title: str
    plain: str
    tells: type[T]


DEPLOY = Step(name="deploy_ec2_instance", title="launch", plain="the launch of its server", tells=Deployed)
WAIT = Step(name="wait_for_ec2_addresses", title="address", plain="waiting for the new address", tells=Addresses)
INSTALL = Step(name="install_server", title="install", plain="the installation", tells=Installed)
BOUNCE = Step(name="bounce_server", title="bounce", plain="the start with its keys", tells=Bounced)
APPEND = Step(name="append_record", title="record", plain="the entry in the register", tells=Appended)
LEAVE = Step(name="leave_evidence", title="evidence", plain="the evidence for the next time", tells=EvidenceLeft)
CONFIRM = Step(name="send_signup_confirmation", title="mail", plain="the mail", tells=Posted)
MONITOR = Step(name="notify_zenoss", title="zenoss", plain="the monitoring", tells=Watched)
NOTICE = Step(name="send_notify_failure", title="notice", plain="the notice to the staff", tells=Posted)

STEPS: tuple[Step[Any], ...] = (DEPLOY, WAIT, INSTALL, BOUNCE, APPEND, LEAVE, CONFIRM, MONITOR)
"""In the HOWTO's order. The ledger knows a recovery's steps by place and name: none is moved or renamed."""
NAMES = tuple(step.name for step in STEPS)
ALL_NAMES = (*NAMES, NOTICE.name)
TITLES = {step.name: step.title for step in (*STEPS, NOTICE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of one step: its values, or the kind and text of its failure. This is what the ledger keeps."""

    step: str
    ok: bool
    values: Values = field(default_factory=dict)
    kind: str = ""
    message: str = ""
    follow_up: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOutcome:
    """What came of one round: `recovered` or `failed`; what failed; why not even a notice of that could be left."""

    outcome: str
    failures: Sequence[Effect] = ()
    notice_failed: str = ""

    @property
    def unreached(self) -> list[str]:
        """Why its new server did not answer, if it did not."""
        return [failure.message for failure in self.failures if failure.kind == NOT_REACHED]

    @classmethod
    def read(cls, output: object) -> RoundOutcome:
        """Of what the engine kept; a round that gave nothing has failed."""
        if not isinstance(output, dict):
            return cls(outcome="failed")
        failures = tuple(Effect(**failure) for failure in output["failures"])
        return cls(outcome=output["outcome"], failures=failures, notice_failed=output["notice_failed"])

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values."""
        failures = [effect.body for effect in self.failures]
        return {"outcome": self.outcome, "failures": failures, "notice_failed": self.notice_failed}
