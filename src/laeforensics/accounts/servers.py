"""Which of an account's servers speaks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laeforensics.accounts.account import CaseAccount, instances, settle_newest, take
from laeforensics.accounts.outcome import is_ready
from laeforensics.accounts.roles import DUPLICATE
from laeforensics.companions.inventory import GONE, RUNNING, UNKNOWN, Inventory
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import OF_ONE_SERVER, SERVER, fields_of

_KNOWN_BY = ("instance_id", "public_host")
_PLACES = 5
"""So many places are told of what contradicts."""


def best_first(group: Sequence[Signup], roles: dict[str, str]) -> list[Signup]:
    """The account's servers, best first: finished ones, newest first, then those that may be, then the others."""
    by_launch = sorted(group, key=launched)
    newest = [s for s in reversed(by_launch) if roles[s.name] != DUPLICATE] + [
        s for s in by_launch if roles[s.name] == DUPLICATE
    ]
    return sorted(newest, key=lambda s: (True, None, False).index(is_ready(s)))


def launched(signup: Signup) -> str:
    """When its server was launched; where nothing tells that, when it began by the names of its log and secrets file.

    The earlier one counts: a log that was renamed is not believed in its launch, and would pass for a newer one.
    """
    stamps = (signup.stamp, start_of(signup.secrets.evidence) if signup.secrets is not None else None)
    return signup.values.get("launch_time") or min((stamp[0] for stamp in stamps if stamp is not None), default="")


def doubts_beside_unfinished(servers: Sequence[Signup], unread: Sequence[Signup]) -> Iterator[Doubt]:
    """Doubt all servers of an account where the one that counts may be another than the best that is known.

    A server that was launched later counts, if it was finished, and nothing tells that. Before one that failed there
    was another, which a log tells of and is not believed in, be it in nothing at all: then it is `unread`.
    """
    known = [s for s in servers if any(name in s.values for name in _KNOWN_BY)]
    if not known:
        return
    best, is_best_ready = known[0], is_ready(known[0])
    told: list[Fact] = []
    if is_best_ready:
        later = [s for s in known if is_ready(s) is None and launched(s) > launched(best)]
        told = [f for name in _KNOWN_BY for s in later for f in s.asserted(name)]
    elif is_best_ready is False:
        others = [s for s in (*servers, *unread) if stem(s.name) != stem(best.name)]
        told = [f for s in others for f in s.witnesses_of("instance_id")]
    places = [f.locator for f in told if f.value != best.values.get(f.field)]
    if places:
        mine = [f.locator for name in _KNOWN_BY for f in best.asserted(name)]
        because = tuple(places[:_PLACES] + mine)
        facts = tuple(f for name in OF_ONE_SERVER for s in servers for f in s.asserted(name))
        about = frozenset(s.name for s in servers)
        yield Doubt(facts=facts, reason="perhaps-finished", because=because, about=about)


def same_server(servers: Sequence[Signup], roles: dict[str, str]) -> list[Signup]:
    """The best of the servers that is known by its instance or its address, with whatever else tells of the same one.

    What it does not tell of itself is not known: another server's would be another's. (Nor is what a copy of its log
    tells otherwise.)
    """
    names = _KNOWN_BY
    best = next((s for s in servers if any(name in s.values for name in names)), None)
    if best is None:
        return list(servers)
    same = []
    for signup in servers:
        shared = [n for n in names if n in signup.values and n in best.values]
        agrees = all(signup.values[n] == best.values[n] for n in shared)
        denied = {f.value for f in signup.witnesses_of("instance_id")} if "instance_id" not in signup.values else set()
        is_other = bool(denied) and best.values.get("instance_id") not in {None, *denied}  # another's rest may follow
        is_its_copy = stem(signup.name) == stem(best.name)
        copy = is_its_copy or DUPLICATE in (roles[signup.name], roles[best.name])
        if not is_other and (is_its_copy or (agrees and (shared or copy))):
            same.append(signup)
    return same


def settle_server(account: CaseAccount, servers: Sequence[Signup], roles: dict[str, str]) -> None:
    """Settle what is told of the server that counts; what two of its files tell otherwise, is not known."""
    same = same_server(servers, roles)
    settle_newest(account, same, fields_of(SERVER))
    for name in fields_of(SERVER):
        told = dict.fromkeys(f for s in same if roles[s.name] != DUPLICATE for f in s.sure(name))
        if len({fact.value for fact in told}) > 1:
            take(account, name, list(told))


def state_of_servers(account: CaseAccount, inventory: Inventory) -> str:
    """GONE only if every server that the account ever had is gone; RUNNING if one of them runs; else UNKNOWN."""
    newest, launch_time = account.values.get("instance_id"), account.values.get("launch_time")
    told = {inventory.server(newest, launch_time)}
    for instance_id, signup in instances(account).items():
        launched = signup.values.get("launch_time") if signup.values.get("instance_id") == instance_id else None
        told.add(inventory.server(instance_id, launched))
    return next(state for state in (RUNNING, UNKNOWN, GONE) if state in told)
