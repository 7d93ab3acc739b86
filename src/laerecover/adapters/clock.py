"""The system's clock, which wakes up when somebody asks to stop."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from laerecover.errors import Stopped


class SystemClock:
    """Real time. With `pace` below 1 waits are shortened and deadlines with them: a drill's seconds are cheap."""

    def __init__(self, stop: threading.Event, *, pace: float = 1.0) -> None:
        self._stop = stop
        self._pace = pace

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() / self._pace

    def sleep(self, seconds: float) -> None:
        if self._stop.wait(max(0.0, seconds) * self._pace):
            raise Stopped
