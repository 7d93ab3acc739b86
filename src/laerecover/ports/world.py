"""A world is all its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from laerecover.ports.compute import Compute, NodeProbe, Store
from laerecover.ports.hosts import HostConnector
from laerecover.ports.own_side import OwnSide
from laerecover.ports.services import Clock, Mailer, Monitoring, ServerRegister


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
    own_side: OwnSide | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWorld:
    """A world's ports, with its crash points: `point(step, point)`; only the twin has any."""

    world: World
    point: Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldCounts:
    """What a world itself has counted: launches and rows per account, deliveries per Message-ID."""

    instances: dict[str, int]
    rows: dict[str, int]
    mails: dict[str, int]
