"""What a human is asked: each question once, if it can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import doubts
from laeforensics.audit.decisions import witnesses
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import Finding, finding
from laeforensics.facts.reasons import REASONS, UNSURE

_QUESTION = "contested-field"
_WHETHER = "look for another copy of this file; else a human decides whether it is right"
_WHOSE = "look for other copies of these files: nobody can decide whose they are, as long as no bucket is sure"


def asked(account: CaseAccount) -> list[str]:
    """The fields that a human is to decide: contested ones, where the account waits for them."""
    return [] if account.is_attempt or account.closed is not None else sorted(account.contested)


def is_one_voice(account: CaseAccount, field: str) -> bool:
    """True if all from whom a human may choose say the same: what is asked is whether it is right."""
    return len({fact.value for fact in witnesses(account, field)}) == 1


def findings_of(account: CaseAccount) -> Iterator[Finding]:
    """What was found of an account with its runs: each question once, and only if `decide` can answer it.

    What is contested, and nothing waits for, is told as unsettled.
    """
    contested: dict[str, list[Finding]] = {}
    for found in (*account.findings, *(f for signup in account.signups for f in signup.findings)):
        if found.code == _QUESTION:
            contested.setdefault(found.field or "", []).append(found)
        else:
            yield found
    for field, same in contested.items():
        if field in asked(account):
            heard = witnesses(account, field)
            places = tuple(fact.locator for fact in heard)
            why = _unsure(account, field, heard)
            yield replace(same[0], locators=places, **({} if why is None else {"message": why, "remedy": _WHETHER}))
        elif field == "bucket_name" and account.is_attempt:
            yield replace(same[0], remedy=_WHOSE)
        elif field not in account.decided and not (field == "product_token" and field in account.values):
            places = tuple(dict.fromkeys(place for one in same for place in one.locators))
            heard = [fact for fact in doubts.witnesses(account, field) if fact.locator in places]
            yield unsettled(replace(same[0], locators=places), _unsure(account, field, heard))


def unsettled(found: Finding, why: str | None = None) -> Finding:
    """A question that nobody is asked: nothing waits for its answer."""
    message = why or found.message
    return finding("unsettled-field", message, signup=found.signup, field=found.field, locators=found.locators)


def _unsure(account: CaseAccount, field: str, heard: Sequence[Fact]) -> str | None:
    """Why a field is contested of which one value alone is told; None if there are several."""
    if len({fact.value for fact in heard}) != 1:
        return None
    notes = (note for fact in heard for note in account.hearing.notes(fact))
    why = next((REASONS[n.reason].means for n in notes if REASONS[n.reason].weight == UNSURE), "nothing says it surely")
    return f"what tells {field} is not sure: {why}"
