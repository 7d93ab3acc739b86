"""`decide`: a human says which witness of a contested field is right."""

from __future__ import annotations

from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseFolder, Evidence, ProductTokens


def decide(
    evidence: Evidence,
    key: Annotated[str, typer.Argument(metavar="KEY", help="log name, bucket, e-mail or activation key")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="the contested field")],
    witness: Annotated[
        int, typer.Option(help="the number that `explain` shows before the right witness; 0 withdraws a decision")
    ],
    because: Annotated[str, typer.Option(help="why")],
    who: Annotated[str | None, typer.Option(help="who decides; default: you")] = None,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
) -> None:
    """Decide a contested field: which witness is right, who says so, why. Kept in the case folder, carried into the manifest."""
    import getpass

    from laeforensics.evidence import custody
    from laeforensics.facts.masking import plain

    if case_folder is not None:
        custody.refuse_inside(case_folder, evidence)
    case = _shell.open_case(evidence, case_folder, None, 1, product_tokens)
    try:
        told = case.decide(key, field, witness=witness, who=who or getpass.getuser(), because=because)
    except OSError as error:
        _shell.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    print(
        f"{plain(told)}\nkept in {case.folder}\nnext: laeforensics audit {' '.join(map(str, evidence))}"
        f"{f' --case {case_folder}' if case_folder else ''}{f' --product-tokens {product_tokens}' if product_tokens else ''}"
    )
