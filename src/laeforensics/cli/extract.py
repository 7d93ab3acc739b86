"""`extract`: every value at every place, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _refusals, _shell
from laeforensics.cli._options import CaseOptions, of_a_case


@of_a_case("case_folder", "jobs")
def extract(
    options: CaseOptions,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".parquet or .jsonl, default facts.parquet; of timesketch timesketch.csv"),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="write the secrets too, encrypted under this key; made if it does not exist")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="facts|timesketch", help="every value; or what happened, for Timesketch")
    ] = "facts",
) -> None:
    """Write every value at every place, for other programs. Secrets are fingerprints unless there is a key.

    With --format timesketch: what happened to each account and when, as .csv or .jsonl that Timesketch imports.
    """
    from laeforensics.export import extraction
    from laeforensics.present import timesketch

    if format_ not in ("facts", "timesketch"):
        raise typer.BadParameter("--format is facts or timesketch")
    output = output or Path("timesketch.csv" if format_ == "timesketch" else "facts.parquet")
    _refusals.refuse_inside(output, options.evidence, "the facts")
    (timesketch if format_ == "timesketch" else extraction).check(output, key_file)
    _refusals.refuse_unwritable(output, "--output")
    if key_file is not None:
        _refusals.refuse_inside(key_file, options.evidence, "the key", "a file elsewhere with --key-file")
        _refusals.refuse_key(key_file, output)
    judgement = _shell.open_case(options).judgement
    output.parent.mkdir(parents=True, exist_ok=True)
    if format_ == "timesketch":
        print(
            f"{output}  {timesketch.write(output, judgement)} events of {len(judgement.accounts)} accounts and attempts"
        )
        return
    rows = extraction.rows(judgement.signups, judgement.reading.files)
    written = extraction.write(output, rows, key_file=key_file)
    how = "secrets are fingerprints" if key_file is None else f"with secrets, encrypted under {key_file}"
    print(f"{output}  {written} facts of {len(judgement.joined)} logs, {how}")
