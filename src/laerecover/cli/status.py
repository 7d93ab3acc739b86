"""`status`: how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laerecover.cli._options import JsonOpt, print_json, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes("state", "key_file")
def status(options: Options, json_: JsonOpt = False) -> None:
    """How far it is; may be asked while a runner is at work."""
    from laerecover.cli._conclusion import show_status
    from laerecover.report import status as looked_at

    found = looked_at.status(options)
    if json_:
        print_json(found.body)
    else:
        show_status(found, options)
