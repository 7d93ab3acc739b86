"""`notebook`: the notebooks, ready to run, beside the case."""

from __future__ import annotations

import importlib.resources
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _refusals, _shell
from laeforensics.cli._options import CaseOptions, Quiet, of_a_case

NOTEBOOKS = ("01_the_audit.ipynb", "02_one_account.ipynb")
_EVIDENCE, _CASE = '"../fixtures/evidence"', 'os.environ.get("LAE_CASE")'
"""What stands in the notebooks for the evidence, and for the case folder."""


@of_a_case("case_folder")
def notebook(
    options: CaseOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="the folder to lay them into; default EVIDENCE.notebooks/")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Lay the notebooks beside the case, ready to run: the audit, and one account. What lies there already stays."""
    from laeforensics.evidence.custody import default_folder
    from laeforensics.evidence.read import read_beside
    from laeforensics.facts import masking
    from laeforensics.writing import write_whole

    (evidence, *more) = options.evidence
    if more or not evidence.exists():
        what = "a notebook reads one folder or archive" if more else "no such folder"
        _refusals.stop(what, " ".join(map(str, options.evidence)), "name the folder or archive that holds the evidence")
    case = (options.case_folder or default_folder(evidence)).resolve()
    folder = output or case.with_name(f"{case.name.removesuffix('.case')}.notebooks")
    _refusals.refuse_inside(folder, options.evidence, "the notebooks")
    there = [folder / name for name in NOTEBOOKS if (folder / name).exists()]
    if there:
        _refusals.stop(
            "there are notebooks already", str(there[0]), "open them, or name another folder: --output FOLDER"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in NOTEBOOKS:
        with importlib.resources.as_file(importlib.resources.files("laeforensics.notebooks") / name) as source:
            told = json.loads(read_beside(source))
        for cell in told["cells"]:
            cell["source"] = [
                line.replace(_EVIDENCE, repr(str(evidence.resolve()))).replace(_CASE, f"{_CASE} or {str(case)!r}")
                for line in cell["source"]
            ]
        write_whole(folder / name, [json.dumps(told, indent=1, ensure_ascii=False) + "\n"])
    out = _shell.people(options, quiet=quiet)
    print("\n".join(str(folder / name) for name in NOTEBOOKS), file=out)
    lacking = [name for name in ("altair", "itables", "ipykernel", "jupyterlab") if find_spec(name) is None]
    if lacking:
        print(f"missing here: {', '.join(lacking)}; pip install 'lae-recovery[notebooks]'", file=out)
    print(f"next: {masking.command(('jupyter', 'lab', str(folder)))}", file=out)
