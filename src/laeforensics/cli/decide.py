"""`decide`: a human says which witness of a contested field is right, or that an unread file is not needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import EVIDENCE, CaseFolder, CaseOptions, ProductTokens


def decide(
    evidence: Annotated[list[Path] | None, EVIDENCE] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="log name, bucket, e-mail or activation key")] = None,
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="the contested field")] = None,
    witness: Annotated[
        int | None,
        typer.Option(help="the number that `explain` shows before the right witness; 0 withdraws a decision"),
    ] = None,
    because: Annotated[str | None, typer.Option(help="why")] = None,
    who: Annotated[str | None, typer.Option(help="who decides; default: you")] = None,
    aside: Annotated[
        str | None, typer.Option("--set-aside", metavar="FILE", help="an unread file in which nothing is needed")
    ] = None,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
) -> None:
    """Decide a contested field: which witness is right, who says so, why.
    Kept in the case folder, carried into the manifest.

    Or set an unread file aside, with its digest: it blocks no account until it changes."""
    from laeforensics.evidence import custody
    from laeforensics.facts.masking import plain

    roots = list(evidence or ())
    if aside is not None:  # what stands last is no KEY and no FIELD then
        roots += [Path(word) for word in (key, field) if word is not None]
        key = field = None
    options = CaseOptions(evidence=roots, case_folder=case_folder, product_tokens=product_tokens)
    _refuse_half(roots, aside, {"EVIDENCE": roots or None, "KEY": key, "FIELD": field, "--witness": witness}, because)
    if options.case_folder is not None:
        custody.refuse_inside(options.case_folder, options.evidence)
    who = who or _shell.user_name()
    case = _shell.open_case(options)
    try:
        if aside is not None:
            told = "\n".join(case.set_aside(aside, who=who, because=because or ""))
        else:
            told = case.decide(key or "", field or "", witness=witness or 0, who=who, because=because or "")
    except OSError as error:
        _shell.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    again = f" --case {options.case_folder}" if options.case_folder else ""
    again += f" --product-tokens {options.product_tokens}" if options.product_tokens else ""
    print(f"{plain(told)}\nkept in {case.folder}\nnext: laeforensics audit {' '.join(map(str, roots))}{again}")


def _refuse_half(roots: list[Path], aside: str | None, words: dict[str, object], because: str | None) -> None:
    """End with EXIT_EVIDENCE unless one decision is said, and said whole."""
    where = " ".join(map(str, roots)) or "decide"
    if aside is not None and words["--witness"] is not None:
        _shell.stop("two decisions at once", "--witness, --set-aside", "give one of them")
    missing = [word for word, value in words.items() if value is None and (aside is None or word == "EVIDENCE")]
    if missing:
        usage = (
            "decide EVIDENCE KEY FIELD --witness N --because WHY"
            if aside is None
            else "decide EVIDENCE --set-aside FILE"
        )
        _shell.stop(f"{', '.join(missing)} is missing", where, f"laeforensics {usage}")
    if because is None:
        _shell.stop("a decision needs a reason", where, "say it for those who read it later: --because WHY")
