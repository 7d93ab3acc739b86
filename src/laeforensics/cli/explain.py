"""`explain`: why we believe what we say of one account."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseFolder, Evidence, Jobs, Json, ProductTokens


def explain(
    evidence: Evidence,
    key: Annotated[str, typer.Argument(metavar="KEY", help="log name, bucket, e-mail or activation key")],
    field: Annotated[str | None, typer.Option(help="only this field")] = None,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Why we believe what we say of one account: every field, every witness with its place."""
    from dataclasses import asdict, replace

    explanation = _shell.open_case(evidence, case_folder, None, jobs, product_tokens).explain(key)
    if field is not None:
        chosen = tuple(f for f in explanation.fields if f.name == field)
        if not chosen:
            names = ", ".join(f.name for f in explanation.fields)
            _shell.stop(f"no field {field!r}", "--field", f"choose one of {names}")
        explanation = replace(explanation, fields=chosen)
    print(explanation, file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(asdict(explanation), indent=1))
