"""Signup: one log with all its witnesses, ready to be weighed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from laeforensics.activations import Row, is_moment
from laeforensics.facts import LAST_ASSERTING_STANDING, Fact
from laeforensics.findings import Finding
from laeforensics.logs import SignupLog
from laeforensics.packed import without_suffix
from laeforensics.packedfacts import Witnesses
from laeforensics.producttokens import Product
from laeforensics.secretsfiles import SecretsFile

_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-([0-9A-Za-z-]+)")
_DEVPAY_BUCKET = re.compile(r"lae-(?!on2wex)([0-9a-z]{4,16})-([a-z2-7]{32})")
_EARLY_BUCKET = re.compile(r"lae-([0-9a-zA-Z]{8})-([aA][a-zA-Z2-7]{29})")
"""For two days of November 2011 the activation key stood where the seed stands since."""
_USUAL_CODE = 8


@dataclass(slots=True, kw_only=True)
class Sources:
    """Everything read beside the logs, indexed by what it is joined by."""

    secrets: dict[str, SecretsFile] = field(default_factory=dict)
    stripe: dict[str, SecretsFile] = field(default_factory=dict)
    activations: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    signups: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    serverinfo: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    products: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    printed_products: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    """What x02 printed of the config: heard of the products that no config tells any more."""
    undecided: dict[str, str] = field(default_factory=dict)
    """Bucket names that differ in a character or two, of which nothing tells the right one: the one that stands for them."""
    findings: list[Finding] = field(default_factory=list)
    """What came to light of these files only when they were held against others."""
    _secrets_by_bucket: dict[str, list[SecretsFile]] = field(default_factory=dict)
    _keys_by_cell: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def secrets_of(self, bucket: str | None) -> list[SecretsFile]:
        """The secrets files that name this bucket."""
        if not self._secrets_by_bucket:
            for file in self.secrets.values():
                self._secrets_by_bucket.setdefault(file.value("bucket_name") or "", []).append(file)
        return self._secrets_by_bucket.get(bucket, []) if bucket else []

    def is_of_another_key(self, name: str, value: str, key: str) -> bool:
        """True if somebody sent this value of a field in with another activation key than `key`."""
        if not self._keys_by_cell:
            for other, rows in self.activations.items():
                for row in rows:
                    for fact in row.facts:
                        self._keys_by_cell.setdefault((fact.field, fact.value), set()).add(other)
        return bool(self._keys_by_cell.get((name, value), set()) - {key})


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


def stem(name: str) -> str:
    """What a log and its secrets file share: the TIMESTAMP-SEED name, or in the S4 layout their folder."""
    folder, _, base = without_suffix(name).rpartition("/")
    return folder if base in ("signup_logs", "SSEC2", "stripe") else base


def start_of(name: str) -> tuple[str, str] | None:
    """UTC start (ISO, with colons) and seed of a TIMESTAMP-SEED name; None for a name whose digits are no time."""
    match = _STAMP.fullmatch(stem(name).rpartition("/")[2])
    if match is None:
        return None
    start = f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z"
    return (start, match[5]) if is_moment(start) else None


def product_code_of(bucket: str) -> str | None:
    """The product code in a DevPay bucket name (`lae-CODE-SEED`), upper case; None for other buckets."""
    match = _DEVPAY_BUCKET.fullmatch(bucket) or _EARLY_BUCKET.fullmatch(bucket)
    return match[1].upper() if match else None


def activation_key_of(bucket: str) -> str | None:
    """The activation key in the name of a bucket of November 2011 (`lae-CODE-KEY`); None for other buckets."""
    match = _EARLY_BUCKET.fullmatch(bucket)
    return match[2].upper() if match else None


def is_usual(bucket: str) -> bool:
    """True for the forms that need no second witness: a code of eight characters with a seed, or an S4 bucket."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return len(match[1]) == _USUAL_CODE if match else not _EARLY_BUCKET.fullmatch(bucket)


def seed_of(bucket: str) -> str | None:
    """The seed in a DevPay bucket name."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return match[2] if match else None


def weigh(facts: Iterable[Fact]) -> tuple[str | None, bool]:
    """What the witnesses of the best standing present say, and whether they contradict each other.

    A fact whose standing asserts nothing (relayed, stray, from an error message) has no say.
    """
    best: int = LAST_ASSERTING_STANDING
    values: set[str] = set()
    for fact in facts:
        if fact.standing < best:
            best, values = fact.standing, {fact.value}
        elif fact.standing == best:
            values.add(fact.value)
    if len(values) == 1:
        return values.pop(), False
    return None, len(values) > 1


def bears_seed(bucket: str, seed: str) -> bool:
    """True if the bucket was made by the run whose file name ends with `seed` (in the S4 layout the two halves are swapped)."""
    if bucket.endswith("-" + seed):
        return True
    customer, _, subscription = seed.partition("-")
    return bool(subscription) and bucket == f"lae-{subscription}-{customer}"


def add(signup: Signup, facts: Iterable[Fact]) -> None:
    """Add facts to a signup's witnesses."""
    for fact in facts:
        signup.witnesses.add(fact)
