"""A csv cell that is not what was typed in: its end is cut off, or it was quoted a second time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact

_TYPED = ("customer_name", "customer_keyinfo")
_BEGIN, _END = "-----BEGIN ", re.compile("-----END [^\n-]*-----")
_QUOTED = re.compile("%[C-F][0-9A-F]%[89AB][0-9A-F]|%0A")
"""A letter, or a line end, as the site quoted it: somebody may type "100%25", but not this."""
_BARE = re.compile("%(?![0-9A-F]{2})|[^ -~]|,")
"""What the site never left as it was: a cell with it was typed so."""
_SEVERAL = 2


def judge(view: FileView) -> Iterator[Said]:
    """Doubt an armour without an end; where several end after so many bytes, every cell of that length, too.

    A conversion of the whole file was undone before; a link may hold what its own site quoted.
    """
    cells = [fact for fact in view.facts if fact.rule == "csv" and fact.field in _TYPED]
    cut = {fact for fact in cells if _is_cut(fact.value)}
    lengths = Counter(_length(fact) for fact in cut)
    for fact in cells:
        if lengths[_length(fact)] >= _SEVERAL:
            yield Doubt(facts=(fact,), reason="at-a-limit")
        elif fact in cut:
            yield Doubt(facts=(fact,), reason="armour-cut")
        if "://" not in fact.value and _QUOTED.search(fact.value) and not _BARE.search(fact.value):
            yield Doubt(facts=(fact,), reason="quoted-twice")


def _is_cut(text: str) -> bool:
    begin = text.rfind(_BEGIN)
    return begin >= 0 and _END.search(text, begin) is None


def _length(fact: Fact) -> int:
    return fact.locator.end - fact.locator.start
