"""The operator's own side, as people see it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from laerecover.cli._show import console
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.ports.own_side import Seen


def show_own_side(found: Sequence[Seen]) -> None:
    """What was looked at on the operator's side, a line each; what is wrong stands out, with its remedy."""
    if not found:
        return
    out = console(sys.stdout)
    table = Table("", "what", "where", "found", box=None, pad_edge=False)
    for each in found:
        mark = "ok" if not each.remedy else "NO" if each.blocks else "!!"
        told = clean(each.said) + (f"; {clean(each.remedy)}" if each.remedy else "")
        table.add_row(
            *map(Text, (mark, clean(each.what), clean(each.where), told)), style="yellow" if each.remedy else ""
        )
    out.print(table)
    out.print()
