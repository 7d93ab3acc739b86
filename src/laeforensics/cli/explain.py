"""`explain`: why we believe what we say of one account."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseOptions, Key, of_a_case


@of_a_case("case_folder", "product_tokens", "closed", "jobs", "as_json")
def explain(
    options: CaseOptions,
    key: Key,
    field: Annotated[str | None, typer.Option(help="only this field")] = None,
) -> None:
    """Why we believe what we say of one account: every field, every witness with its place."""
    from dataclasses import asdict, replace

    explanation = _shell.open_case(options).explain(key)
    if field is not None:
        chosen = tuple(f for f in explanation.fields if f.name == field)
        if not chosen:
            names = ", ".join(f.name for f in explanation.fields)
            _shell.stop(f"no field {field!r}", "--field", f"choose one of {names}")
        explanation = replace(explanation, fields=chosen)
    print(explanation, file=sys.stderr if options.as_json else sys.stdout)
    if options.as_json:
        print(json.dumps(asdict(explanation), indent=1))
