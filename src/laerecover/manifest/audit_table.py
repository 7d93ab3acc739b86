"""The audit for people: the manifest's rows, unencrypted, with fingerprints where secrets would be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from laerecover.manifest.account import Account
from laerecover.manifest.errors import ManifestInvalid, ManifestUnreadable
from laerecover.manifest.schema import SCHEMA, Rows
from laerecover.manifest.sealed import LOCKED, tables, write_parquet

_NEXT = "name an audit.parquet, as `laeforensics audit` writes it beside the manifest"


_DIGEST = b"evidence_digest"


def write_audit_table(path: Path, accounts: Iterable[Account], *, evidence_digest: str | None = None) -> None:
    """One row for each account and each attempt, sorted by account_id. Never accepted as a manifest. Raises OSError."""
    rows = Rows(tuple(sorted(accounts, key=lambda a: a.account_id)), reveal=False)
    schema = SCHEMA if evidence_digest is None else SCHEMA.with_metadata({_DIGEST: evidence_digest.encode()})
    write_parquet(path, schema, tables(rows, schema), key=None)


def digest_of_evidence(path: Path) -> str | None:
    """Of which evidence an audit table that can be read was made; None where one of an earlier version does not say."""
    found = (pq.read_schema(path).metadata or {}).get(_DIGEST)
    return None if found is None else found.decode("ascii", "replace")


def read_audit_table(path: Path) -> list[dict[str, Any]]:
    """The rows of an audit table: lists are tuples, `provenance` maps a field to its places.

    Columns of another version are kept, missing ones are left out. Raises ManifestUnreadable (no such file, no Parquet,
    an encrypted manifest), ManifestInvalid (another table).
    """
    where = str(path)
    if not path.is_file():
        inside = path / "audit.parquet"
        next_step = f"did you mean {inside}?" if inside.is_file() else _NEXT
        raise ManifestUnreadable("no such audit table", where=where, next_step=next_step)
    with path.open("rb") as file:
        if file.read(4) == LOCKED:
            raise ManifestUnreadable(
                "this is encrypted, so it is a manifest (or facts with secrets), not an audit table",
                where=where,
                next_step=_NEXT,
            )
    try:
        table = pq.read_table(path, partitioning=None)
        rows = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError):
        raise ManifestUnreadable(
            "this is no Parquet file that can be read: it is damaged, or another kind of file",
            where=where,
            next_step=_NEXT,
        ) from None
    for expected in (SCHEMA.field(name) for name in ("account_id", "verdict", "provenance")):
        if expected.name not in table.schema.names or table.schema.field(expected.name).type != expected.type:
            raise ManifestInvalid(
                f"this is no audit table: it has no column {expected.name} of the right type",
                where=where,
                next_step=_NEXT,
            )
    return [_row(row, number, where) for number, row in enumerate(rows, start=1)]


def _row(row: dict[str, Any], number: int, where: str) -> dict[str, Any]:
    if not row["account_id"] or not row["verdict"]:
        raise ManifestInvalid(
            "this is no audit table: a row without account_id or verdict",
            where=f"{where} · row {number}",
            next_step=_NEXT,
        )
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    found["provenance"] = {e["field"]: tuple(e["places"] or ()) for e in row["provenance"] or ()}
    return found
