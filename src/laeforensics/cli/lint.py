"""`grammars lint`: the grammars are held against their samples."""

from __future__ import annotations

import json
import sys

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import Json


def lint(as_json: Json = False) -> None:
    """Run every grammar's samples; what no sample hits, or what two terminals would take, is named.
    Exits with 1 if something is."""
    from dataclasses import asdict

    from laeforensics.reading import linting

    problems = linting.lint()
    print(linting.render(problems), file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=1))
    if problems:
        raise typer.Exit(_shell.EXIT_CHECK)
