"""A csv row whose address stands in another column: its cells have moved, or two columns were exchanged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+")
_TYPED = ("customer_name", "customer_keyinfo")


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what such a row tells of its customer."""
    rows: dict[int, list[Fact]] = defaultdict(list)
    for fact in view.facts if view.log is None and view.secrets is None else ():
        if fact.rule == "csv":
            rows[fact.print].append(fact)
    for facts in rows.values():
        has_address = any(fact.field == "customer_email" for fact in facts)
        moved = [fact for fact in facts if fact.field in _TYPED and _ADDRESS.fullmatch(fact.value)]
        if moved and not has_address:
            yield Doubt(
                facts=tuple(fact for fact in facts if fact.field in _TYPED),
                reason="cells-moved",
                because=tuple(fact.locator for fact in moved),
            )
