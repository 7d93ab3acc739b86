"""The steps in their order; what each tells: typed here, JSON in the ledger, never a secret."""

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
class Recorded:
    """What the ledger keeps, with its types."""

    @classmethod
    def read(cls, values: Values) -> Self:
        """Of what the ledger has. Raises TypeError where something is missing."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values; what may be None is left out where it is, if that is usual."""
        said = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {name: _json(value) for name, (value, usual) in said.items() if value is not None or usual is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed(Recorded):
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
class Addresses(Recorded):
    """Both are set."""

    public_host: str
    private_host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed(Recorded):
    """The boot id after the reboot."""

    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced(Recorded):
    """Who the nodes are; `bucket` as it was found, and what was `joined` there, if there was any."""

    bucket: Values | None = None
    joined: Values | None = None
    introducer_tub_id: str
    server_nodeid: str
    introducer_restored: bool
    storage_restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended(Recorded):
    """The row of serverinfo.csv. `superseded`: the lost server, whose row stays in the file."""

    instance_id: str
    public_host: str
    recorded_at: str
    superseded: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLeft(Recorded):
    """Names below the folder that `--evidence-out` names."""

    log_file: str
    secrets_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted(Recorded):
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
class Watched(Recorded):
    """False if no monitoring is configured. `unwatch`: the lost server's address, for removal."""

    watched: bool
    unwatch: str | None


T = TypeVar("T", bound=Recorded)


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

Known = Mapping[Step[Any], Values]
"""What the earlier steps of a round told."""

STEPS: tuple[Step[Any], ...] = (DEPLOY, WAIT, INSTALL, BOUNCE, APPEND, LEAVE, CONFIRM, MONITOR)
"""In the HOWTO's order. The ledger knows a recovery's steps by place and name: none is moved or renamed."""
ALL_STEPS = (*STEPS, NOTICE)
_NAMED = {step.name: step for step in ALL_STEPS}


def step_named(name: str) -> Step[Any]:
    """The step that the ledger calls so; one that is not in ALL_STEPS if another version had it."""
    return _NAMED.get(name) or Step(name=name, title=name, plain=name, tells=Recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Recorded):
    """What came of one step: its values, or the kind and text of its failure."""

    step: Step[Any]
    ok: bool
    values: Values = field(default_factory=dict)
    kind: str = ""
    message: str = ""
    follow_up: bool = False

    @classmethod
    def read(cls, values: Values) -> Self:
        """Of what the ledger has."""
        return cls(**{**values, "step": step_named(values["step"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOutcome(Recorded):
    """What came of one round: `recovered` or `failed`; what failed; why not even a notice of that could be left."""

    outcome: str
    failures: Sequence[Effect] = ()
    notice_failed: str = ""

    @property
    def unreached(self) -> list[str]:
        """Why its new server did not answer, if it did not."""
        return [failure.message for failure in self.failures if failure.kind == NOT_REACHED]

    @classmethod
    def read(cls, values: Values | None) -> Self:
        """A round that gave nothing has failed."""
        if values is None:
            return cls(outcome="failed")
        failures = tuple(Effect.read(each) for each in values["failures"])
        return cls(outcome=values["outcome"], failures=failures, notice_failed=values["notice_failed"])


def _json(value: Any) -> Any:
    if isinstance(value, Step):
        return value.name
    if isinstance(value, Recorded):
        return value.body
    return [_json(each) for each in value] if isinstance(value, (list, tuple)) else value
