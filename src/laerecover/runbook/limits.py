"""What ends a run before its time: too many failures, too many instances, or that nothing can be written down."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from laerecover.errors import StepFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a run may go. `canary`: one account goes through to its end before the others start: the one of that id
    or e-mail, or with True the first.
    """

    max_instances: int | None = None
    max_failures: int = 3
    canary: bool | str = True


@dataclass(slots=True)
class Brake:
    """Counts against the limits, from several threads."""

    limits: Limits
    launches: set[str] = field(default_factory=set)
    """The client tokens of this recovery's launches, those of earlier runs too."""
    failures: list[str] = field(default_factory=list)
    """The accounts that failed in this run."""
    halts: list[str] = field(default_factory=list)
    """Why nothing further is started; the first reason counts."""
    broken: list[str] = field(default_factory=list)
    """Why nothing can be written down; everything stops then."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def permit(self, token: str) -> None:
        """Count a launch. Raises StepFailed (`max_instances`) where there is to be none further."""
        most = self.limits.max_instances
        with self._lock:
            if self.halts:
                raise StepFailed(f"not launched, for {self.halts[0]}", kind="max_instances")
            if most is not None and len(self.launches | {token}) > most:
                raise StepFailed(f"--max-instances {most} is reached", kind="max_instances")
            self.launches.add(token)

    def count_failure(self, account_id: str) -> None:
        """One cause is not to fail them all."""
        self.failures.append(account_id)
        if len(self.failures) >= self.limits.max_failures:
            self.halts.append(f"{len(self.failures)} accounts failed, --max-failures is {self.limits.max_failures}")
