"""What only one account can have: which values claim it, in which accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from laeforensics.doubting.account_views import AccountView
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.fact import Fact
from laeforensics.facts.node_keys import swissnum_of_furl, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

# The S4 accounts share one pair of keys by design.
NOT_IN_S4 = frozenset({"user_access_key_id", "user_secret_key"})
_UNIQUE = (
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "activation_key",
    "instance_id",
    "introducer_furl",
    "introducer_node_pem",
    "introducer_nodeid",
    "server_node_pem",
    "server_nodeid",
    "server_node_privkey",
)
_NEARLY_ALL = 3
"""Of keys, token, and two nodes."""
_BEFORE_SWISSNUMS = "introducer"
"""How all furls ended until introducers drew swissnums of their own."""
Claim = tuple[str, str]
Claiming = dict[int, list[Fact]]
"""By the number of the account: the facts that tell a value there."""
SureOf = dict[tuple[int, str], list[Fact]]
"""By the number of the account and the kind of thing: what is sure there, and nowhere shown to be foreign."""


def claims_shared(views: Sequence[AccountView]) -> dict[Claim, Claiming]:
    """For each unique thing (kind and name) that several accounts tell, who tells it."""
    numbers: dict[Claim, set[int]] = defaultdict(set)
    for number, view in enumerate(views):
        for name in _unique(view):
            for value in view.asserted(name):
                for thing in claims_of(name, value):
                    numbers[thing].add(number)
    several = {thing: found for thing, found in numbers.items() if len(found) > 1 and thing[1]}
    told: dict[Claim, Claiming] = {thing: {} for thing in several}
    for number in sorted(set[int]().union(*several.values())):
        for name in _unique(views[number]):
            for fact in asserted(views[number], name):
                for thing in told.keys() & claims_of(name, fact.value):
                    told[thing].setdefault(number, []).append(fact)
    return told


def files_of_others(told: Mapping[Claim, Claiming]) -> set[tuple[int, str]]:
    """The files, by the number of their account, in which nearly everything is another account's, not one thing."""
    kinds: dict[tuple[int, str], set[str]] = defaultdict(set)
    for (kind, _), claiming in told.items():
        for number, facts in claiming.items():
            for file in files(facts):
                kinds[number, file].add(kind)
    return {where for where, found in kinds.items() if len(found) >= _NEARLY_ALL}


def of_one_customer(views: Sequence[AccountView], thing: Claim, numbers: Iterable[int]) -> set[int]:
    """Of the accounts that tell a user token, those whose address another of them has: its customer got it twice."""
    by_email: dict[frozenset[str], set[int]] = defaultdict(set)
    for number in numbers if thing[0] == "user_token" else ():
        by_email[frozenset(views[number].asserted("customer_email"))].add(number)
    return {n for email, found in by_email.items() if len(email) == 1 and len(found) > 1 for n in found}


def _unique(view: AccountView) -> Iterable[str]:
    """The fields whose values only this account can have."""
    is_s4 = view.bucket is not None and product_code_of(view.bucket) is None
    return (name for name in _UNIQUE if view.bucket and not (is_s4 and name in NOT_IN_S4))


def claims_of(name: str, value: str) -> tuple[Claim, ...]:
    """What a value names that only one account has: of keys of nodes the node, of furls the swissnum, too."""
    if name == "introducer_furl":
        swissnum = swissnum_of_furl(value)
        node = ("introducer", tub_id_of_furl(value))
        return (node,) if swissnum == _BEFORE_SWISSNUMS else (node, ("swissnum", swissnum))
    if name.endswith("_pem"):
        tub_id = tub_id_of_pem(value)
        return ((name.partition("_")[0], tub_id),) if tub_id else ()
    if name.endswith("_nodeid"):
        return ((name.partition("_")[0], value),)
    return ((name, value),)


def asserted(view: AccountView, name: str) -> Iterable[Fact]:
    """What the account's files assert of a field, each fact once."""
    return dict.fromkeys(fact for signup in view.signups for fact in signup.asserted(name))


def sure_of(views: Sequence[AccountView], told: Mapping[Claim, Claiming]) -> SureOf:
    """What each account that tells one of these things is sure of, of each kind of them."""
    kinds = {kind for kind, _ in told}
    rivals: SureOf = defaultdict(list)
    for number in sorted({number for tellers in told.values() for number in tellers}):
        view = views[number]
        hearing = view.hearing
        for name in _UNIQUE:
            for fact in hearing.sure(asserted(view, name)):
                for kind in {kind for kind, _ in claims_of(name, fact.value)} & kinds:
                    rivals[number, kind].append(fact)
    return rivals


def files(facts: Iterable[Fact]) -> set[str]:
    """The files in which they stand."""
    return {fact.locator.evidence for fact in facts}
