"""Facts as rows for other programs: as Parquet, or one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from laeforensics.doubting.signups import Signup
from laeforensics.errors import ExtractionError
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.export import _arrow
from laeforensics.facts.fields import COURSE, fields_of, shown
from laeforensics.writing import write_whole
from laerecover.manifest import Secret

COLUMNS = ("signup", "field", "value", "evidence", "sha256", "line", "start", "end", "rule", "dialect", "channel")
_OF_THE_COURSE = frozenset(fields_of(COURSE))
_NUMBERS = frozenset({"line", "start", "end"})
_BATCH = 20_000


def rows(signups: Iterable[Signup], files: Iterable[tuple[EvidenceFile, str]]) -> Iterator[dict[str, Any]]:
    """One row (of COLUMNS) for every witness of every signup; a secret value is a `Secret`."""
    hashes = {file.name: sha256 for file, sha256 in files}
    for signup in signups:
        for name in sorted(signup.witnesses.keys() - _OF_THE_COURSE):
            for fact in signup.witnesses_of(name):
                yield {
                    "signup": signup.name,
                    "field": fact.field,
                    "value": shown(fact.field, fact.value or None),
                    "evidence": fact.locator.evidence,
                    "sha256": hashes.get(fact.locator.evidence),
                    "line": fact.locator.line,
                    "start": fact.locator.start,
                    "end": fact.locator.end,
                    "rule": fact.rule,
                    "dialect": signup.log.dialect if signup.log else None,
                    "channel": signup.hearing.channel(fact),
                }


def check(output: Path, key_file: Path | None) -> None:
    """Refuse what cannot be written, before anything is read. Raises ExtractionError."""
    if output.suffix not in (".parquet", ".jsonl"):
        raise ExtractionError(
            "facts are written as .parquet or .jsonl",
            where=str(output),
            next_step="give --output one of these suffixes",
        )
    if output.suffix == ".jsonl" and key_file is not None:
        raise ExtractionError(
            "a .jsonl file cannot be encrypted, so it never holds secrets",
            where=f"{output}, --key-file {key_file}",
            next_step="name an --output that ends with .parquet, or leave --key-file out: "
            "secrets are then fingerprints",
        )


def write(output: Path, facts: Iterable[dict[str, Any]], *, key_file: Path | None = None) -> int:
    """Write the facts, by the suffix of `output`; how many there are.

    Secrets are fingerprints, unless a key file is given: then the Parquet holds them, encrypted as the manifest is.
    Raises ExtractionError, KeyFileRefused, OSError.
    """
    check(output, key_file)
    if output.suffix == ".jsonl":
        return _write_jsonl(output, facts)
    return _write_parquet(output, facts, key_file)


def _write_parquet(output: Path, facts: Iterable[dict[str, Any]], key_file: Path | None) -> int:
    import pyarrow as pa

    from laerecover.manifest import make_key, write_parquet

    schema = pa.schema([(name, pa.int64() if name in _NUMBERS else pa.string()) for name in COLUMNS])
    key = None if key_file is None else make_key(key_file, manifest=output)
    plain = (_plain(f, reveal=key is not None) for f in facts)
    written = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal written
        while batch := list(islice(plain, _BATCH)):
            written += len(batch)
            yield pa.Table.from_pylist(batch, schema=schema)

    with _arrow.small_arrow():
        write_parquet(output, schema, tables(), key=key)
    return written


def _write_jsonl(output: Path, facts: Iterable[dict[str, Any]]) -> int:
    lines = [json.dumps(_plain(f, reveal=False), ensure_ascii=False) + "\n" for f in facts]
    write_whole(output, lines)
    return len(lines)


def _plain(fact: dict[str, Any], *, reveal: bool) -> dict[str, Any]:
    value = fact["value"]
    if not isinstance(value, Secret):
        return fact
    return {**fact, "value": value.reveal() if reveal else repr(value)}
