"""How far a signup came: the stages in their order, with the announcement that tells each."""

from __future__ import annotations

from laeforensics.parsing.meanings import meanings

_LOG = meanings("signup_log")

STAGES = _LOG.stages
"""Furthest first reached last. `recorded` ends a re-record run; the others are those of a signup or a replacement."""

BEFORE_DEPLOYMENT = frozenset(STAGES[: STAGES.index("deploying")])
"""The stages of a signup that a replacement does not have."""

RANK = {stage: rank for rank, stage in enumerate(STAGES)}

STAGE_OF_ITEM: dict[str, str] = {name: item.stage for name, item in _LOG.items.items() if item.stage is not None}
"""The stage that an item of the grammar announces."""

_ORDER = {item: rank for rank, item in enumerate(STAGE_OF_ITEM)}


def stage_of_announcement(text: str) -> str | None:
    """The stage that an announcement tells, None if it tells none."""
    return _LOG.stage_of_announcement.get(text)


def is_order_broken(item: str, seen: set[str]) -> bool:
    """True if `item` cannot follow the items `seen` in one signup: it came already, or a later one did."""
    rank = _ORDER[item]
    return any(_ORDER[other] >= rank for other in seen)


_NEEDS = {"servers_running": "storage_started", "settings_told": "introducer_started", "mail_sent": "settings_told"}


def impossible(stages: list[tuple[str, int]]) -> tuple[str, int] | None:
    """The first stage that cannot stand where it stands, in words and with its line; None if the order is a signup's.

    A stage may repeat (the installation is tried again), but none comes after a later one, and a server is not
    announced before it was started.
    """
    told: set[str] = set()
    highest = 0
    for stage, line in stages:
        if RANK[stage] < highest:
            return f"{stage} after {STAGES[highest]}", line
        needed = _NEEDS.get(stage)
        if needed is not None and needed not in told:
            return f"{stage} without {needed}", line
        highest = RANK[stage]
        told.add(stage)
    return None


def furthest(stages: list[tuple[str, int]]) -> str | None:
    """The furthest of the stages told, None if none was."""
    return max((stage for stage, _ in stages), key=RANK.__getitem__, default=None)
