"""Which stretches of a run nothing ties to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact
from laeforensics.parsing.continuity import Stretch
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

# What every signup prints twice, in two of its parts.
_TIES = frozenset({"user_token", "bucket_name", "customer_email"})


def begins_a_run(fact: Fact) -> bool:
    """True for what stands at the head of a run: of a signup, a replacement, one that reads a server's secrets."""
    if fact.field == "stage":
        return fact.value in BEFORE_DEPLOYMENT or fact.value == "deploying"
    return fact.field in ("bucket_name", "reading")


def untied(stretches: Sequence[Stretch], facts: Iterable[Fact], seed: str) -> list[tuple[Stretch, int | None]]:
    """The stretches that nothing ties to the run of the file, each with the byte at which the next one begins.

    The run of the file is the stretch whose bucket bears the seed of its name, with the head of the file, if that tells
    no other bucket; where no bucket bears the seed, the head is, if a run begins there.
    """
    if len(stretches) == 1:
        return []
    ends = [*(stretch.start for stretch in stretches[1:]), None]
    told: list[set[tuple[str, str]]] = [{("host", s.host)} if s.host else set() for s in stretches]
    place, begins = 0, False
    for fact in sorted(facts, key=lambda f: f.locator.start):
        while (end := ends[place]) is not None and fact.locator.start >= end:
            place += 1
        begins |= place == 0 and begins_a_run(fact)
        if fact.field in _TIES and fact.channel == OWN:
            told[place].add((fact.field, fact.value))
    kept = {0} if begins else set()
    own = {n for n, values in enumerate(told) if any(f == "bucket_name" and v.endswith("-" + seed) for f, v in values)}
    kept = own | ({0} if not any(f == "bucket_name" for f, _ in told[0]) else set()) if seed and own else kept
    _keep_tied(kept, told)
    return [(stretch, ends[n]) for n, stretch in enumerate(stretches) if n not in kept]


def _keep_tied(kept: set[int], told: Sequence[set[tuple[str, str]]]) -> None:
    """Keep every stretch that tells a value that is known, and no other server than the known one.

    The first of them in the file always comes before the others: it may tell the server.
    """
    tellers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, values in enumerate(told):
        for value in values:
            tellers[value].append(n)
    known: set[tuple[str, str]] = set()
    hosts: set[str] = set()
    waiting: list[int] = []

    def know(values: set[tuple[str, str]]) -> None:
        for value in values - known:
            known.add(value)
            if value[0] == "host":
                hosts.add(value[1])
            for n in tellers[value]:
                heappush(waiting, n)

    for n in kept:
        know(told[n])
    while waiting:
        n = heappop(waiting)
        if n not in kept and not any(name == "host" and hosts and value not in hosts for name, value in told[n]):
            kept.add(n)
            know(told[n])
