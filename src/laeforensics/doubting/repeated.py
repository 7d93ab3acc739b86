"""An address that is not sure in its signup's log is sure in no log of the account: later runs repeat the first."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.channels import OWN

_OF_ITS_ROWS = frozenset({"rows-against-log", "stripe-against-log", "lost-a-piece"})


@looks_at("customer_email")
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt in the log of a replacement what csv rows or a stripe file contradict in the signup's own log."""
    facts = dict.fromkeys(f for s in view.signups for f in s.witnesses_of("customer_email") if f.channel == OWN)
    for fact in facts:
        for note in view.hearing.notes(fact):
            if note.reason not in _OF_ITS_ROWS:
                continue
            others = tuple(f for f in facts if f.value == fact.value and not view.hearing.notes(f))
            if others:
                yield Doubt(facts=others, reason=note.reason, because=(fact.locator,), about=view.names)
                break
