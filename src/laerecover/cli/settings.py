"""`settings`: the operator's side."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from laerecover.settings_reader import OperatorFile


def settings(
    example: Annotated[bool, typer.Option("--example", help="Print a commented example, to be filled in.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="FILE", help="Say what is missing, wrong or the example's in it; nobody is asked."
        ),
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
    """Raises LaeRecoverError: all that is missing, wrong or not filled in, here and in the files that it names."""
    from laerecover.credentials import changed_credentials
    from laerecover.errors import together
    from laerecover.planning.guards import guard_files
    from laerecover.settings import read_settings

    together(
        lambda: together(lambda: guard_files(read_settings(path)), lambda: _guard_own(path)),
        lambda: changed_credentials(path),
    )


def _guard_own(path: Path) -> None:
    """Raises Mistakes: what a recovery in earnest cannot use, though a file may say it."""
    from laerecover.errors import Mistakes
    from laerecover.settings_reader import OperatorFile

    told = OperatorFile(path)
    mistakes = [*told.not_filled_in(), *_no_region(told)]
    if mistakes:
        raise Mistakes(mistakes, of="settings", next_step="name your own; nothing was started")


def _no_region(told: OperatorFile) -> Iterator[tuple[str, str]]:
    """A region that Amazon does not have, unless an endpoint says where it is."""
    from laerecover.adapters.aws import known_regions

    ec2 = told.table.get("ec2")
    region = ec2.get("region") if isinstance(ec2, dict) and "endpoint" not in ec2 else None
    if isinstance(region, str) and region not in known_regions():
        near = get_close_matches(region, sorted(known_regions()), 3)
        newer = "one that is newer than this program needs ec2.endpoint, too"
        hint = f"did you mean {' or '.join(near)}?" if near else newer
        yield f"ec2.region is none of Amazon's regions; {hint}", told.place_of("ec2", "region")
