"""`report`: what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, JsonOpt, print_json, takes
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES)
def report(
    options: Options,
    customers: Annotated[
        Path | None,
        typer.Option("--customers", metavar="FILE.csv", help="All customers, and what to say to each, as a csv file."),
    ] = None,
    json_: JsonOpt = False,
) -> None:
    """Outcome of each account, measured times, what is left for a human; written as HTML and JSON, too."""
    from laerecover.cli._conclusion import show_report
    from laerecover.cli._worlds import EveryWorld
    from laerecover.report import written

    found, made, unwritten = written.report(options, EveryWorld())
    if customers is not None:
        from laerecover.report.customers import write_customers

        number = write_customers(customers, options.places.read(), made)
        print(f"{number} customers: {customers}", file=sys.stderr)
    if unwritten:
        print(f"report.html and report.json were not written: {unwritten}: {clean(found.folder)}", file=sys.stderr)
    if json_:
        print_json(made.body)
    else:
        show_report(made, None if unwritten else found.folder)
    raise typer.Exit(made.exit_code)
