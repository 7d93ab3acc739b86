"""What a security group lets in, held against whom a recovered server must be reached by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """TCP ports `first` to `last` are let in from `source`: a range of IPv4 addresses, or the cloud's list of some (`pl-…`).

    What is let in from other groups, or by IPv6, is none: nobody comes to a public IPv4 address that way.
    """

    first: int
    last: int
    source: str


def sources(rules: Iterable[Ingress], port: int) -> tuple[str, ...]:
    """From where the port is let in: ranges joined where they touch, then lists of the cloud's, whose content is not known."""
    found = {rule.source for rule in rules if rule.first <= port <= rule.last}
    ranges = [network for source in found if (network := network_of(source)) is not None]
    return (*map(str, collapse_addresses(ranges)), *sorted(source for source in found if network_of(source) is None))


def covered(wanted: str, by: Sequence[str]) -> bool:
    """Whether everybody in the range `wanted` (or the very list of that name) is among those `sources`."""
    network = network_of(wanted)
    if network is None:
        return wanted in by or EVERYWHERE in by
    return any(other is not None and network.subnet_of(other) for other in map(network_of, by))


def network_of(text: str) -> IPv4Network | None:
    """The range that this text says in CIDR notation; None if it says none."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None
