"""`extract`: every value at every place, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseOptions, of_a_case


@of_a_case("case_folder", "jobs")
def extract(
    options: CaseOptions,
    output: Annotated[Path, typer.Option("--output", "-o", help="facts.parquet or facts.jsonl")] = Path(
        "facts.parquet"
    ),
    key_file: Annotated[
        Path | None, typer.Option(help="write the secrets too, encrypted under this key; made if it does not exist")
    ] = None,
) -> None:
    """Write every value at every place, for other programs. Secrets are fingerprints unless there is a key."""
    from laeforensics.export import extraction

    _shell.refuse_inside(output, options.evidence, "the facts")
    extraction.check(output, key_file)
    judgement = _shell.open_case(options).judgement
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = extraction.rows(judgement.signups, judgement.reading.files)
    written = extraction.write(output, rows, key_file=key_file)
    how = "secrets are fingerprints" if key_file is None else f"with secrets, encrypted under {key_file}"
    print(f"{output}  {written} facts of {len(judgement.joined)} logs, {how}")
