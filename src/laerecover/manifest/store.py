"""The manifest at rest: one encrypted Parquet file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe

from laerecover.manifest.account import Account, Manifest
from laerecover.manifest.errors import ManifestInvalid, ManifestUnreadable, refuse_missing
from laerecover.manifest.keys import default_key_file, make_key, read_key
from laerecover.manifest.schema import SCHEMA, SCHEMA_VERSION, Rows, check_rows, from_row
from laerecover.manifest.sealed import LOCKED, tables, write_parquet

_META_VERSION = b"lae-recovery.schema-version"
_META_EVIDENCE = b"lae-recovery.evidence-digest"
_META_DIGEST = b"lae-recovery.content-digest"


def write_manifest(
    path: Path, accounts: Iterable[Account], *, evidence_digest: str, key_file: Path | None = None
) -> Manifest:
    """Write all accounts, sorted by account_id, to `path` (mode 0600), encrypted under the key file's key.

    Raises ManifestInvalid, KeyFileRefused, OSError.
    """
    ordered = tuple(sorted(accounts, key=lambda a: a.account_id))
    rows = Rows(ordered, reveal=True)
    check_rows(rows, str(path))
    digest = _digest(rows, evidence_digest)
    metadata = {
        _META_VERSION: str(SCHEMA_VERSION).encode(),
        _META_EVIDENCE: evidence_digest.encode(),
        _META_DIGEST: digest.encode(),
    }
    schema = SCHEMA.with_metadata(metadata)
    key = make_key(key_file or default_key_file(), manifest=path)
    write_parquet(path, schema, tables(rows, schema), key=key)
    return Manifest(accounts=ordered, evidence_digest=evidence_digest, digest=digest)


def read_manifest(path: Path, *, key_file: Path | None = None) -> Manifest:
    """Read and check a manifest.

    Raises ManifestUnreadable (missing, cut, changed, wrong key), ManifestInvalid (version, columns, rows),
    KeyFileRefused.
    """
    where = str(path)
    refuse_missing(path)
    key_file = key_file or default_key_file()
    key = read_key(key_file, manifest=path)
    try:
        # Not read_table: it loads pyarrow.dataset, and with it pandas, which costs half a second.
        properties = pqe.create_decryption_properties(footer_key=key, allow_plaintext_files=False)
        with pq.ParquetFile(path, decryption_properties=properties) as file:
            table = file.read()
        rows = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError):
        raise _unreadable(path, key_file) from None
    metadata = table.schema.metadata or {}
    _check_schema(table.schema, metadata, where)
    check_rows(rows, where)
    evidence_digest = metadata.get(_META_EVIDENCE, b"").decode("ascii", "replace")
    digest = _digest(rows, evidence_digest)
    if metadata.get(_META_DIGEST, b"").decode("ascii", "replace") != digest:
        raise ManifestUnreadable(
            "the rows are not those that were exported (content digest differs)",
            where=where,
            next_step="export the manifest again with `laeforensics audit`; nothing was started",
        )
    return Manifest(accounts=tuple(from_row(r) for r in rows), evidence_digest=evidence_digest, digest=digest)


def _unreadable(path: Path, key_file: Path) -> ManifestUnreadable:
    """Damage that can be seen without the key is told from what may be another key's."""
    with path.open("rb") as file:
        first, size = file.read(len(LOCKED)), file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(LOCKED)))
        last = file.read()
    if (first, last) == (LOCKED, LOCKED):
        return ManifestUnreadable(
            "this key does not open the manifest: it was locked with another one, or the file was changed since",
            where=f"{path}\n{key_file} (the key)",
            next_step="name the key that its `laeforensics audit` named with --key-file; if that is the one, take the "
            "manifest's other copy, or audit again; nothing was started",
        )
    what = "is cut off or damaged" if first == LOCKED else "is none: the file is of another kind"
    return ManifestUnreadable(
        f"the manifest {what}",
        where=str(path),
        next_step="name another copy of it, or write it again with `laeforensics audit`; nothing was started",
    )


def _check_schema(schema: pa.Schema, metadata: dict[bytes, bytes], where: str) -> None:
    version = metadata.get(_META_VERSION, b"none").decode("ascii", "replace")
    if version != str(SCHEMA_VERSION):
        raise ManifestInvalid(
            f"the manifest has schema version {version}, this software reads {SCHEMA_VERSION}",
            where=where,
            next_step="export it again with this version's `laeforensics audit`; nothing was started",
        )
    for expected in SCHEMA:
        if expected.name not in schema.names or schema.field(expected.name).type != expected.type:
            raise ManifestInvalid(
                f"column {expected.name} is missing or not {expected.type}",
                where=f"{where} · column {expected.name}",
                next_step="export the manifest again with `laeforensics audit`; nothing was started",
            )


def content_digest(accounts: Iterable[Account], *, evidence_digest: str) -> str:
    """The digest that a manifest of these accounts has. Raises ManifestInvalid."""
    rows = Rows(tuple(sorted(accounts, key=lambda a: a.account_id)), reveal=True)
    check_rows(rows, "the accounts")
    return _digest(rows, evidence_digest)


def _digest(rows: Iterable[dict[str, object]], evidence_digest: str) -> str:
    """SHA-256 of the JSON list [version, evidence digest, rows], made row by row: the whole text would be large."""
    digest = hashlib.sha256(f"[{SCHEMA_VERSION},{json.dumps(evidence_digest)},[".encode("ascii"))
    for number, row in enumerate(rows):
        text = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        digest.update(f"{',' if number else ''}{text}".encode("ascii"))
    digest.update(b"]]")
    return digest.hexdigest()
