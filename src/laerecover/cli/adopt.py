"""`adopt`: make a lost state folder anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, JsonOpt, print_json, takes
from laerecover.cli._stopping import stop_on_signals
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES)
def adopt(
    options: Options,
    recovery: Annotated[
        str | None, typer.Option("--recovery", metavar="ID", help="Which one, if there are several.")
    ] = None,
    json_: JsonOpt = False,
) -> None:
    """Make a lost state folder anew from the instances' tags; `run` then goes on with these instances."""
    from laerecover.afterwards import adopt as instances
    from laerecover.cli._show import show_instances
    from laerecover.cli._worlds import EveryWorld

    state, found = instances.adopt(options, recovery=recovery, stop=stop_on_signals(), worlds=EveryWorld())
    if json_:
        print_json({"recovery_id": state.recovery_id, "instances": [each.body for each in found]})
    else:
        show_instances(found)
        print(
            f"{len(found)} instances adopted into {clean(state.folder)}\nnext: laerecover run "
            f"{options.places.quoted}{options.repeat('run', state=True)}"
        )
