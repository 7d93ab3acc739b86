"""What a plan costs: its servers by the hour, by the month, until the run ends; the storage that it adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laerecover.planning.plan import Plan
    from laerecover.sections import Prices

HOURS_A_MONTH = 730.0
"""365 days by 24 hours by a twelfth, as clouds bill."""
HOW_TO_SET = "what it costs is not known: set [prices] in the settings (`laerecover settings --example` shows how)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Of all accounts that the plan recovers, in the currency of the settings. None: it needs a price that is not set.

    `run`: what the instances that are still to be launched cost until the run ends, each for all of it, which is the
    most; `storage_month`: of `added_bytes`, which joining adds to the buckets, as a check of them tells (None: nobody
    asked).
    """

    currency: str
    instances: int
    hour: float | None
    month: float | None
    run: float | None
    added_bytes: int | None
    storage_month: float | None
    without: tuple[str, ...]
    """What is in none of the sums, for it has no price, or nobody counted it."""


def costs(plan: Plan, prices: Prices, added_bytes: int | None) -> Costs | None:
    """What this plan costs; None where no price is set."""
    if not prices.any_known:
        return None
    number = len(plan.recover)
    sizes = Counter(account.size for account in plan.recover)
    parts, without = list[float](), list[str]()
    for size, count in sorted(sizes.items(), key=lambda item: item[0] or ""):
        _add(parts, without, prices.of_instance(size), count, f"instances of type {size or 'unknown'}")
    _add(parts, without, prices.disk, number, "disks")
    _add(parts, without, prices.address, number, "addresses")
    if added_bytes is None:
        without.append("storage that joining may add, which `plan --check` counts")
    elif prices.storage is None and added_bytes:
        without.append(f"storage of {added_bytes / 1e9:,.1f} GB of joined shares")
    hour = round(sum(parts), 6) if parts else None
    hours = plan.seconds_of(len(plan.starts)) / 3600
    share = len(plan.starts) / number if number else 0.0
    return Costs(
        currency=prices.currency or "",
        instances=number,
        hour=hour,
        month=None if hour is None else round(hour * HOURS_A_MONTH, 2),
        run=None if hour is None else round(hour * hours * share, 2),
        added_bytes=added_bytes,
        storage_month=None
        if prices.storage is None or added_bytes is None
        else round(prices.storage * added_bytes / 1e9, 2),
        without=tuple(without),
    )


def _add(parts: list[float], without: list[str], price: float | None, count: int, what: str) -> None:
    if price is not None:
        parts.append(price * count)
    elif count:
        without.append(what)


def in_words(found: Costs | None) -> Sequence[str]:
    """A line for the servers, one for the storage that is added, one for what has no price."""
    if found is None:
        return (HOW_TO_SET,)
    money = f"{found.currency} ".lstrip()
    told = []
    if found.hour is not None and found.month is not None:
        told.append(
            f"cost of {found.instances} instances: {money}{found.hour:,.4f} an hour, {money}{found.month:,.2f} a month "
            f"({HOURS_A_MONTH:.0f} hours); until the run ends {money}{found.run or 0:,.2f} at most"
        )
    if found.storage_month is not None and found.added_bytes:
        told.append(
            f"cost of {found.added_bytes / 1e9:,.1f} GB of joined shares: {money}{found.storage_month:,.2f} a month"
        )
    if found.without:
        told.append(f"in none of these sums, for want of a price or a count: {', '.join(found.without)}")
    return told
