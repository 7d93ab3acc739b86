"""What the verbs of laeforensics print and write about fixtures/evidence."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import consoles
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe
import pytest
import tables
from goldens import hold, timeless

CONTESTED = "signup_logs/2012-06-22T124506Z-ab7kmk3pdgsftjmluj23ahek4nj7u5k7"
# What another copy of the evidence lacks: an account's one log, another's secrets, what a third one's log tells too.
LOST = (
    "signup_logs/2011-11-29T150430Z-7ywnh2m7codjvyjuqh37mhwritnxg4k3",
    "secrets/2012-11-23T145935Z-2aztyhmxk2ytccvpxmu7db32oplrppmw",
    "secrets/S4_consumer_iteration_2_beta1_2014-05-27/"
    "2014-06-22T040908Z-mn2xgx2wijitivccijfesq2dgrbus-on2wexzwkzeekssfkbdfsvsfivhuk/stripe",
)


def told(ended: consoles.Ended) -> str:
    """For machines and for people, as it came."""
    return f"exit code {ended.code}\n\n== stdout\n{ended.out}\n== stderr\n{ended.err}"


def versionless(text: str) -> str:
    """Without times of today, and without this version's number."""
    return timeless(re.sub(r"laeforensics \d[\w.+]*", "laeforensics ‹version›", text))


def test_audit(audited):
    """The card, and the JSON."""
    hold("evidence-audit-json.txt", re.sub(r"fingerprint [0-9a-f]{8}", "fingerprint ‹key›", told(audited)))


def test_explain_of_a_contested_field_as_json(desk):
    """The keys and the numbers by which `decide` is told which witness is right."""
    words = ("explain", "evidence", CONTESTED, "--field", "product_token", "--case", "case", "--json")
    hold("evidence-explain-json.txt", told(consoles.laeforensics(desk, *words)))


@pytest.fixture(scope="session")
def damaged(desk: Path, audited: consoles.Ended) -> consoles.Ended:
    """`audit` of a copy that lacks LOST and has a changed file, in the same case folder."""
    copy = desk / "damaged/evidence"
    shutil.copytree(desk / "evidence", copy)
    for name in LOST:
        (copy / name).unlink()
    with (copy / "signups.csv").open("ab") as file:
        file.write(b"\n")
    words = ("--output", "damaged/manifest.parquet", "--key-file", "key/k", "--case", "case", "--json")
    return consoles.laeforensics(desk, "audit", "damaged/evidence", *words)


def test_audit_of_evidence_that_changed(damaged):
    """Exit code 1, and which files are not what they were."""
    body = json.loads(damaged.out)
    assert (damaged.code, sorted(body["evidence_changed"])) == (1, sorted((*LOST, "signups.csv")))


def test_diff(desk, audited, damaged):
    """Accounts that vanished and changed, because of which evidence; and the other way round."""
    assert audited.code == 0
    there = consoles.laeforensics(desk, "diff", "audit.parquet", "damaged/audit.parquet", "--json")
    back = consoles.laeforensics(desk, "diff", "damaged/audit.parquet", "audit.parquet")
    hold("evidence-diff.txt", f"{told(there)}\n\n{told(back)}")


def test_custody(desk, audited, damaged):
    """The register, and what it says of the evidence as it is, and of the copy."""
    assert (audited.code, damaged.code) == (0, 1)
    (desk / "damaged/evidence/notes.txt").write_text("found later\n")
    case = ("--case", "case")
    lines = [
        ("custody", "evidence", *case),
        ("custody", "evidence", *case, "--json"),
        ("custody", "evidence", *case, "--check"),
        ("custody", "damaged/evidence", *case, "--check", "--json"),
    ]
    parts = []
    for words in lines:
        ended = consoles.laeforensics(desk, *words)
        if "--check" not in words and "--json" in words:
            ended = consoles.Ended(ended.code, ended.out.partition("\n")[0] + "\n", ended.err)
        parts.append(f"$ laeforensics {' '.join(words)}\n{versionless(told(ended))}")
    hold("evidence-custody.txt", "\n\n".join(parts))


def test_extract_writes_the_facts(desk, case):
    """As .jsonl and as .parquet: the rows of case.facts, in their order, secrets as fingerprints."""
    rows = [{name: tables.plain(value) for name, value in row.items()} for row in tables.table(case, "facts")]
    parts = []
    for name in ("facts.jsonl", "facts.parquet"):
        ended = consoles.laeforensics(desk, "extract", "evidence", "--output", name, "--case", "case")
        parts.append(f"$ laeforensics extract evidence --output {name}\n{told(ended)}")
    text = (desk / "facts.jsonl").read_text("utf-8")
    table = pq.read_table(desk / "facts.parquet")
    assert [json.loads(line) for line in text.split("\n") if line] == rows
    assert table.to_pylist() == rows
    parts += [f"SHA-256 of facts.jsonl  {hashlib.sha256(text.encode()).hexdigest()}", *_schema(table.schema)]
    hold("evidence-extract.txt", "\n".join(parts) + "\n")


def test_the_manifest_holds_what_it_held(desk, audited):
    """Columns, metadata, and a digest per row.

    What is in them, secrets as fingerprints, stands in audit.parquet beside it.
    """
    assert audited.code == 0
    properties = pqe.create_decryption_properties(footer_key=consoles.KEY)
    with pq.ParquetFile(desk / "manifest.parquet", decryption_properties=properties) as file:
        table = file.read()
    lines = [f"{key.decode()}  {value.decode()}" for key, value in sorted((table.schema.metadata or {}).items())]
    assert len(lines) == 3
    lines += ["", *_schema(table.schema), ""]
    lines += [f"{row['account_id']}  {_digest(row)}" for row in table.to_pylist()]
    hold("manifest.txt", "\n".join(lines) + "\n")


def test_audit_parquet_holds_what_it_held(desk, audited):
    """Every cell of every account and attempt; of the places that tell its values a digest."""
    assert audited.code == 0
    table = pq.read_table(desk / "audit.parquet", partitioning=None)
    rows = [{**row, "provenance": _digest(row["provenance"])} for row in table.to_pylist()]
    lines = [*_schema(table.schema), "", tables.paragraphs(rows)]
    hold("evidence-audit-parquet.txt", "\n".join(lines))


def _schema(schema: pa.Schema) -> Iterator[str]:
    return (f"{each.name:<24} {_kind(each.type)}{'' if each.nullable else ', never null'}" for each in schema)


def _kind(kind: Any) -> str:
    """The type in words: how Arrow names the inside of a list differs from version to version."""
    if pa.types.is_list(kind):
        return f"list of {_kind(kind.value_type)}"
    if pa.types.is_struct(kind):
        inside = (kind.field(number) for number in range(kind.num_fields))
        return f"struct of {', '.join(f'{each.name} {_kind(each.type)}' for each in inside)}"
    return str(kind)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()[:16]
