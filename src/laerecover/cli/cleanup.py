"""`cleanup`: end half-made instances."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, JsonOpt, print_json, takes
from laerecover.cli._stopping import stop_on_signals

if TYPE_CHECKING:
    from laerecover.afterwards.found import Found
    from laerecover.options import Options


@takes(*PLACES)
def cleanup(
    options: Options,
    confirmed: Annotated[str | None, typer.Option("--confirm", metavar="WORD", help="The word that was shown.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that other state folders launched, too.")] = False,
    json_: JsonOpt = False,
) -> None:
    """List half-made instances with what they hold; end them once the word that is shown was typed."""
    from laerecover.afterwards import cleanup as instances
    from laerecover.cli._show import ask_word, show_instances
    from laerecover.cli._worlds import EveryWorld

    def confirm(found: list[Found], word: str) -> bool:
        show_instances(found, stream=sys.stderr if json_ else sys.stdout)
        return confirmed == word if confirmed is not None else ask_word(f"End {len(found)} instances", word)

    ended = instances.cleanup(options, stop=stop_on_signals(), confirm=confirm, worlds=EveryWorld(), everyones=all_)
    if json_:
        print_json({"ended": [each.body for each in ended]})
    else:
        many = "1 instance was" if len(ended) == 1 else f"{len(ended)} instances were"
        print(f"{many} ended" if ended else "no half-made instance is left")
