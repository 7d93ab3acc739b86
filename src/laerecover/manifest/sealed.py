"""Tables at rest: Parquet written whole or not at all, encrypted if there is a key."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pqe

from laerecover.manifest.whole import written_whole

LOCKED = b"PARE"
"""How an encrypted Parquet file begins and ends."""
_BATCH = 100


def tables(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows as tables of some hundreds each: thousands of accounts at once would take much memory.

    By way of JSON: where Arrow is given Python's own values it loads pandas, to see whether they are its. What is read
    is of the types that the schema asks for; to let Arrow convert it loads all that Arrow can compute.
    """
    for start in range(0, len(rows), _BATCH):
        text = "".join(f"{json.dumps(row)}\n" for row in rows[start : start + _BATCH]).encode("ascii")
        whole = pj.ReadOptions(use_threads=False, block_size=len(text))
        strict = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
        yield pa.Table.from_arrays(pj.read_json(io.BytesIO(text), whole, strict).columns, schema=schema)


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], *, key: bytes | None) -> None:
    """Write the tables one after the other into one file.

    With a `key` of 32 bytes the file is encrypted uniformly, its footer too (with a plaintext footer changed values
    would pass), and has mode 0600 from the start. Raises OSError.
    """
    sealing = None if key is None else pqe.create_encryption_properties(footer_key=key, plaintext_footer=False)
    with (
        written_whole(path, mode=0o666 if key is None else 0o600) as file,
        pq.ParquetWriter(file, schema, encryption_properties=sealing) as writer,
    ):
        for table in tables:
            writer.write_table(table)
