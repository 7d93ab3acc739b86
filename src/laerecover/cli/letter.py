"""`letter`: one customer's mail as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES)
def letter(
    options: Options,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="A new file, its owner's alone.")],
) -> None:
    """Write a customer's mail with its furl into a file, for gpg, say; then `resolve ACCOUNT mail --told-by-hand`."""
    from laerecover.afterwards.letter import write_letter

    print(f"{write_letter(options, account, output)}: it holds the furl; encrypt it, then remove it")
