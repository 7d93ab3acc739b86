"""Where the instances of the rig's cloud stand as hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from laerecover.ports.ingress import Ingress


class Hypervisor(Protocol):
    """Where the instances of this cloud stand as hosts."""

    def boot(
        self,
        instance_id: str,
        public_host: str,
        private_host: str,
        user_data: str,
        authorized_key: str,
        *,
        disk: str = "2g",
        without: Sequence[str] = (),
        image: str = "small",
        ingress: Sequence[Ingress] | None = None,
    ) -> None: ...
    def let_in(self, instance_id: str, rules: Sequence[Ingress]) -> None: ...
    def terminate(self, instance_id: str) -> None: ...
    def reboot(self, instance_id: str) -> None: ...
    def console(self, instance_id: str) -> str: ...


class NoHosts:
    """No hosts at all."""

    def boot(
        self,
        *of_the_host: str,
        disk: str = "2g",
        without: Sequence[str] = (),
        image: str = "small",
        ingress: Sequence[Ingress] | None = None,
    ) -> None:
        del of_the_host, disk, without, image, ingress

    def let_in(self, instance_id: str, rules: Sequence[Ingress]) -> None:
        del instance_id, rules

    def terminate(self, instance_id: str) -> None:
        del instance_id

    def reboot(self, instance_id: str) -> None:
        del instance_id

    def console(self, instance_id: str) -> str:
        return f"{instance_id} login: "
