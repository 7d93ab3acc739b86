"""The cloud: instances, their security groups, the customers' buckets, the ports of their nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from laerecover.manifest import Account, Secret
from laerecover.ports.ingress import Ingress


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
    reason: str = ""
    """Why it is in this state, EC2's code in front (`Client.InternalError: …`); "" if it does not say."""
    image: str = ""
    size: str = ""

    @property
    def state_with_reason(self) -> str:
        """The state, and behind it the reason in brackets."""
        return f"{self.state} ({self.reason})" if self.reason else self.state

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


FORBIDDEN = "UnauthorizedOperation"
"""EC2's code where the operator's key may not do something."""
MAY = (
    "let the operator's key do ec2:RunInstances and, for what it launches, ec2:CreateTags: an instance without tags "
    "would be found by nobody"
)
"""What to do about that, where something is to be launched."""


def folded(tag: str) -> str:
    """What two values of a tag have in common that people take for one: they are typed by hand."""
    return tag.strip().casefold()


class Compute(Protocol):
    """EC2, as far as a recovery needs it. Raises Transient, NotFound, Refusal."""

    def launch(self, request: LaunchRequest) -> Instance:
        """Launch one instance; the same request again gives the same instance.

        Refusal kinds: `capacity`, `quota`, `idempotent_mismatch`, `token_spent` (its instance is terminated),
        `ec2_refused`.
        """

    def describe(self, instance_id: str, *, fresh: float = 0.0) -> Instance:
        """The instance as it was at most `fresh` seconds ago; NotFound if the cloud does not know it (yet).

        With `fresh` set to the poll's interval, all who wait share one question an interval.
        """

    def find(self, tags: Mapping[str, str]) -> Sequence[Instance]:
        """All instances, dead ones too, that bear all these tags."""

    def tagged(self, key: str, values: Sequence[str]) -> Sequence[Instance]:
        """Instances, dead ones too, whose tag `key` is one of these values, both `folded`; asked in few questions."""

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

    def listing(self, account: Account) -> Iterator[tuple[str, int, str, str, str]]:
        """The objects in the account's bucket, by the account's own keys.

        Name, bytes, ETag, when it was written (ISO 8601, UTC), storage class or "", in the order of the names' bytes.

        Refusal (`data_unreachable`, with the store's own code): wrong keys, no such bucket, no listing at all.
        Transient: nobody answered.
        """

    def read(self, account: Account, name: str, largest: int) -> bytes | None:
        """An object of the bucket, and of one that is larger a byte more than `largest`; None if there is none of that
        name.

        Raises as `listing`.
        """

    def versioned(self, account: Account) -> bool | None:
        """Whether the bucket keeps what is overwritten and deleted; None if the account's own keys may not ask."""


class NodeProbe(Protocol):
    """The ports of Tahoe-LAFS nodes."""

    def tub_id(self, public_host: str, port: int, *, wanted: str) -> str:
        """The TubID that answers there when asked for `wanted`; Transient: nobody, Refusal: it knows no such tub."""
