"""Every world there is: the only place that knows both the cloud of runs, the worlds of drills."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from laerecover.adapters.world import RealWorlds
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.hosts.vault import Vault
    from laerecover.ports.world import OpenWorld, WorldCounts
    from laerecover.settings import Settings
    from laerecover.state.state import State


class EveryWorld:
    """Worlds, by the state's mode."""

    def cloud(self, settings: Settings, stop: threading.Event) -> OpenWorld:
        """The real one."""
        return RealWorlds().cloud(settings, stop)

    def open(self, state: State, settings: Settings, vault: Vault, stop: threading.Event) -> OpenWorld:
        """That of a run or of a drill."""
        return _of(state).open(state, settings, vault, stop)

    def counted(self, state: State) -> WorldCounts | None:
        """As that of a run or of a drill says."""
        return _of(state).counted(state)


def _of(state: State) -> Worlds:
    from laerecover.rehearsal.worlds import DrillWorlds

    return DrillWorlds() if state.mode == "drill" else RealWorlds()
