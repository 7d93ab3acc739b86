"""Which accounts a condition picks: `verdict=CONTESTED`, `contested=product_token`, `customer_email=*@example.org`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from laeforensics.accounts.account import MUST_BE_RIGHT, REQUIRED_DEVPAY, CaseAccount
from laeforensics.audit import questions, rules
from laeforensics.companions.inventory import GONE, RUNNING, UNKNOWN
from laeforensics.errors import UnknownKey
from laeforensics.facts.fields import FIELDS, SIGNUP_FIELDS
from laeforensics.facts.masking import plain
from laerecover.manifest import FINISH

_WORDS: dict[str, Callable[[CaseAccount], Iterable[str]]] = {
    "account_id": lambda a: (a.account_id,),
    "verdict": lambda a: (rules.verdict(a).name,),
    "grade": lambda a: (grade.name,) if (grade := rules.grade(a)) else (),
    "server": lambda a: (a.server,),
    "missing": lambda a: a.missing,
    "contested": lambda a: sorted(a.contested),
    "decided": lambda a: sorted(a.decided),
    "unread": lambda a: a.unread,
    "blocking": rules.blocking,
    "finding": lambda a: (f.code for f in questions.findings_of(a)),
    "log_file": lambda a: (s.name for s in a.signups),
}
_ASKED = tuple(name for name in FIELDS if name in MUST_BE_RIGHT)
_KNOWN = {
    "verdict": tuple(rule.name for rule in rules.VERDICTS),
    "grade": tuple(rule.name for rule in rules.GRADES),
    "server": (RUNNING, GONE, UNKNOWN),
    "missing": REQUIRED_DEVPAY,
    "contested": _ASKED,
    "decided": (*_ASKED, FINISH),
}
"""What a condition may ask for, where that is known beforehand: a slip would find nothing, and look like an answer."""
NAMES = (*_WORDS, *(name for name in SIGNUP_FIELDS if not FIELDS[name].secret))
"""What a condition may be about; of secrets nobody can ask by value."""


def picked(accounts: Sequence[CaseAccount], conditions: Iterable[str]) -> list[CaseAccount]:
    """The accounts of which all conditions hold, in their order.

    A condition is NAME=VALUE or NAME!=VALUE; VALUE may hold `*` and `?`, case does not matter, nothing at all
    (`missing=`) stands for none. Raises UnknownKey: it is no condition.
    """
    tests = [_condition(text) for text in conditions]
    return [account for account in accounts if all(holds(account) for holds in tests)]


def _condition(text: str) -> Callable[[CaseAccount], bool]:
    name, sign, value = text.partition("=")
    is_not = name.endswith("!")
    name = name.removesuffix("!").strip().lower()
    if not sign or name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        meant = f"did you mean {near[0]}={value}? " if near else ""
        words = f"{meant}NAME=VALUE, NAME one of {', '.join(NAMES)}"
        raise UnknownKey("this is no condition", where=f"--where {text}", next_step=words)
    wanted = value.strip().lower()
    known = _KNOWN.get(name, ())
    if wanted and known and not any(fnmatchcase(word.lower(), wanted) for word in known):
        raise UnknownKey(
            f"no account can have the {name} {plain(value.strip())!r}", where=text, next_step=_instead(wanted, known)
        )

    def holds(account: CaseAccount) -> bool:
        values = list(_values(account, name))
        found = any(fnmatchcase(v.lower(), wanted) for v in values) if wanted else not values
        return found is not is_not

    return holds


def _instead(wanted: str, known: Sequence[str]) -> str:
    """What may be asked for instead of a word that no account can have."""
    if wanted in NAMES and wanted not in _WORDS:
        return f"--where {wanted}= finds the accounts of which none is known"
    near = difflib.get_close_matches(wanted, [*known, *(word.lower() for word in known)], n=1)
    meant = next((word for word in known if near and word.lower() == near[0].lower()), None)
    return f"{'' if meant is None else f'did you mean {meant}? '}it is one of {', '.join(known)}"


def _values(account: CaseAccount, name: str) -> Iterable[str]:
    if name in _WORDS:
        return _WORDS[name](account)
    return (account.values[name],) if name in account.values else ()
