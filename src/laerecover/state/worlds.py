"""Which world a state works on, asked of whoever knows all of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from laerecover.hosts.vault import Vault
from laerecover.ports.world import OpenWorld, WorldCounts
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.settings import Settings


class Worlds(Protocol):
    """The cloud for runs; for drills the twin or a rig, which only the shell knows of."""

    def cloud(self, settings: Settings, stop: threading.Event) -> OpenWorld:
        """The real world, where no state says which. Nothing is connected yet."""

    def open(self, state: State, settings: Settings, vault: Vault, stop: threading.Event) -> OpenWorld:
        """The world that this state works on. Raises LaeRecoverError if it is a rig that has ended."""

    def counted(self, state: State) -> WorldCounts | None:
        """What its world has counted; None where nobody has: then ledger, register and outbox are asked."""
