"""The manifest at rest: one encrypted Parquet file, and its key in a file of its own."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shlex
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe

from laerecover.manifest.account import Account
from laerecover.manifest.errors import KeyFileRefused, ManifestInvalid, ManifestUnreadable
from laerecover.manifest.schema import SCHEMA, SCHEMA_VERSION, Rows, check_rows, from_row
from laerecover.manifest.sealed import tables, write_parquet

_KEY_BYTES = 32
_META_VERSION = b"lae-recovery.schema-version"
_META_EVIDENCE = b"lae-recovery.evidence-digest"
_META_DIGEST = b"lae-recovery.content-digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All audited accounts of a case, each with its verdict; `digest` names exactly this content."""

    accounts: tuple[Account, ...]
    evidence_digest: str
    digest: str
    shared: Mapping[str, str] = field(default_factory=dict)
    """Account -> with whom it would serve one bucket; nobody recovers such a one. It is in no file."""

    @property
    def recoverable(self) -> tuple[Account, ...]:
        """The accounts that a run takes."""
        return tuple(a for a in self.accounts if a.verdict == "RECOVERABLE")


def default_key_file() -> Path:
    """`manifest.key` in the user's configuration folder (XDG_CONFIG_HOME, else ~/.config)."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "lae-recovery" / "manifest.key"


def read_key(key_file: Path, *, manifest: Path) -> bytes:
    """The 32 bytes of the key file.

    Raises KeyFileRefused: no such file, not 32 bytes, readable by others, or lying beside the manifest.
    """
    where = str(key_file)
    if key_file.resolve().parent == manifest.resolve().parent:
        raise KeyFileRefused(
            "the key lies beside the manifest",
            where=where,
            next_step="move it to another folder and pass --key-file; nothing was started",
        )
    try:
        found = key_file.stat()
        key = key_file.read_bytes()
    except OSError as error:
        raise KeyFileRefused(
            f"the key file cannot be read: {error.strerror}",
            where=where,
            next_step="pass --key-file with the file that `laeforensics audit` named; nothing was started",
        ) from None
    if len(key) != _KEY_BYTES:
        raise KeyFileRefused(
            f"the key file holds {len(key)} bytes, not {_KEY_BYTES}",
            where=where,
            next_step="pass --key-file with the right file",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        mine = found.st_uid == os.getuid()
        after = (
            f"chmod 600 {shlex.quote(where)}" if mine else "it is another user's: pass --key-file with your own copy"
        )
        raise KeyFileRefused("the key file is open to others", where=where, next_step=f"{after}; nothing was started")
    return key


def make_key(key_file: Path, *, manifest: Path) -> bytes:
    """The key in `key_file`, which is drawn and written (mode 0600) if there is none yet."""
    if key_file.resolve().parent == manifest.resolve().parent or key_file.exists():
        return read_key(key_file, manifest=manifest)
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(key_file, manifest=manifest)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


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
