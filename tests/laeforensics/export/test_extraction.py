"""Facts as files for other programs, with and without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe
import pytest
from makings import INTRODUCER, PRODUCT_TOKEN, SECRET_KEY, USER_TOKEN, open_files
from makings import evidence as whole

import laeforensics as lf
from laeforensics.export import extraction
from laerecover.manifest import ManifestError

SECRETS = (SECRET_KEY, USER_TOKEN, PRODUCT_TOKEN, INTRODUCER.pem.split("\n")[4])


@pytest.fixture
def case(tmp_path) -> lf.Case:
    return open_files(tmp_path / "evidence", whole())


def write(case: lf.Case, path: Path, key_file: Path | None = None) -> int:
    rows = extraction.rows(case.judgement.signups, case.judgement.reading.files)
    return extraction.write(path, rows, key_file=key_file)


def expected(case: lf.Case, *, reveal: bool) -> list[dict[str, object]]:
    rows = case.facts.to_dict("records")
    show = (
        (lambda v: v.reveal() if hasattr(v, "reveal") else v)
        if reveal
        else (lambda v: v if v is None or isinstance(v, str) else repr(v))
    )
    return [{**row, "value": show(row["value"])} for row in rows]


def test_jsonl_holds_the_facts_with_fingerprints(case, tmp_path):
    """One object a line, the columns of `case.facts` in their order, no secret."""
    path = tmp_path / "facts.jsonl"
    assert write(case, path) == len(case.facts)
    text = path.read_text("utf-8")
    found = [json.loads(line) for line in text.split("\n") if line]
    assert found == expected(case, reveal=False)
    assert tuple(found[0]) == extraction.COLUMNS
    assert not [secret for secret in SECRETS if secret in text]


def test_parquet_holds_the_facts_with_fingerprints(case, tmp_path):
    """The same columns and rows; nothing of a secret in the file's bytes."""
    path = tmp_path / "facts.parquet"
    write(case, path)
    table = pq.read_table(path)
    assert tuple(table.column_names) == extraction.COLUMNS
    assert table.to_pylist() == expected(case, reveal=False)
    assert not [secret for secret in SECRETS if secret.encode() in path.read_bytes()]


def test_with_a_key_the_parquet_holds_the_secrets_encrypted(case, tmp_path):
    """Readable with the key alone, by its owner alone; a byte changed is noticed."""
    path, key_file = tmp_path / "facts.parquet", tmp_path / "key" / "k"
    write(case, path, key_file)
    data = path.read_bytes()
    assert not [secret for secret in SECRETS if secret.encode() in data]
    assert data.startswith(b"PARE")
    assert path.stat().st_mode & 0o777 == key_file.stat().st_mode & 0o777 == 0o600
    opening = pqe.create_decryption_properties(footer_key=key_file.read_bytes(), allow_plaintext_files=False)
    assert pq.read_table(path, decryption_properties=opening).to_pylist() == expected(case, reveal=True)
    with pytest.raises(OSError, match="encrypt"):
        pq.read_table(path)


def test_what_cannot_be_written_is_refused(case, tmp_path):
    """.jsonl with a key, a suffix that nobody knows, a key beside the file: refused, and nothing is left behind."""
    for name in ("facts.jsonl", "facts.csv"):
        with pytest.raises(lf.ForensicsError) as error:
            write(case, tmp_path / name, tmp_path / "key" / "k")
        assert "--output" in error.value.next_step
    with pytest.raises(ManifestError, match="beside"):
        write(case, tmp_path / "facts.parquet", tmp_path / "k")
    assert [path.name for path in tmp_path.iterdir()] == ["evidence"]


def test_a_failed_write_leaves_the_old_file(case, tmp_path):
    """Written whole or not at all."""
    path = tmp_path / "facts.parquet"
    write(case, path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        extraction.write(path, (1 / 0 for _ in range(1)))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
