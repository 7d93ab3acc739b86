"""The worlds of drills: the twin in a file, a rig on this machine."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from laerecover.adapters.clock import SystemClock
from laerecover.adapters.world import open_real
from laerecover.hosts.vault import Vault
from laerecover.ports.world import OpenWorld, WorldCounts
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.settings import Settings


class DrillWorlds:
    """Worlds, where every state is that of a drill. `crash_at`: STEP:POINT where the process is to be killed."""

    def __init__(self, crash_at: str = "") -> None:
        self._crash_at = crash_at

    def cloud(self, settings: Settings, stop: threading.Event) -> OpenWorld:
        """See `open_real`."""
        return open_real(settings, stop)

    def open(self, state: State, settings: Settings, vault: Vault, stop: threading.Event) -> OpenWorld:
        """A rig if the drill has one, else the twin."""
        if state.rehearsal.is_file():
            return open_rig(state, settings, stop, crash_at=self._crash_at)
        return open_twin(state, vault, stop, crash_at=self._crash_at)

    def counted(self, state: State) -> WorldCounts | None:
        """What the twin's file says; a rig does not count."""
        from laerecover.rehearsal.twin.assemble import count

        if state.rehearsal.is_file():
            return None
        return count(state.world) if state.world.is_file() else WorldCounts(instances={}, rows={}, mails={})


def open_rig(state: State, settings: Settings, stop: threading.Event, *, crash_at: str = "") -> OpenWorld:
    """The real adapters in the network of the drill's rig, which this thread, and those that it starts, never leave."""
    from laerecover.rehearsal.rig.of_a_drill import enter

    def point(step: str, point: str) -> None:
        if crash_at == f"{step}:{point}":
            os.kill(os.getpid(), signal.SIGKILL)

    enter(state)
    return replace(open_real(settings, stop), point=point)


def open_twin(state: State, vault: Vault, stop: threading.Event, *, crash_at: str = "") -> OpenWorld:
    """The twin world of a drill's state."""
    from laerecover.rehearsal.twin.assemble import twin_world
    from laerecover.rehearsal.twin.world import TwinFile, faults_of

    file = TwinFile(
        state.world,
        seed=state.drill.seed,
        pace=state.drill.pace,
        faults=faults_of(state.drill.faults),
        crash_at=crash_at,
    )
    return OpenWorld(world=twin_world(file, vault, SystemClock(stop, pace=state.drill.pace)), point=file.point)
