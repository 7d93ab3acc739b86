"""What the operator's cloud charges, as the settings tell it; nothing is known of any price that they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from laerecover.settings_reader import SettingsReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """In the operator's own currency; what is None is not set.

    `instances`: type of instance -> an hour of one; `instance`: an hour of any other type; `disk`, `address`: an hour
    of one instance's; `storage`: a gigabyte (10^9 bytes) of the buckets for a month.
    """

    currency: str = ""
    instance: float | None = None
    instances: Mapping[str, float] = field(default_factory=dict)
    disk: float | None = None
    address: float | None = None
    storage: float | None = None

    @property
    def any_known(self) -> bool:
        """Whether there is any."""
        return bool(self.instances) or any(
            price is not None for price in (self.instance, self.disk, self.address, self.storage)
        )

    def of_instance(self, size: str | None) -> float | None:
        """An hour of one of that type."""
        return self.instances.get(size or "", self.instance)


def priced(table: Mapping[str, Any], read: SettingsReader) -> Prices:
    """As the settings' [prices] and [prices.instances] tell."""
    read.known(table, [f.name for f in fields(Prices)], "prices.")
    names = ("instance", "disk", "address", "storage")
    told = {name: read.number(table[name], f"prices.{name}") for name in names if name in table}
    instances = read.section(table, "instances").items()
    of_types = {size: read.number(price, f"prices.instances.{size}") for size, price in instances}
    return Prices(currency=str(table.get("currency", "")), instances=of_types, **told)
