"""`decide`: a human says which witness of a contested field is right."""

from __future__ import annotations

from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseOptions, Key, of_a_case


@of_a_case("case_folder", "product_tokens")
def decide(
    options: CaseOptions,
    key: Key,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="the contested field")],
    witness: Annotated[
        int, typer.Option(help="the number that `explain` shows before the right witness; 0 withdraws a decision")
    ],
    because: Annotated[str, typer.Option(help="why")],
    who: Annotated[str | None, typer.Option(help="who decides; default: you")] = None,
) -> None:
    """Decide a contested field: which witness is right, who says so, why.
    Kept in the case folder, carried into the manifest."""
    import getpass

    from laeforensics.evidence import custody
    from laeforensics.facts.masking import plain

    if options.case_folder is not None:
        custody.refuse_inside(options.case_folder, options.evidence)
    case = _shell.open_case(options)
    try:
        told = case.decide(key, field, witness=witness, who=who or getpass.getuser(), because=because)
    except OSError as error:
        _shell.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    again = f" --case {options.case_folder}" if options.case_folder else ""
    again += f" --product-tokens {options.product_tokens}" if options.product_tokens else ""
    evidence = " ".join(map(str, options.evidence))
    print(f"{plain(told)}\nkept in {case.folder}\nnext: laeforensics audit {evidence}{again}")
