"""What several verbs let their caller say, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Evidence = Annotated[
    list[Path],
    typer.Argument(
        metavar="EVIDENCE",
        help="the folder that holds signup_logs/, secrets/, the csv files and the config, or a .tar.* or .zip of it; "
        "several are read as one case",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="for machines: JSON on stdout, people's text on stderr")]
Jobs = Annotated[int, typer.Option(min=1, help="so many processes parse; the result is the same")]
CaseFolder = Annotated[
    Path | None,
    typer.Option("--case", help="where custody and decisions of the case are kept; default EVIDENCE.case/ beside it"),
]
Inventory = Annotated[Path | None, typer.Option(help="a saved DescribeInstances answer: which old servers still run")]
ProductTokens = Annotated[Path | None, typer.Option(help="a monthly file: lines of YYYY-MM,product code,product token")]
