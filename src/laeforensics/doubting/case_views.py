"""What the judges that see a whole case see of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.signups import Signup
from laeforensics.facts.fact import Fact


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """The accounts, and the rows of the csv files by what joins them: activation keys, instances and hosts.

    `secrets` are the secrets files of which nothing, or not all, is believed that can be read in them.
    `offered` are all product tokens of the configurations; `doubled` those of which one file tells several products.
    """

    accounts: Sequence[AccountView]
    requests: dict[str, list[Row]] = field(default_factory=dict)
    results: dict[str, list[Row]] = field(default_factory=dict)
    servers: dict[str, list[Row]] = field(default_factory=dict)
    secrets: Sequence[SecretsFile] = ()
    offered: frozenset[str] = frozenset()
    doubled: frozenset[Fact] = frozenset()

    def signups(self) -> Iterator[Signup]:
        """All signups, whatever their account."""
        return (signup for account in self.accounts for signup in account.signups)

    def rows(self) -> Iterable[Row]:
        """Every row once."""
        every = (row for rows in (self.requests, self.results, self.servers) for some in rows.values() for row in some)
        return {(row.evidence, row.line): row for row in every}.values()
