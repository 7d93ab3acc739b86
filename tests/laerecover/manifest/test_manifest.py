"""The manifest: whatever is wrong with it is refused, with a place and a remedy, and never half read."""

import json
import os
import random
import re
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laerecover.manifest import (
    Account,
    KeyFileRefused,
    ManifestError,
    ManifestInvalid,
    ManifestUnreadable,
    Secret,
    read_manifest,
    write_audit_table,
    write_manifest,
)
from laerecover.manifest.schema import SCHEMA, check_rows, to_row

CANARIES = ("canary-secret-key", "canary-furl")


def account(number=0, **changes):
    bucket = f"lae-7a3c2f01-{number:032d}"
    values = {
        "account_id": bucket,
        "bucket_name": bucket,
        "verdict": "RECOVERABLE",
        "grade": "IDENTITY_KEPT",
        "user_access_key_id": "AKIAEXAMPLE",
        "user_secret_key": Secret("canary-secret-key"),
        "introducer_furl": Secret("pb://tub@203.0.113.1:12345/canary-furl"),
        "customer_email": "ann@example.org",
        "missing": ("server_node_pem",),
        "provenance": {"bucket_name": ("signup_logs/a:3 [10:20) bucketname",)},
    }
    return Account(**{**values, **changes})


@pytest.fixture
def place(tmp_path):
    (tmp_path / "config").mkdir()
    return tmp_path / "manifest.parquet", tmp_path / "config" / "manifest.key"


@pytest.fixture
def written(place):
    path, key = place
    write_manifest(path, [account(n) for n in range(3)], evidence_digest="e" * 64, key_file=key)
    return path, key


def rewrite(path, key, change):
    """Write the file's table again under the right key, with one thing changed, as a careful forger would."""
    secret = key.read_bytes()
    table = pq.read_table(path, decryption_properties=pqe.create_decryption_properties(footer_key=secret))
    properties = pqe.create_encryption_properties(footer_key=secret, plaintext_footer=False)
    pq.write_table(change(table), path, encryption_properties=properties)


def test_what_is_written_is_read(place):
    """Every field comes back as it was, secrets and provenance too, sorted by account."""
    path, key = place
    made = write_manifest(path, [account(2), account(1)], evidence_digest="e" * 64, key_file=key)
    read = read_manifest(path, key_file=key)
    assert read == made
    assert read.accounts == (account(1), account(2))
    assert read.accounts[0].user_secret_key.reveal() == "canary-secret-key"


def test_only_recoverable_accounts_are_for_a_run(place):
    """The other verdicts stay in the manifest and out of `recoverable`."""
    path, key = place
    others = [
        account(n, verdict=v, grade=None)
        for n, v in enumerate(("INCOMPLETE", "CONTESTED", "UNFINISHED", "ABANDONED"), 1)
    ]
    made = write_manifest(path, [account(), *others], evidence_digest="e" * 64, key_file=key)
    assert (len(made.accounts), len(made.recoverable)) == (5, 1)


def test_files_are_for_their_owner_and_hide_their_secrets(written):
    """Manifest and key have mode 0600, and no secret stands in the manifest's bytes."""
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = written[0].read_bytes()
    assert not any(canary.encode() in content for canary in (*CANARIES, "ann@example.org"))


def test_the_audit_table_shows_fingerprints_and_is_no_manifest(written, tmp_path):
    """What is written for people holds no secret, and nobody can run it."""
    path, key = written
    audit = tmp_path / "audit.parquet"
    write_audit_table(audit, read_manifest(path, key_file=key).accounts)
    assert not any(canary.encode() in audit.read_bytes() for canary in CANARIES)
    assert pq.read_table(audit).to_pylist()[0]["user_secret_key"].startswith("‹secret ")
    with pytest.raises(ManifestError):
        read_manifest(audit, key_file=key)


def test_a_missing_file_is_refused_with_the_command_that_makes_one(place):
    """No such manifest: the remedy is `laeforensics audit`."""
    with pytest.raises(ManifestUnreadable, match="laeforensics audit"):
        read_manifest(place[0], key_file=place[1])


def test_another_key_does_not_open_it(written, tmp_path):
    """A key file of another case is no key."""
    other = tmp_path / "config" / "other.key"
    other.write_bytes(b"x" * 32)
    other.chmod(0o600)
    with pytest.raises(ManifestUnreadable, match="this key does not open the manifest") as refused:
        read_manifest(written[0], key_file=other)
    assert str(other) in refused.value.where
    assert "--key-file" in refused.value.next_step
    assert not re.search(r"[a-z](Error|Exception)\b", str(refused.value))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(written, mode):
    """Loose permissions: the remedy is chmod 600."""
    written[1].chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        read_manifest(written[0], key_file=written[1])


def test_a_key_beside_the_manifest_is_refused(written):
    """A key that lies beside what it locks locks nothing."""
    beside = written[0].with_name("manifest.key")
    beside.write_bytes(written[1].read_bytes())
    beside.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="beside"):
        read_manifest(written[0], key_file=beside)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_key_of_another_length_is_refused(written, content):
    """A key file holds 32 bytes."""
    written[1].write_bytes(content)
    with pytest.raises(KeyFileRefused, match="32"):
        read_manifest(written[0], key_file=written[1])


