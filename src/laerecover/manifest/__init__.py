"""The contract between laeforensics and laerecover: Account, Manifest, Secret, and their encrypted file."""

from laerecover.manifest.account import FIELDS, GRADES, IDENTITIES, SECRET_FIELDS, SERVERS, VERDICTS, Account
from laerecover.manifest.audit_table import read_audit_table, write_audit_table
from laerecover.manifest.errors import KeyFileRefused, ManifestError, ManifestInvalid, ManifestUnreadable, OperatorError
from laerecover.manifest.journal import Journal, broken_journal
from laerecover.manifest.node_ids import is_node_privkey, tub_id_of_certificate, tub_id_of_pem
from laerecover.manifest.sealed import write_parquet
from laerecover.manifest.secret import Secret
from laerecover.manifest.store import (
    Manifest,
    content_digest,
    default_key_file,
    make_key,
    read_key,
    read_manifest,
    write_manifest,
)
from laerecover.manifest.whole import written_whole

__all__ = [
    "FIELDS",
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
    "is_node_privkey",
    "make_key",
    "read_audit_table",
    "read_key",
    "read_manifest",
    "tub_id_of_certificate",
    "tub_id_of_pem",
    "write_audit_table",
    "write_manifest",
    "write_parquet",
    "written_whole",
]
