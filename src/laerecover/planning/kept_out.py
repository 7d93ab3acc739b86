"""Whom the security group keeps out: customers at the nodes' ports, this program at that of sshd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT
from laerecover.planning.obstacles import Obstacle
from laerecover.ports.compute import Compute, LaunchRequest
from laerecover.ports.ingress import EVERYWHERE, Ingress, covered, sources

_SSH = 22


def kept_out(request: LaunchRequest, customers_from: Sequence[str], compute: Compute) -> Iterator[Obstacle]:
    """Of the group that this launch would use, held against where customers are; nothing of one that does not exist,
    which `Compute.lacks` tells.
    """
    rules = compute.ingress(request)
    if rules is not None:
        yield from _customers(rules, request.security_group, customers_from)
        yield from _ourselves(rules, request.security_group)


def _customers(rules: Sequence[Ingress], group: str, wanted: Sequence[str]) -> Iterator[Obstacle]:
    """Ports that are let in alike are told together."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for port in (INTRODUCER_PORT, STORAGE_PORT):
        by = sources(rules, port)
        if not all(covered(place, by) for place in wanted):
            lacking.setdefault(by, []).append(str(port))
    for by, ports in lacking.items():
        at = " and ".join(ports)
        remedy = f"let in TCP {at} from {', '.join(wanted)}"
        if by:
            message = (
                f"{group} lets in {at} from {', '.join(by)} only: a customer elsewhere would be mailed a dead address"
            )
            remedy += "; or, if all customers are where it lets in, say so by ec2.customers_from in the settings"
        else:
            message = f"{group} lets nobody in at {at}: every customer would be mailed a dead address"
        yield _obstacle(message, remedy)


def _ourselves(rules: Sequence[Ingress], group: str) -> Iterator[Obstacle]:
    """As which address this program comes is known to nobody here."""
    by = sources(rules, _SSH)
    if not by:
        message = f"{group} lets nobody in at {_SSH}: no server could be installed"
        yield _obstacle(message, f"let in TCP {_SSH} from where laerecover runs")
    elif not covered(EVERYWHERE, by):
        message = f"{group} lets in {_SSH} from {', '.join(by)} only, and no server can be installed from elsewhere"
        yield _obstacle(message, "see that laerecover runs there", blocks=False)


def _obstacle(message: str, remedy: str, *, blocks: bool = True) -> Obstacle:
    return Obstacle(what="security group", message=message, remedy=remedy, blocks=blocks)
