"""The manifest at rest: one encrypted Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe

from laerecover.manifest.account import Account, Manifest
from laerecover.manifest.errors import ManifestInvalid, ManifestUnreadable
from laerecover.manifest.keys import default_key_file, make_key, read_key
from laerecover.manifest.schema import SCHEMA, SCHEMA_VERSION, Rows, check_rows, from_row
from laerecover.manifest.sealed import tables, write_parquet

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
    if not path.is_file():
        raise ManifestUnreadable(
            "no such manifest",
            where=where,
            next_step="write one with `laeforensics audit EVIDENCE --output manifest.parquet`",
        )
    key_file = key_file or default_key_file()
    key = read_key(key_file, manifest=path)
    try:
        # Not read_table: it loads pyarrow.dataset, and with it pandas, which costs half a second.
        properties = pqe.create_decryption_properties(footer_key=key, allow_plaintext_files=False)
        with pq.ParquetFile(path, decryption_properties=properties) as file:
            table = file.read()
        rows = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise ManifestUnreadable(
            f"the manifest is damaged, was changed, or is locked with another key ({type(error).__name__})",
            where=f"{where}, opened with the key {key_file}",
            next_step="restore it or export it again with `laeforensics audit`, and check --key-file; nothing was "
            "started",
        ) from None
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
