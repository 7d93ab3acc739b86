"""`patch`: mend the Tahoe-LAFS of servers that were recovered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from laerecover.cli._checks import tell
from laerecover.cli._options import PLACES, SELECTION, JsonOpt, YesOpt, takes
from laerecover.cli._stopping import stop_on_signals

if TYPE_CHECKING:
    from laerecover.afterwards.verify import Check
    from laerecover.options import Options


@takes(*PLACES, *SELECTION, "concurrency")
def patch(options: Options, yes: YesOpt = False, json_: JsonOpt = False) -> None:
    """Patch hosts that were recovered with a Tahoe-LAFS that destroys shares of 2014; their storage nodes start again."""
    from dataclasses import replace

    from laerecover.afterwards.patch import patch as patched
    from laerecover.cli._show import ask, show_verified
    from laerecover.cli._worlds import EveryWorld

    def confirm(faulty: Sequence[Check]) -> bool:
        show_verified([replace(check, next="") for check in faulty], stream=sys.stderr if json_ else sys.stdout)
        return yes or ask(f"Patch {len(faulty)} hosts and start their storage nodes again")

    tell(patched(options, stop=stop_on_signals(), confirm=confirm, worlds=EveryWorld()), json_)
