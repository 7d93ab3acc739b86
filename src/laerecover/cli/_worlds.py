"""Every world there is: the only place that knows both the cloud of runs, the worlds of drills."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from laerecover.adapters.world import RealWorlds
from laerecover.cli._show import show_progress
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.hosts.vault import Vault
    from laerecover.ports.world import OpenWorld, WorldCounts
    from laerecover.settings import Settings
    from laerecover.state.state import State


class EveryWorld:
    """Worlds, by the state's mode. `heard` is told when the cloud lets people wait."""

    def __init__(self, heard: Callable[[str], None] = show_progress) -> None:
        self._heard = heard

    def cloud(self, settings: Settings, stop: threading.Event) -> OpenWorld:
        """The real one."""
        return RealWorlds(self._heard).cloud(settings, stop)

    def open(self, state: State, settings: Settings, vault: Vault, stop: threading.Event) -> OpenWorld:
        """That of a run or of a drill."""
        return self._of(state).open(state, settings, vault, stop)

    def counted(self, state: State) -> WorldCounts | None:
        """As that of a run or of a drill says."""
        return self._of(state).counted(state)

    def _of(self, state: State) -> Worlds:
        from laerecover.rehearsal.worlds import DrillWorlds

        return DrillWorlds() if state.mode == "drill" else RealWorlds(self._heard)
