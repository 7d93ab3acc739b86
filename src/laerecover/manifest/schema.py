"""The manifest's Arrow schema, and the one version this software reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from laerecover.manifest.account import (
    FIELDS,
    FLAG_FIELDS,
    GRADES,
    IDENTITIES,
    SECRET_FIELDS,
    SERVERS,
    TUPLE_FIELDS,
    VERDICTS,
    Account,
)
from laerecover.manifest.errors import ManifestInvalid
from laerecover.manifest.secret import Secret

SCHEMA_VERSION = 2
_PROVENANCE = pa.list_(pa.struct([("field", pa.string()), ("places", pa.list_(pa.string()))]))
_NOT_NULL = frozenset({"account_id", "verdict", "server", *FLAG_FIELDS, *TUPLE_FIELDS, "provenance"})
_CHOICES: Mapping[str, tuple[str | None, ...]] = {
    "verdict": VERDICTS,
    "grade": (*GRADES, None),
    "server": SERVERS,
    "introducer_identity": (*IDENTITIES, None),
    "storage_identity": (*IDENTITIES, None),
}
REQUIRED_WHEN_RECOVERABLE = ("grade", "bucket_name", "user_access_key_id", "user_secret_key")


def _type_of(name: str) -> pa.DataType:
    if name == "provenance":
        return _PROVENANCE
    if name in TUPLE_FIELDS:
        return pa.list_(pa.string())
    if name in FLAG_FIELDS:
        return pa.bool_()
    return pa.string()


SCHEMA = pa.schema([pa.field(name, _type_of(name), nullable=name not in _NOT_NULL) for name in FIELDS])


def to_row(account: Account, *, reveal: bool) -> dict[str, Any]:
    """One row of plain values. With `reveal=False` every secret is its fingerprint."""
    row: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(account, name)
        if isinstance(value, Secret):
            value = value.reveal() if reveal else repr(value)
        elif name in TUPLE_FIELDS:
            value = list(value)
        elif name == "provenance":
            value = [{"field": f, "places": list(places)} for f, places in sorted(value.items())]
        row[name] = value
    return row


class Rows(Sequence[dict[str, Any]]):
    """The rows of accounts, each made when it is looked at: all of them at once would take much memory."""

    def __init__(self, accounts: Sequence[Account], *, reveal: bool) -> None:
        self._accounts, self._reveal = accounts, reveal

    def __len__(self) -> int:
        return len(self._accounts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [to_row(a, reveal=self._reveal) for a in self._accounts[index]]
        return to_row(self._accounts[index], reveal=self._reveal)


def from_row(row: Mapping[str, Any]) -> Account:
    """The account of one row; the row must have passed `check_rows`."""
    values: dict[str, Any] = {}
    for name in FIELDS:
        value = row[name]
        if name in SECRET_FIELDS:
            value = None if value is None else Secret(value)
        elif name in TUPLE_FIELDS:
            value = tuple(value)
        elif name == "provenance":
            value = {entry["field"]: tuple(entry["places"]) for entry in value}
        values[name] = value
    return Account(**values)


def check_rows(rows: Iterable[Mapping[str, Any]], where: str) -> None:
    """Refuse rows that cannot be right, naming row, column and remedy.

    Raises ManifestInvalid: a value out of its list, an empty text where None is meant, an account twice,
    or a RECOVERABLE row without what a recovery needs.
    """
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        place = f"{where} · row {number}"
        for column in _NOT_NULL:
            if row[column] is None:
                raise _invalid(f"{column} is missing", f"{place} · column {column}")
        for column, value in row.items():
            if value == "":
                raise _invalid(f"{column} is an empty text; a missing value is null", f"{place} · column {column}")
        for column, allowed in _CHOICES.items():
            if row[column] not in allowed:
                raise _invalid(
                    f"{column} is none of {', '.join(str(a) for a in allowed)}", f"{place} · column {column}"
                )
        account_id = row["account_id"]
        if account_id in seen:
            raise _invalid(
                f"the same account stands in rows {seen[account_id]} and {number}", f"{place} · column account_id"
            )
        seen[account_id] = number
        if row["verdict"] == "RECOVERABLE":
            for column in REQUIRED_WHEN_RECOVERABLE:
                if row[column] is None:
                    raise _invalid(f"a RECOVERABLE account needs {column}", f"{place} · column {column}")
            if row["bucket_name"] != account_id:
                raise _invalid("account_id and bucket_name differ", f"{place} · column bucket_name")


def _invalid(what: str, where: str) -> ManifestInvalid:
    return ManifestInvalid(
        what, where=where, next_step="export the manifest again with `laeforensics audit`; nothing was started"
    )
