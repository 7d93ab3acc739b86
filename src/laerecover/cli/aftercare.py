"""The verbs for servers that were recovered: verify, patch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from laerecover.cli._arguments import PLACES, SELECTION, JsonOpt, YesOpt, command, print_json
from laerecover.cli._stopping import stop_on_signals

if TYPE_CHECKING:
    from laerecover.afterwards.verify import Check
    from laerecover.options import Options


def verify(options: Options, json_: JsonOpt = False) -> None:
    """Ask whether what was recovered still answers: nodes, announcement, bucket, old shares. Read-only, at any later time."""
    from laerecover.afterwards.verify import verify as verified

    _tell(verified(options, stop=stop_on_signals()), json_)


def patch(options: Options, yes: YesOpt = False, json_: JsonOpt = False) -> None:
    """Patch hosts that were recovered with a Tahoe-LAFS that destroys shares of 2014; their storage nodes start again."""
    from dataclasses import replace

    from laerecover.afterwards.patch import patch as patched
    from laerecover.cli._show import ask, show_verified

    def confirm(faulty: Sequence[Check]) -> bool:
        show_verified([replace(check, next="") for check in faulty], stream=sys.stderr if json_ else sys.stdout)
        return yes or ask(f"Patch {len(faulty)} hosts and start their storage nodes again")

    _tell(patched(options, stop=stop_on_signals(), confirm=confirm), json_)


def add_to(app: typer.Typer) -> None:
    """Make both verbs of the command."""
    for verb in (verify, patch):
        command(app, *PLACES, *SELECTION, "concurrency")(verb)


def _tell(checks: Sequence[Check], json_: bool) -> None:
    from laerecover.cli._show import show_verified

    if json_:
        print_json({"checks": [check.body for check in checks]})
    else:
        show_verified(checks)
    raise typer.Exit(0 if checks and all(check.ok is not False for check in checks) else 1)
