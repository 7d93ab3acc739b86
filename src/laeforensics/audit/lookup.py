"""An account is found by any of its names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from laeforensics.accounts.account import CaseAccount, keys_of
from laeforensics.audit import rules
from laeforensics.errors import UnknownKey
from laeforensics.facts.masking import plain

_SHORTEST = 4
"""So many characters of a name tell whose it is."""

_ALL = "`laeforensics list` tells all"
_MOST = 5
"""So many are named where several are meant."""


def account_of(accounts: Sequence[CaseAccount], key: str, *, where: str) -> CaseAccount:
    """The account of a log name, bucket, e-mail or activation key; among several, the one that is no attempt.

    The beginning of one will do where it is one account's alone, and so will a short name.
    `where` tells people what was searched. Raises UnknownKey: none bears that name, or several do.
    """
    wanted = key.strip()
    found = [a for a in accounts if wanted in keys_of(a)]
    found = found or [a for a in accounts if wanted.lower() in {k.lower() for k in keys_of(a)}]
    found = found or [a for a in accounts if _begins(a, wanted.lower().split())]
    if len(found) == 1:
        return found[0]
    real = [a for a in found if not a.is_attempt]
    if len(real) == 1:
        return real[0]
    if found:
        raise UnknownKey(
            f"{len(found)} accounts match {plain(key)!r}",
            where="\n".join(_choices(found, wanted.lower())),
            next_step="name one of them by its id, or more of the name",
        )
    raise UnknownKey(
        f"no account, log, e-mail or activation key {plain(key)!r}",
        where=where,
        next_step=_too_short(accounts, wanted)
        or _near(accounts, wanted)
        or f"{_ALL}; a beginning is enough from {_SHORTEST} letters on",
    )


def _choices(found: Sequence[CaseAccount], wanted: str) -> list[str]:
    """A line for each, with what helps to choose: its verdict, which of its names was meant, and its log."""
    told = []
    for account in found[:_MOST]:
        logs = [plain(signup.name) for signup in account.signups]
        more = f" and {len(logs) - 1} more" if len(logs) > 1 else ""
        source = f"{logs[0]}{more}" if logs else "no log"
        verdict = f"{rules.verdict(account).name:<11}"
        told.append("  ".join((plain(account.account_id), verdict, *_meant(account, wanted), source)))
    return [*told, *([f"and {len(found) - _MOST} more: {_ALL}"] if len(found) > _MOST else [])]


def _meant(account: CaseAccount, wanted: str) -> list[str]:
    """The name of an account that begins so, where neither its id nor a log shows it: an address, or its key."""
    shown = (account.account_id, *(s.name for s in account.signups))
    names = sorted(k for k in keys_of(account) if k.lower().startswith(wanted) and not any(k in each for each in shown))
    return [plain(name) for name in names[:1]]


def _begins(account: CaseAccount, words: Sequence[str]) -> bool:
    """True if every word is how one of its names begins, as in its short name; of one word alone enough is wanted."""
    if sum(map(len, words)) < _SHORTEST:
        return False
    keys = [part for key in keys_of(account) for part in (key.lower(), *key.lower().split()[1:])]
    return all(any(key.startswith(word) for key in keys) for word in words)


def _too_short(accounts: Sequence[CaseAccount], wanted: str) -> str | None:
    """What a beginning of too few letters may stand for; None if it is long enough, or none begins so."""
    short = wanted.lower()
    found = sorted({k for a in accounts for k in keys_of(a) if k.lower().startswith(short)}) if short else []
    if not found or len(short) >= _SHORTEST:
        return None
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (
        f"a beginning is enough from {_SHORTEST} letters on; so begin {plain(', '.join(found[:_MOST]))}{more}; {_ALL}"
    )


def _near(accounts: Sequence[CaseAccount], wanted: str) -> str | None:
    """What comes near to a key that nothing bears."""
    near = {k.lower(): k for a in accounts for k in keys_of(a)}
    found = difflib.get_close_matches(wanted.lower(), near, n=3, cutoff=0.75)
    return f"did you mean {plain(', '.join(near[k] for k in found))}?" if found else None
