"""`report`: what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import PLACES, JsonOpt, print_json, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES)
def report(options: Options, json_: JsonOpt = False) -> None:
    """Outcome of each account, measured times, what is left for a human; written as HTML and JSON, too."""
    from laerecover.cli._conclusion import show_report
    from laerecover.cli._worlds import EveryWorld
    from laerecover.report import written

    found, made = written.report(options, EveryWorld())
    if json_:
        print_json(made.body)
    else:
        show_report(made, found.folder)
    raise typer.Exit(made.exit_code)
