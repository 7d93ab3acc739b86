"""Which witness of a contested field is rather to be believed, by a rule that a human names; or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import decisions
from laeforensics.audit.questions import is_one_voice
from laeforensics.errors import DecisionError
from laeforensics.facts.damage import is_damage, is_hybrid, is_misread, is_near
from laeforensics.facts.fact import Fact

OWN, MOST = "own", "most"
RULES = {
    OWN: "the account's own files say so; the others are files of all customers, which changed with time",
    MOST: "most files say so",
}
"""A rule, with what it gives as its reason. Besides: the beginning of a file's name, or one place, FILE:LINE, each of
which is told by it alone."""
UNTOLD = "one may be damage of the other, and nothing tells which is right: look for another copy of their files"
"""What is said where no rule is."""
LONE = "nothing that tells it is sure: look for another copy of the file; decide it only if you know that it is right"
"""What is said where all that tell a field say the same, and none is sure."""


def preferred(account: CaseAccount, field: str, rule: str) -> int | None:
    """The number of the witness that a rule picks, as `decide` takes it; None if it picks no value, or several.

    A rule of RULES picks nothing that is not sure, or that may be damage of what another witness says.

    Raises DecisionError: the rule is none.
    """
    heard = account.decided.get(field) or decisions.witnesses(account, field)
    pick: Callable[[CaseAccount, Sequence[Fact]], list[Fact]] | None = {OWN: _own, MOST: _most}.get(rule)
    if pick is None and not rule.strip():
        raise DecisionError(
            "no rule is named", where="--prefer", next_step=f"{OWN}, {MOST}, how a file's name begins, or FILE:LINE"
        )
    found = pick(account, heard) if pick else [f for f in heard if _is_from(f, rule)]
    if len({f.value for f in found}) != 1 or (pick and _may_be_damaged(account, found, heard)):
        return None
    return heard.index(found[0]) + 1


def untold(account: CaseAccount, field: str) -> str | None:
    """Why nobody should choose among the witnesses as they are; None if a human may.

    One value may be damage of the other, where no rule tells which, or the only one is not sure.
    """
    if is_one_voice(account, field):
        return LONE
    told = {f.value for f in decisions.witnesses(account, field)}
    is_open = any(_is_damaged(field, *two) for two in combinations(sorted(told), 2)) and hint(account, field) is None
    return UNTOLD if is_open else None


def hint(account: CaseAccount, field: str) -> tuple[int, str] | None:
    """The number of the witness that is rather to be believed, and why; None where nothing speaks for one.

    Where all say the same, and it is not sure, no rule tells whether it is right.
    """
    for rule, why in ({} if is_one_voice(account, field) else RULES).items():
        number = preferred(account, field, rule)
        if number is not None:
            return number, why
    return None


def best_rule(accounts: Sequence[CaseAccount], field: str) -> str | None:
    """The rule that picks a witness of a contested field in most of these accounts; None if none picks one in any."""
    picked = {rule: sum(preferred(a, field, rule) is not None for a in accounts) for rule in RULES}
    best = max(picked, key=picked.__getitem__)
    return best if picked[best] else None


def _may_be_damaged(account: CaseAccount, found: Sequence[Fact], heard: Sequence[Fact]) -> bool:
    """True if one of the facts found, which say the same, is not sure, or another one heard is like it."""
    value = found[0].value
    others = {f.value for f in heard} - {value}
    return any(map(account.hearing.is_unsure, found)) or any(
        _is_damaged(found[0].field, value, each) for each in others
    )


def _is_damaged(name: str, one: str, other: str) -> bool:
    """True if one of two values may be damage of the other, rather than what was told at another time."""
    is_like = any(each(one, other) for each in (is_near, is_damage, is_misread))
    return is_like or (name.endswith("_token") and is_hybrid(one, other))


def _is_from(fact: Fact, rule: str) -> bool:
    """True if a file's name begins so, or if it is the place itself, with or without its bytes: never a part of one."""
    place = fact.locator
    return place.evidence.startswith(rule) or rule in (f"{place.evidence}:{place.line}", str(place))


def _own(account: CaseAccount, heard: Sequence[Fact]) -> list[Fact]:
    own = {s.log.evidence for s in account.signups if s.log} | {
        s.secrets.evidence for s in account.signups if s.secrets
    }
    return [fact for fact in heard if fact.locator.evidence in own]


def _most(account: CaseAccount, heard: Sequence[Fact]) -> list[Fact]:
    files: dict[str, set[str]] = defaultdict(set)
    for fact in heard:
        files[fact.value].add(fact.locator.evidence)
    most = max(map(len, files.values()), default=0)
    best = [value for value, names in files.items() if len(names) == most]
    return [fact for fact in heard if fact.value in best]
