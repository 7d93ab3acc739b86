"""Islands: the stretches of a log between which lines are missing; only a value that both tell ties two together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import is_misprint
from laeforensics.facts.fact import Fact
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT, STAGES

# What every signup announces from its bucket on, in this order. (Failures end a log; nothing is left out before them.)
_CHAIN = STAGES[STAGES.index("bucket_creating") : STAGES.index("recorded")]
_PLACE = {stage: place for place, stage in enumerate(_CHAIN)}
# What a signup prints twice, in two of its parts.
_TIES = frozenset({"user_token", "bucket_name", "customer_email"})
_DEPLOYMENT = ("endpoint_uri", "ami_image_id", "instance_size", "bucket_name", "keypair_name", "instance_name")
_INSTANCE = (
    "instance_id",
    "instance_state",
    "instance_type",
    "image_id",
    "private_dns_name",
    "dns_name",
    "key_name",
    "ami_launch_index",
    "launch_time",
    "placement",
    "product_codes",
    "kernel_id",
    "ramdisk_id",
    "reservation",
)
_PRINTS = {"deployment": (_DEPLOYMENT, "keypair_name"), "instance": (_INSTANCE, "reservation")}


@dataclass(slots=True, kw_only=True)
class Island:
    """From byte `start` in line `line` to the next island; `host` is the one server that it speaks of."""

    start: int
    line: int
    host: str | None = None


@dataclass(slots=True)
class Coast:
    """Follows one signup through a file, and says where it cannot go on without lines that are missing."""

    islands: list[Island] = field(default_factory=lambda: [Island(start=0, line=0)])
    _last: str | None = None
    _print: str = ""
    _key: str = ""
    _begun: bool = False
    _hurt: int = 0

    def stage(self, stage: str, start: int, line: int) -> None:
        """A stage is announced at byte `start`: of its predecessor's island, unless others must stand between."""
        if stage in BEFORE_DEPLOYMENT:
            self._begun = True
        if stage not in _PLACE:
            return
        if self._last is not None:
            skips = not 0 <= _PLACE[stage] - _PLACE[self._last] <= 1
        else:
            spoken = self.islands[-1].host is not None and _PLACE[stage] <= _PLACE["address_known"]
            skips = spoken or (self._begun and _PLACE[stage] > 1)
        if skips or self._is_unfinished(stage):
            self.part(start, line)
        self._last = stage
        self._hurt = 0
        self._print = {"deploying": "deployment", "instance_started": "instance"}.get(stage, "")
        self._key = ""

    def _is_unfinished(self, stage: str) -> bool:
        """True if the print before this stage has not come to its end."""
        if not self._print or stage == self._last:
            return False
        keys, end = _PRINTS[self._print]
        return self._key not in keys[keys.index(end) - self._hurt :]

    def lines(self, rule: str, key: str, start: int, line: int) -> None:
        """A line of a print of many lines, `key = ..`: none of its lines can be left out."""
        if rule != self._print:
            return
        keys, _ = _PRINTS[rule]
        if key not in keys:
            return
        skipped = keys.index(key) - (keys.index(self._key) + 1 if self._key else 0)
        if not 0 <= skipped <= self._hurt:
            self.part(start, line)
        self._key, self._hurt = key, 0

    def hurt(self) -> None:
        """A line that cannot be read: it may be one of the print that is being told."""
        self._hurt = 2  # a hole takes the end of one line with the beginning of the next

    def host(self, host: str, start: int, line: int, *, first: bool = False) -> None:
        """The server spoken of at byte `start`: a run has one.

        `first` is true of the first command given to a server.
        """
        if _PLACE[self._last] < _PLACE["address_known"] if self._last else self._begun:
            # Nobody speaks to a server before its address is told, in a line that may be the one that cannot be read.
            if not (first and self._hurt and self._last == "instance_started"):
                self.part(start, line)
            self._last, self._begun, self._print = None, False, ""
        here = self.islands[-1]
        if here.host is None or (self._last == "address_known" and is_misprint(here.host, host)):
            here.host = host  # a torn address line: fabric's marks are many
        elif here.host != host:
            self.part(start, line)
            self.islands[-1].host = host

    def part(self, start: int, line: int) -> None:
        """Begin another island at byte `start`."""
        self.islands.append(Island(start=start, line=line))


def strangers(islands: Sequence[Island], facts: Iterable[Fact], seed: str) -> list[tuple[Island, int | None]]:
    """The islands that nothing ties to the signup of the file, each with the byte at which the next one begins.

    The signup of the file is the island whose bucket bears the seed of its name, with the head of the file, if that
    tells no other bucket; where no bucket bears the seed, the head is.
    """
    if len(islands) == 1:
        return []
    ends = [*(island.start for island in islands[1:]), None]
    told: list[set[tuple[str, str]]] = [{("host", i.host)} if i.host else set() for i in islands]
    place = 0
    for fact in sorted(facts, key=lambda f: f.locator.start):
        while (end := ends[place]) is not None and fact.locator.start >= end:
            place += 1
        if fact.field in _TIES and fact.channel == OWN:
            told[place].add((fact.field, fact.value))
    kept = {0}
    own = {n for n, values in enumerate(told) if any(f == "bucket_name" and v.endswith("-" + seed) for f, v in values)}
    kept = own | ({0} if not any(f == "bucket_name" for f, _ in told[0]) else set()) if seed and own else kept
    known = set().union(*(told[n] for n in kept))
    while (n := next((n for n in range(len(told)) if n not in kept and _is_tied(told[n], known)), None)) is not None:
        kept.add(n)
        known |= told[n]
    return [(island, ends[n]) for n, island in enumerate(islands) if n not in kept]


def _is_tied(told: set[tuple[str, str]], known: set[tuple[str, str]]) -> bool:
    """True if an island tells a value that is known, and no other server than the known one."""
    hosts = {value for name, value in known if name == "host"}
    return bool(told & known) and not any(name == "host" and hosts and value not in hosts for name, value in told)
