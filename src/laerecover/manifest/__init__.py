"""The contract between laeforensics and laerecover: Account, Manifest, Secret, and their encrypted file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from laerecover.manifest.account import (
    FIELDS,
    FINISH,
    GRADES,
    IDENTITIES,
    SECRET_FIELDS,
    SERVERS,
    VERDICTS,
    Account,
    Manifest,
)
from laerecover.manifest.errors import (
    KeyFileRefused,
    ManifestError,
    ManifestInvalid,
    ManifestUnreadable,
    OperatorError,
    refuse_missing,
)
from laerecover.manifest.journal import Journal, broken_journal
from laerecover.manifest.keys import default_key_file, key_fingerprint, make_key, read_key
from laerecover.manifest.node_ids import is_node_privkey, tub_id_of_certificate, tub_id_of_pem
from laerecover.manifest.secret import Secret
from laerecover.manifest.whole import is_no_file, written_whole

if TYPE_CHECKING:
    from laerecover.manifest.audit_table import digest_of_evidence, read_audit_table, write_audit_table
    from laerecover.manifest.sealed import write_parquet
    from laerecover.manifest.store import content_digest, read_manifest, write_manifest

__all__ = [
    "FIELDS",
    "FINISH",
    "GRADES",
    "IDENTITIES",
    "SECRET_FIELDS",
    "SERVERS",
    "VERDICTS",
    "Account",
    "Journal",
    "KeyFileRefused",
    "Manifest",
    "ManifestError",
    "ManifestInvalid",
    "ManifestUnreadable",
    "OperatorError",
    "Secret",
    "broken_journal",
    "content_digest",
    "default_key_file",
    "digest_of_evidence",
    "is_no_file",
    "is_node_privkey",
    "key_fingerprint",
    "make_key",
    "read_audit_table",
    "read_key",
    "read_manifest",
    "refuse_missing",
    "tub_id_of_certificate",
    "tub_id_of_pem",
    "write_audit_table",
    "write_manifest",
    "write_parquet",
    "written_whole",
]

# Where each of the others lives. Imported when first asked for: they need Arrow, which takes longer to load than many
# a command to run, and which none needs who only keeps a secret.
_HOMES = {
    "digest_of_evidence": "audit_table",
    "read_audit_table": "audit_table",
    "write_audit_table": "audit_table",
    "write_parquet": "sealed",
    "content_digest": "store",
    "read_manifest": "store",
    "write_manifest": "store",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'laerecover.manifest' has no attribute {name!r}")
    return getattr(import_module(f"laerecover.manifest.{_HOMES[name]}"), name)
