"""Signup: one log with all its witnesses, ready to be weighed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import Finding
from laeforensics.facts.packed import Witnesses
from laeforensics.parsing.logs import SignupLog


@dataclass(slots=True, kw_only=True)
class Signup:
    """One log with all its witnesses. `values` holds what the best witnesses agree on; `contested` what they do not."""

    name: str
    log: SignupLog | None
    secrets: SecretsFile | None = None
    witnesses: Witnesses = field(default_factory=Witnesses)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    undecided_bucket: str | None = None
    """Stands for several names of its bucket, of which nothing tells the right one."""
    contested: set[str] = field(default_factory=set)
    matched_by: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    success_row: Row | None = None
    failure_row: Row | None = None
    serverinfo_rows: list[Row] = field(default_factory=list)


def add(signup: Signup, facts: Iterable[Fact]) -> None:
    """Add facts to a signup's witnesses."""
    for fact in facts:
        signup.witnesses.add(fact)
