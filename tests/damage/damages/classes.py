"""The register of classes of damage."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from damages.hurting import Damaged, Hurt
from damages.written import Written


@dataclass(frozen=True)
class Class:
    """A class of damage: `make` does it to the folder under its hands.

    With `alone` nothing but those kinds of files and the configuration is left in every second folder, so that a
    class is seen both beside the other kinds of evidence and without them.
    """

    name: str
    what: str
    family: str
    make: Callable[[Hurt], None]
    alone: str | None


CLASSES: dict[str, Class] = {}


def damage(
    name: str, what: str, *, alone: str | None = None
) -> Callable[[Callable[[Hurt], None]], Callable[[Hurt], None]]:
    """Register a class of damage under a name that is never used twice: figures are kept by it."""

    def register(make: Callable[[Hurt], None]) -> Callable[[Hurt], None]:
        assert name not in CLASSES, name
        CLASSES[name] = Class(name, what, make.__module__.rpartition(".")[2], make, alone)
        return make

    return register


def apply(name: str, written: Written) -> Damaged:
    """A folder under a class of damage: the same every time, on every machine."""
    hurt = Hurt(written, random.Random(f"{name} {written.number}"))
    CLASSES[name].make(hurt)
    if CLASSES[name].alone and written.number % 2:
        hurt.isolate(str(CLASSES[name].alone))
    return hurt.damaged()
