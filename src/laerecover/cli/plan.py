"""`plan`: what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import CANARY, PLACES, SELECTION, JsonOpt, print_json, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES, *SELECTION, "concurrency", "name_tag", "new_identity", "disaster_at", "min_grade", before=CANARY)
def plan(
    options: Options,
    check: Annotated[bool, typer.Option("--check", help="Ask the cloud, read-only, whether it could be done.")] = False,
    json_: JsonOpt = False,
) -> None:
    """What would happen, per account. Nothing is started."""
    from laerecover.cli._own_side import show_own_side
    from laerecover.cli._planned import show_checks, show_conclusion, show_plan
    from laerecover.cli._show import show_progress
    from laerecover.cli._worlds import EveryWorld
    from laerecover.planning import planner

    made, obstacles = planner.plan(options, worlds=EveryWorld(), check=check, heard=show_progress)
    if json_:
        print_json({**made.body, "checks": [obstacle.body for obstacle in obstacles]})
    else:
        show_own_side(made.own_side)
        show_plan(made, options, obstacles=obstacles, checked=check)
        show_checks(obstacles)
        if check:
            show_conclusion(made, obstacles, options)
    raise typer.Exit(3 if any(obstacle.blocks for obstacle in obstacles) else 0)
