"""Everything read beside the logs, indexed by what it is joined by."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.products import Product
from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.facts.beliefs import Beliefs, Hearing
from laeforensics.facts.findings import Finding


@dataclass(slots=True, kw_only=True)
class Sources:
    """Everything read beside the logs, indexed by what it is joined by; and what is thought of every fact."""

    beliefs: Beliefs = field(default_factory=Beliefs)
    secrets: dict[str, SecretsFile] = field(default_factory=dict)
    stripe: dict[str, SecretsFile] = field(default_factory=dict)
    activations: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    signups: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    serverinfo: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    products: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    printed_products: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    """What x02 printed of the config: heard of the products that no config tells any more."""
    undecided: dict[str, str] = field(default_factory=dict)
    """The bucket names that differ from others in a character or two while nothing tells the right one, each with the
    one that stands for them."""
    seeds_of_renamed: set[str | None] = field(default_factory=set)
    """The seeds of the buckets that renamed logs tell: a log that bears such a seed in its name has another's name."""
    findings: list[Finding] = field(default_factory=list)
    """What came to light of these files only when they were held against others."""
    _secrets_by_bucket: dict[str, list[SecretsFile]] = field(default_factory=dict)
    _sent_in: list[datetime] = field(default_factory=list)
    _folder_ids: set[str] = field(default_factory=set)
    _keys_by_cell: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _requests_by_time: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)

    def value(self, file: SecretsFile, name: str) -> str | None:
        """What a secrets file tells of a field; None if nothing that is believed, or two values that differ."""
        told = Hearing(self.beliefs).own(fact for fact in file.facts if fact.field == name)
        values = {fact.value for fact in told}
        return values.pop() if len(values) == 1 else None

    def secrets_of(self, bucket: str | None) -> list[SecretsFile]:
        """The secrets files that name this bucket."""
        if not self._secrets_by_bucket:
            for file in self.secrets.values():
                self._secrets_by_bucket.setdefault(self.value(file, "bucket_name") or "", []).append(file)
        return self._secrets_by_bucket.get(bucket, []) if bucket else []

    def keys_sent_in(self, around: str, within: timedelta) -> bool:
        """True if any activation key was sent in around that time (ISO)."""
        if not self._sent_in:
            self._sent_in += sorted(
                datetime.fromisoformat(row.time) for rows in self.activations.values() for row in rows
            )
        time = datetime.fromisoformat(around)
        place = bisect_left(self._sent_in, time - within)
        return place < len(self._sent_in) and self._sent_in[place] <= time + within

    def has_folder_of(self, ids: Collection[str]) -> bool:
        """True if a folder of the S4 layout bears these ids of a customer and a subscription."""
        if not self._folder_ids:
            names = (folder.rpartition("/")[2].partition("Z-")[2] for folder in self.stripe)
            self._folder_ids.update(part for name in names for part in name.split("-"))
        return bool(ids) and self._folder_ids.issuperset(ids)

    def requests_at(self, times: Iterable[str]) -> list[tuple[str, Row]]:
        """The requests of these seconds, each with its activation key."""
        if not self._requests_by_time:
            for key, rows in self.activations.items():
                for row in rows:
                    self._requests_by_time.setdefault(row.time, []).append((key, row))
        return [request for time in times for request in self._requests_by_time.get(time, ())]

    def keys_sent_with(self, name: str, value: str) -> set[str]:
        """The activation keys with which somebody sent this value of a field in.

        Not those of which every result tells another value: there the request may be wrong.
        """
        if not self._keys_by_cell:
            for key, rows in self.activations.items():
                for fact in (fact for row in rows for fact in row.facts):
                    self._keys_by_cell.setdefault((fact.field, fact.value), set()).add(key)
        found = self._keys_by_cell.get((name, value), set())
        results = {key: [row.value(name) for row in self.signups.get(key, ())] for key in found}
        return {key for key, told in results.items() if not told or value in told}
