"""Who worked on a case: what was typed is entered where a verb begins to write to the case's folder."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from laerecover.manifest import Journal


class _Typed:
    """What was typed, and the journal in which it is entered once it writes to a case."""

    words: Sequence[str] = ()
    journal: Journal | None = None
    manifest: str = ""
    """Digest of the manifest that it wrote."""


def keep(words: Sequence[str]) -> None:
    """From now on this command is entered in the journal of the case that it writes to."""
    _Typed.words, _Typed.journal, _Typed.manifest = words, None, ""


def typed() -> Sequence[str]:
    """The words that were typed behind the program's name."""
    return _Typed.words


def typed_with(*options: str, words: Sequence[str] = ()) -> str:
    """The command that was typed, with more options and words: to be copied, with its CAPITALS filled in."""
    from laeforensics.facts.masking import command

    typed = [*_Typed.words]
    end = typed.index("--") if "--" in typed else None
    more = [*typed, *words, *options] if end is None else [*typed[:end], *options, *typed[end:], *words]
    return command(["laeforensics", *more])


def enter_begin(folder: Path) -> None:
    """Enter in the case's journal that this command begins to write there. It never fails; what is wrong is said."""
    from laerecover.manifest import Journal

    _Typed.journal = _Typed.journal or Journal(["laeforensics", *_Typed.words], say=say)
    with contextlib.suppress(OSError):  # Whoever writes there next says so.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _Typed.journal.begin(folder)


def enter_manifest(digest: str) -> None:
    """The manifest that this command has written, for the journal's line of its end."""
    _Typed.manifest = digest


def say(said: str) -> None:
    """What is wrong with a journal; the command goes on."""
    typer.echo(f"laeforensics: {said}", file=sys.stderr)


def enter_end(status: object) -> None:
    """The command ends with this code."""
    journal, _Typed.journal = _Typed.journal, None
    if journal is not None:
        digests = {"manifest": _Typed.manifest} if _Typed.manifest else {}
        journal.end(status if isinstance(status, int) else int(status is not None), lambda folder: digests)
