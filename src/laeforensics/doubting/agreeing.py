"""What two independent witnesses tell alike is sure, though each of them stands in something damaged."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.doubting.voices import print_of
from laeforensics.facts.beliefs import Warrant
from laeforensics.facts.fields import SIGNUP_FIELDS
from laeforensics.facts.reasons import REASONS, UNSURE

_OF_DAMAGE = frozenset({"tied"})
"""The doubts that a second witness takes away: not those that tell of two accounts, or of two values."""


@looks_at(*SIGNUP_FIELDS)
def judge(view: AccountView) -> Iterator[Said]:
    """Assure the facts of a field where nothing is sure, and all that is told is one value."""
    for _, hearing, about, facts in view.scopes():
        if not any(map(hearing.is_unsure, hearing.with_notes(facts))):
            continue
        told = hearing.asserting(facts)
        unsure = [f for f in told if hearing.is_unsure(f)]
        doubts = {n.reason for f in unsure for n in hearing.notes(f) if REASONS[n.reason].weight == UNSURE}
        if len(unsure) < len(told) or not doubts or not doubts <= _OF_DAMAGE or len({f.value for f in told}) > 1:
            continue
        if len({print_of(fact) for fact in unsure}) > 1:
            places = tuple(fact.locator for fact in unsure)
            yield Warrant(facts=tuple(unsure), reason="agreed", because=places, about=about)
