"""What is refused before anything is read: files that must not, or could not, be written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from laeforensics.cli._lines import complain

if TYPE_CHECKING:
    from laeforensics.cli._options import CaseOptions

EXIT_EVIDENCE = 2


def stop(what: str, where: str, next_step: str) -> NoReturn:
    """Say what is wrong, and end with EXIT_EVIDENCE."""
    complain(what, where, next_step)
    raise typer.Exit(EXIT_EVIDENCE)


def refuse_inside(output: Path, evidence: list[Path], what: str, other: str = "a file elsewhere with --output") -> None:
    """End with EXIT_EVIDENCE if an output would be written into the evidence."""
    for root in evidence:
        if output.resolve().is_relative_to(root.resolve()):
            stop(f"{what} would lie inside the evidence", str(output), f"name {other}: evidence is never written to")


def refuse_case(options: CaseOptions) -> None:
    """The same of a case folder that was named."""
    if options.case_folder is not None:
        refuse_inside(options.case_folder, options.evidence, "the case folder", "another folder with --case")


def refuse_unwritable(path: Path, option: str) -> None:
    """End with EXIT_EVIDENCE, before anything is read, if no file could be written there."""
    from laerecover.manifest import is_no_file

    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        stop(
            f"{folder.name} is no folder, so nothing can be written in it",
            str(path),
            f"name another file: {option} FILE",
        )
    if path.is_dir():
        stop("that name is a folder's", str(path), f"name a file in it: {option} {path / 'FILE'}")
    if is_no_file(path):
        stop("this is no file, but a device or a pipe", str(path), f"name a file: {option} FILE")
    if not os.access(folder, os.W_OK | os.X_OK):
        stop("nothing can be written in this folder", str(folder), f"name a file elsewhere: {option} FILE")


def refuse_key(key_file: Path | None, output: Path) -> None:
    """End with EXIT_EVIDENCE, before anything is read, if the key could lock nothing. Raises KeyFileRefused."""
    from laerecover.manifest import default_key_file, read_key

    try:
        key = key_file or default_key_file()
    except RuntimeError:
        stop("you have no home folder to keep the key in", "HOME", "name a key file: --key-file FILE")
    if key.exists() or key.resolve().parent == output.resolve().parent:
        read_key(key, manifest=output)
    else:
        refuse_unwritable(key, "--key-file")
