"""`drill`: the whole runbook in the twin world, or on a rig."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import SELECTION, WORKING, JsonOpt, takes
from laerecover.cli._work import work

if TYPE_CHECKING:
    from laerecover.options import Options


@takes("state", "key_file", *SELECTION, *WORKING)
def drill(
    options: Options,
    seed: Annotated[int | None, typer.Option(help="Which mishaps the twin world has in store [1].")] = None,
    faults: Annotated[
        str, typer.Option("--faults", metavar="seed:N", help="Draw from all mishaps at random, worse ones too.")
    ] = "",
    world: Annotated[
        str,
        typer.Option(
            "--world", metavar="twin|rig", help="On a file, or on this machine's own rig (root, extra [rig])."
        ),
    ] = "twin",
    prove: Annotated[bool, typer.Option("--prove", help="A file stored before is read back after; on a rig.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Forget the old drill and begin anew.")] = False,
    pace: Annotated[float, typer.Option(hidden=True, min=0.0001, max=1.0)] = 0.01,
    json_: JsonOpt = False,
) -> None:
    """The whole runbook in the twin world: no cloud account, no settings, no real mail."""
    from dataclasses import replace

    from laerecover.rehearsal import drill as rehearsal

    if faults and not (faults.startswith("seed:") and faults[5:].isdecimal()):
        raise typer.BadParameter("--faults is seed:N, N a number")
    if world not in ("twin", "rig"):
        raise typer.BadParameter("--world is twin or rig")
    if prove and world != "rig":
        raise typer.BadParameter("--prove needs --world rig: the twin world stores no files")
    crash_at = os.environ.get("LAERECOVER_CRASH_AT", "")
    seed = int(faults[5:] or 1) if seed is None else seed
    given = replace(options, seed=seed, faults=faults, place=world, prove=prove, again=again, pace=pace)
    given = replace(given, crash_at=crash_at, canary=False)
    work(json_, lambda stop, watch: rehearsal.drill(given, watch=watch, stop=stop))
