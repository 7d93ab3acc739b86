"""A token that is as long as a column of a database keeps at most: its end is cut off."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt

_FIELDS = ("user_token", "product_token")
_LIMITS = frozenset({127, 128, 255, 256})
"""What databases and programs keep of a text. No token is so short: they have 360 characters or more."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt such a token wherever it stands: whose it is, it still tells."""
    told = (fact for signup in view.signups() for name in _FIELDS for fact in signup.asserted(name))
    cut = tuple(dict.fromkeys(fact for fact in told if len(fact.value) in _LIMITS))
    if cut:
        yield Doubt(facts=cut, reason="at-a-limit")
