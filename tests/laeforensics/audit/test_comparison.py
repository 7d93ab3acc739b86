"""What differs between two audits, and which evidence made it so."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from makings import BUCKET, EMAIL, LOG_FILE, NAME, SECRET_KEY, log, open_files
from makings import evidence as whole

from laeforensics.audit.comparison import Difference, compare
from laerecover.manifest import ManifestError, read_audit_table


def audited(folder: Path, files: dict[str, bytes]) -> Path:
    """The audit.parquet of a folder."""
    open_files(folder / "evidence", files).export(folder / "m.parquet", key_file=folder / "key" / "k")
    return folder / "audit.parquet"


def difference(tmp_path: Path, old: dict[str, bytes], new: dict[str, bytes]) -> Difference:
    return compare(read_audit_table(audited(tmp_path / "old", old)), read_audit_table(audited(tmp_path / "new", new)))


def test_the_same_evidence_makes_no_difference(tmp_path):
    """Nothing appeared, vanished or changed."""
    found = difference(tmp_path, whole(), whole())
    assert (found.appeared, found.vanished, found.changed, found.other_witnesses) == ((), (), (), ())
    assert found.unchanged == 1


def test_a_secrets_file_that_was_found_changes_verdict_and_fields(tmp_path):
    """Each changed field with its old and new value (secrets as fingerprints), and the file that made it so."""
    found = difference(tmp_path, whole(secrets=None, log=log("credentials")), whole())
    (change,) = found.changed
    fields = {field.field: field for field in change.fields}
    assert (change.account_id, change.customer_email) == (BUCKET, EMAIL)
    assert (fields["verdict"].old, fields["verdict"].new) == ("INCOMPLETE", "RECOVERABLE")
    assert fields["user_secret_key"].old is None
    assert any(place.startswith(f"secrets/{NAME}:1 ") for place in fields["user_secret_key"].come)
    assert f"secrets/{NAME}" in change.evidence_come
    assert SECRET_KEY not in str(found) + json.dumps(asdict(found))


def test_accounts_appear_and_vanish(tmp_path):
    """With the evidence that tells of them."""
    other = {"activation_requests.csv": b"", "signup_logs/2012-01-01T000000Z-nobody": b"nothing\n"}
    found = difference(tmp_path, other, whole())
    assert [change.account_id for change in found.appeared] == [BUCKET]
    assert LOG_FILE in found.appeared[0].evidence_come
    assert [change.account_id for change in found.vanished] == ["attempt:nobody"]


def test_values_told_by_other_evidence_are_no_change(tmp_path):
    """A witness that is gone while another says the same is told apart."""
    found = difference(tmp_path, whole(), whole(servers=None))
    assert found.changed == ()
    assert found.other_witnesses[0].evidence_gone == ("serverinfo.csv",)


def test_the_text_names_account_field_and_file(tmp_path):
    """As a person reads it."""
    text = str(difference(tmp_path, whole(secrets=None, log=log("credentials")), whole()))
    assert text.startswith("0 appeared, 0 vanished, 1 changed")
    assert f"changed  {BUCKET}  {EMAIL}  RECOVERABLE" in text
    assert "verdict  INCOMPLETE -> RECOVERABLE" in text
    assert f"because of  secrets/{NAME}  (what it tells is new)" in text


def test_attempts_stand_in_the_audit_table_alone(tmp_path):
    """With verdict ABANDONED; the manifest holds accounts."""
    folder = tmp_path / "evidence"
    case = open_files(folder, {**whole(), "signup_logs/2012-01-01T000000Z-nobody": b"nothing\n"})
    manifest = case.export(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k")
    rows = read_audit_table(tmp_path / "audit.parquet")
    assert {row["account_id"]: row["verdict"] for row in rows} == {
        BUCKET: "RECOVERABLE",
        "attempt:nobody": "ABANDONED",
    }
    assert [account.account_id for account in manifest.accounts] == [BUCKET]


def test_only_audit_tables_are_compared(tmp_path):
    """A missing file, text, another table, the encrypted manifest: refused, with what to name instead."""
    audited(tmp_path, whole())
    text, table = tmp_path / "text.parquet", tmp_path / "table.parquet"
    text.write_text("no table", "utf-8")
    pq.write_table(pa.table({"account_id": ["x"], "verdict": ["y"], "provenance": ["z"]}), table)
    for path in (tmp_path / "none.parquet", tmp_path, text, table, tmp_path / "m.parquet"):
        with pytest.raises(ManifestError) as error:
            read_audit_table(path)
        assert "audit.parquet" in error.value.next_step


def test_a_table_of_another_version_is_compared_by_what_both_have(tmp_path):
    """A column that one of them lacks is no change."""
    path = audited(tmp_path, whole())
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["server_source"]), older)
    assert compare(read_audit_table(older), read_audit_table(path)).unchanged == 1
