"""`settings`: the operator's side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def settings(
    example: Annotated[bool, typer.Option("--example", help="Print a commented example, to be filled in.")] = False,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Say what is missing or wrong in it; nobody is asked."),
    ] = None,
) -> None:
    """The operator's side: where it is read from, how to begin one, whether one is whole."""
    from laerecover.settings_reader import DEFAULT_NAME
    from laerecover.settings_reader import example as example_text

    if example:
        print(example_text(), end="")
    elif check is not None:
        _check(check)
        print(f"whole: {check}")
    else:
        print(f"Settings are read from {DEFAULT_NAME} beside the manifest, or from --settings FILE.")
        print(f"Begin with: laerecover settings --example > {DEFAULT_NAME}")
        print(f"Then:       laerecover settings --check {DEFAULT_NAME}")


def _check(path: Path) -> None:
    """Raises LaeRecoverError: all that is missing or wrong in it, and in the files that it names."""
    from laerecover.credentials import changed_credentials
    from laerecover.errors import together
    from laerecover.planning.guards import guard_files
    from laerecover.settings import read_settings

    together(lambda: guard_files(read_settings(path)), lambda: changed_credentials(path))
