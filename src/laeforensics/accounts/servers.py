"""Which of an account's servers speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from laeforensics.accounts.account import CaseAccount, instances
from laeforensics.accounts.outcome import is_ready
from laeforensics.accounts.roles import DUPLICATE
from laeforensics.companions.inventory import GONE, RUNNING, UNKNOWN, Inventory
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem


def best_first(group: Sequence[Signup], roles: dict[str, str]) -> list[Signup]:
    """The account's servers, best first: finished ones, newest first, then those that may be, then the others."""
    by_launch = sorted(group, key=_launched)
    newest = [s for s in reversed(by_launch) if roles[s.name] != DUPLICATE] + [
        s for s in by_launch if roles[s.name] == DUPLICATE
    ]
    return sorted(newest, key=lambda s: (True, None, False).index(is_ready(s)))


def _launched(signup: Signup) -> str:
    """When its server was launched; where nothing tells that, when its file's name says that it began."""
    return signup.values.get("launch_time") or (start_of(signup.name) or ("", ""))[0]


def same_server(servers: Sequence[Signup], roles: dict[str, str]) -> list[Signup]:
    """The best of the servers that is known by its instance or its address, with whatever else tells of the same one.

    What it does not tell of itself is not known: another server's would be another's. None where the best one failed,
    and another run tells of another: nobody replaces a server that was never ready.
    """
    names = ("instance_id", "public_host")
    best = next((s for s in servers if any(name in s.values for name in names)), None)
    if best is None:
        return list(servers)
    if is_ready(best) is False and any(_tells_another(s, best) for s in servers if stem(s.name) != stem(best.name)):
        return []
    same = []
    for signup in servers:
        shared = [n for n in names if n in signup.values and n in best.values]
        agrees = all(signup.values[n] == best.values[n] for n in shared)
        copy = stem(signup.name) == stem(best.name) or DUPLICATE in (roles[signup.name], roles[best.name])
        if agrees and (shared or copy):
            same.append(signup)
    return same


def _tells_another(signup: Signup, best: Signup) -> bool:
    known = {fact.value for fact in best.witnesses_of("instance_id")}
    return any(fact.value not in known for fact in signup.asserted("instance_id"))


def state_of_servers(account: CaseAccount, inventory: Inventory) -> str:
    """GONE only if every server that the account ever had is gone; RUNNING if one of them runs; else UNKNOWN."""
    newest, launch_time = account.values.get("instance_id"), account.values.get("launch_time")
    told = {inventory.server(newest, launch_time)}
    for instance_id, signup in instances(account).items():
        launched = signup.values.get("launch_time") if signup.values.get("instance_id") == instance_id else None
        told.add(inventory.server(instance_id, launched))
    return next(state for state in (RUNNING, UNKNOWN, GONE) if state in told)
