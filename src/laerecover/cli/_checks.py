"""What the verbs tell alike that ask recovered servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import print_json

if TYPE_CHECKING:
    from laerecover.afterwards.verify import Check


def tell(checks: Sequence[Check], json_: bool, *, in_doubt: bool = False) -> None:
    """Each check, then the exit code: 4 if the state is `in_doubt`, 0 if there are some and none failed, else 1."""
    from laerecover.cli._show import show_verified

    if json_:
        print_json({"checks": [check.body for check in checks]})
    else:
        show_verified(checks)
    raise typer.Exit(4 if in_doubt else 0 if checks and all(check.ok is not False for check in checks) else 1)
