"""What goes wrong in the rig's cloud: a plan that names calls by their number, or dice with a seed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

# What the dice may bring: nothing that an undisturbed run would not reach in the end.
_DICE = {
    "RunInstances": {"throttle": 0.10, "reset_before": 0.03, "reset_after": 0.08, "error": 0.03},
    "DescribeInstances": {"throttle": 0.08, "reset_before": 0.03, "error": 0.02},
    "TerminateInstances": {"throttle": 0.05, "reset_after": 0.05},
    "GetConsoleOutput": {"throttle": 0.10},
    "host": {"power": 0.15},
    "mail": {"refuse_4xx": 0.20, "delay": 0.10},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """`call` (EC2's action, or `s3:GET` and so on) answers with `fault` at these call numbers, from 1; () is always."""

    call: str
    """The call `host` is a boot; `mail` a mail that is handed in."""
    fault: str
    """throttle: RequestLimitExceeded, 503 · error: InternalError, 500 · reset_before, reset_after: the connection is
    lost before or after the commit · capacity, quota: InsufficientInstanceCapacity, VcpuLimitExceeded · dies: the
    instance ends instead of running (`dies:CODE`: for that reason) · untagged: the caller may launch, but not tag what
    is launched. Any other word is an EC2 error code to answer with.
    Of `host`: `power`, a cut of
    the power within 20 seconds (`power:3`: after 3); of `mail`: see `mail.MISHAPS`.
    """
    at: tuple[int, ...] = ()


@dataclass(kw_only=True)
class RigFaults:
    """The plan with its counters. `unknown`, `pending`, `console`: how many questions about an instance are answered
    with NotFound, `pending` and an empty console first. `no_capacity`: `TYPE`, `ZONE` or `TYPE@ZONE`. `vcpus`: quota.
    """

    rules: Sequence[FaultRule] = ()
    unknown: int = 0
    pending: int = 1
    console: int = 0
    vcpus: int | None = None
    no_capacity: Sequence[str] = ()
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Value of one of an instance's tags -> what its host has less of, or else (`NewHost`'s `disk`, `without`,
    `image`).
    """
    image: str = "small"
    """Of all other hosts."""
    seed: int | None = None
    calls: Counter[str] = field(default_factory=Counter)

    def strike(self, call: str) -> str | None:
        """Count this call; the fault that befalls it, if any."""
        self.calls[call] += 1
        number = self.calls[call]
        planned = (r.fault for r in self.rules if r.call == call and (not r.at or number in r.at))
        return next(planned, None) or self._thrown(call, number)

    @property
    def images(self) -> set[str]:
        """Of which some host may be."""
        return {self.image, *(str(host["image"]) for host in self.hosts.values() if "image" in host)}

    def waits(self, launch: int) -> tuple[int, int, int]:
        """`unknown`, `pending`, `console` of the nth launch."""
        if self.seed is None:
            return self.unknown, self.pending, self.console
        return tuple(int(self._die(f"wait {kind} {launch}") * 3) for kind in range(3))  # type: ignore[return-value]

    def poverty(self, tags: Iterable[str]) -> Mapping[str, Any]:
        """`disk`, `without`, `image` of the host of an instance with these tags' values."""
        return {"image": self.image, **next((self.hosts[tag] for tag in tags if tag in self.hosts), {})}

    def power_cut(self, launch: int) -> float | None:
        """Seconds after the nth boot at which the power is cut; None for never. The host boots again by itself."""
        fault, _, seconds = (self.strike("host") or "").partition(":")
        return float(seconds or 2 + 18 * self._die(f"power {launch}")) if fault == "power" else None

    def full(self, instance_type: str, zone: str) -> bool:
        """Whether there is no capacity of this type in this zone."""
        return not {instance_type, zone, f"{instance_type}@{zone}"}.isdisjoint(self.no_capacity)

    def _thrown(self, call: str, number: int) -> str | None:
        if self.seed is None:
            return None
        left = self._die(f"{call} {number}")
        for fault, share in _DICE.get(call, {}).items():
            left -= share
            if left < 0:
                return fault
        return None

    def _die(self, name: str) -> float:
        digest = hashlib.sha256(f"{self.seed} {name}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56


def read_faults(text: str) -> RigFaults:
    """`seed:N`, a JSON table, the path of a file that holds one, or nothing for none. Raises ValueError."""
    if text.startswith("seed:"):
        return RigFaults(seed=int(text.removeprefix("seed:")))
    if not text:
        return RigFaults()
    table: Mapping[str, Any] = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text("utf-8"))
    known = {f.name for f in fields(RigFaults)} - {"calls"}
    if unknown := set(table) - known:
        raise ValueError(f"a plan of faults has no {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    rules = [
        FaultRule(call=str(r["call"]), fault=str(r["fault"]), at=tuple(int(n) for n in r.get("at", ())))
        for r in table.get("rules", ())
    ]
    return RigFaults(**{**table, "rules": rules})
