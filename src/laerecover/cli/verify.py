"""`verify`: whether what was recovered still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laerecover.cli._checks import tell
from laerecover.cli._options import PLACES, SELECTION, JsonOpt, takes
from laerecover.cli._stopping import stop_on_signals

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES, *SELECTION, "concurrency")
def verify(options: Options, json_: JsonOpt = False) -> None:
    """Ask whether what was recovered still answers: nodes, announcement, bucket, old shares. Read-only, at
    any later time. Says, too, if the state's journal was changed; then it exits with 4.
    """
    from laerecover.afterwards.verify import verify as verified
    from laerecover.cli._show import say_drill
    from laerecover.cli._worlds import EveryWorld
    from laerecover.options import find_state
    from laerecover.state.journal import is_whole

    state = find_state(options)
    whole = is_whole(state.folder)
    if not json_:
        say_drill(state, "these are the servers of a rehearsal, and no customer's")
    tell(verified(options, stop=stop_on_signals(), worlds=EveryWorld()), json_, in_doubt=not whole)
