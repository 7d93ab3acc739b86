"""`settings`: the operator's side."""

from __future__ import annotations

from typing import Annotated

import typer


def settings(example: Annotated[bool, typer.Option("--example", help="Print a commented example.")] = False) -> None:
    """The operator's side: which file it is, and what stands in it."""
    from laerecover.settings_reader import DEFAULT_NAME
    from laerecover.settings_reader import example as example_text

    if example:
        print(example_text(), end="")
    else:
        print(f"Settings are read from {DEFAULT_NAME} beside the manifest, or from --settings FILE.")
        print(f"Begin with: laerecover settings --example > {DEFAULT_NAME}")
