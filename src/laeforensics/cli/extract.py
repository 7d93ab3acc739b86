"""`extract`: every value at every place, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseFolder, Evidence, Jobs


def extract(
    evidence: Evidence,
    output: Annotated[Path, typer.Option("--output", "-o", help="facts.parquet or facts.jsonl")] = Path(
        "facts.parquet"
    ),
    key_file: Annotated[
        Path | None, typer.Option(help="write the secrets too, encrypted under this key; made if it does not exist")
    ] = None,
    case_folder: CaseFolder = None,
    jobs: Jobs = 1,
) -> None:
    """Write every value at every place, for other programs. Secrets are fingerprints unless there is a key."""
    from laeforensics.export import extraction

    _shell.refuse_inside(output, evidence, "the facts")
    extraction.check(output, key_file)
    case = _shell.open_case(evidence, case_folder, None, jobs)
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = extraction.rows((*case.joined, *case.lost), case.reading.files)
    written = extraction.write(output, rows, key_file=key_file)
    how = "secrets are fingerprints" if key_file is None else f"with secrets, encrypted under {key_file}"
    print(f"{output}  {written} facts of {len(case.joined)} logs, {how}")