def test_another_schema_version_is_refused(written):
    """A version that this software does not know is named."""
    rewrite(
        *written, lambda t: t.replace_schema_metadata({**t.schema.metadata, b"lae-recovery.schema-version": b"999"})
    )
    with pytest.raises(ManifestInvalid, match="version 999"):
        read_manifest(written[0], key_file=written[1])


@pytest.mark.parametrize("column", ["customer_email", "provenance", "verdict"])
def test_a_missing_column_is_named(written, column):
    """A missing column is refused by name."""
    rewrite(*written, lambda t: t.drop_columns([column]))
    with pytest.raises(ManifestInvalid, match=f"column {column}"):
        read_manifest(written[0], key_file=written[1])


def test_a_column_of_another_type_is_named(written):
    """A column of numbers where text belongs is refused by name."""

    def change(table):
        index = table.schema.get_field_index("bucket_name")
        return table.set_column(index, "bucket_name", pa.array([1, 2, 3]))

    rewrite(*written, change)
    with pytest.raises(ManifestInvalid, match="column bucket_name"):
        read_manifest(written[0], key_file=written[1])


def test_a_changed_email_is_noticed_even_under_the_right_key(written):
    """Rows that are not those that were exported are refused by their digest."""

    def change(table):
        index = table.schema.get_field_index("customer_email")
        return table.set_column(index, SCHEMA.field("customer_email"), pa.array(["mallory@example.net"] * 3))

    rewrite(*written, change)
    with pytest.raises(ManifestUnreadable, match="digest"):
        read_manifest(written[0], key_file=written[1])


def test_the_same_account_twice_is_refused_with_both_rows(place):
    """Two rows of one account: both are named, and no file is written."""
    path, key = place
    with pytest.raises(ManifestInvalid, match="rows 1 and 2"):
        write_manifest(path, [account(), account(customer_name="another")], evidence_digest="e" * 64, key_file=key)
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"verdict": "FINE"}, "verdict"),
        ({"grade": "PERFECT"}, "grade"),
        ({"server": "ASLEEP"}, "server"),
        ({"storage_identity": "SURE"}, "storage_identity"),
        ({"customer_email": ""}, "customer_email"),
        ({"user_secret_key": None}, "user_secret_key"),
        ({"grade": None}, "grade"),
        ({"bucket_name": "lae-another"}, "bucket_name"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(place, changes, column):
    """Row and column of every impossible value are told."""
    path, key = place
    with pytest.raises(ManifestInvalid, match=f"row 1 · column {column}"):
        write_manifest(path, [account(**changes)], evidence_digest="e" * 64, key_file=key)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(written, share):
    """A manifest cut anywhere is unreadable, never half read."""
    content = written[0].read_bytes()
    written[0].write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ManifestUnreadable, match="cut off or damaged" if share else "of another kind"):
        read_manifest(written[0], key_file=written[1])


def test_changed_bytes_change_no_value(written):
    """One flipped bit anywhere: the file is refused, or says what it said before."""
    path, key = written
    before, content = read_manifest(path, key_file=key), path.read_bytes()
    dice = random.Random(7)
    refused = 0
    for _ in range(150):
        position, bit = dice.randrange(len(content)), 1 << dice.randrange(8)
        path.write_bytes(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
        try:
            assert read_manifest(path, key_file=key) == before
        except ManifestError:
            refused += 1
    assert refused > 100


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_refused_calmly(tmp_path_factory, content):
    """Bytes that are no manifest give a ManifestUnreadable and nothing else."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "config").mkdir()
    key = folder / "config" / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    for dressed in (content, b"PAR1" + content + b"PAR1", b"PARE" + content + b"PARE"):
        (folder / "m.parquet").write_bytes(dressed)
        with pytest.raises(ManifestUnreadable):
            read_manifest(folder / "m.parquet", key_file=key)


def test_an_interrupted_writing_leaves_the_old_manifest(written, monkeypatch):
    """A writer that dies leaves the old file and no temporary one."""
    path, key = written
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space"):
        write_manifest(path, [account(9)], evidence_digest="e" * 64, key_file=key)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.name.endswith(".tmp")] == []


def test_a_secret_shows_itself_to_nobody():
    """repr, str, format, JSON and rows for people show a fingerprint; equal texts share it."""
    secret = Secret("canary-secret-key")
    row = to_row(account(user_secret_key=secret), reveal=False)
    shown = f"{secret} {secret!r} {secret:>30} {row} {account(user_secret_key=secret)}"
    assert "canary-secret-key" not in shown
    assert secret.fingerprint in shown
    assert Secret("canary-secret-key").fingerprint == secret.fingerprint != Secret("another").fingerprint
    with pytest.raises(TypeError):
        json.dumps({"secret": secret})


def test_an_error_holds_no_secret(place):
    """A refused row names its place, not its values."""
    with pytest.raises(ManifestInvalid) as caught:
        check_rows([to_row(account(verdict="FINE"), reveal=True)], "m.parquet")
    assert not any(canary in str(caught.value) for canary in CANARIES)
