"""Where the instances of the rig's cloud stand as hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from laerecover.ports.ingress import Ingress


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHost:
    """What a host is to be. `authorized_key` None: the rig's own administrator logs in.

    `disk`: what may be written, in tmpfs's words; `without`: "fuse", "python"; `image`: see `images.image_of`;
    `vendor_data`: for `today` alone; `ingress`: who is let in, None: everybody. `private_address`: the one that the
    host has, its public one is translated, as EC2 does; "" if it has the public one itself.
    """

    instance_id: str
    public_host: str
    private_host: str
    private_address: str = ""
    user_data: str = ""
    authorized_key: str | None = None
    disk: str = "2g"
    without: Sequence[str] = ()
    image: str = "small"
    vendor_data: str = ""
    ingress: Sequence[Ingress] | None = None


class Hypervisor(Protocol):
    """Where the instances of this cloud stand as hosts."""

    def boot(self, new: NewHost) -> None: ...
    def let_in(self, instance_id: str, rules: Sequence[Ingress]) -> None: ...
    def terminate(self, instance_id: str) -> None: ...
    def reboot(self, instance_id: str) -> None: ...
    def console(self, instance_id: str) -> str: ...


class NoHosts:
    """A hypervisor that boots nothing."""

    def boot(self, new: NewHost) -> None:
        del new

    def let_in(self, instance_id: str, rules: Sequence[Ingress]) -> None:
        del instance_id, rules

    def terminate(self, instance_id: str) -> None:
        del instance_id

    def reboot(self, instance_id: str) -> None:
        del instance_id

    def console(self, instance_id: str) -> str:
        return f"{instance_id} login: "
