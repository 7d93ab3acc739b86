"""Why each witness of an account is believed less, or further, than it came: one row for each reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.facts.beliefs import Alike
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import shown
from laeforensics.facts.reasons import REASONS

COLUMNS = (
    "account_id",
    "field",
    "value",
    "evidence",
    "line",
    "start",
    "end",
    "weight",
    "reason",
    "meaning",
    "remedy",
    "because",
)


def rows(accounts: Iterable[CaseAccount]) -> Iterator[dict[str, Any]]:
    """Rows of COLUMNS, account by account; secrets are `Secret`.

    `weight` is one of `denies unsure lessens raises assures`; `because` the places that speak for it, none where the
    witness's own place is enough.
    """
    alike: dict[int, Alike] = {}
    for account in accounts:
        hearing = account.hearing
        for fact in witnesses(account):
            for note in hearing.notes(fact):
                reason = REASONS[note.reason]
                if id(note) not in alike:
                    alike[id(note)] = note.alike()
                yield {
                    "account_id": account.account_id,
                    "field": fact.field,
                    "value": shown(fact.field, fact.value),
                    **{name: getattr(fact.locator, name) for name in ("evidence", "line", "start", "end")},
                    "weight": reason.weight,
                    "reason": note.reason,
                    "meaning": reason.means,
                    "remedy": reason.remedy,
                    "because": tuple(map(str, note.places_for(fact, alike[id(note)]))),
                }


def witnesses(account: CaseAccount, *names: str) -> list[Fact]:
    """All witnesses of these fields (of all, without names), believed or not, by field and place; each once."""
    told = [account.witnesses, *(signup.witnesses for signup in account.signups)]
    found = (fact for each in told for name, facts in each.items() if not names or name in names for fact in facts)
    return sorted(dict.fromkeys(found), key=lambda fact: (fact.field, fact.locator))
