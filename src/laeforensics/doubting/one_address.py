"""An address that many accounts' servers have: somebody put it in the place of each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laeforensics.facts.node_keys import host_of_furl

_MANY = 3
"""A provider gives an address anew when a server is gone: two customers may have had one, one after the other."""
_OF_A_NET = ".0"
_SHARE = 10
"""So many accounts have one whose address ends in 0, at most: a net's own address, which hardly any server gets."""


def judge(view: CaseView) -> Iterator[Said]:
    """Deny such an address, or one that ends in 0 as too many do; a furl that names it is not sure.

    (The furl's node may be right; its address is none.)
    """
    told: dict[str, dict[int, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for number, account in enumerate(view.accounts):
        for signup in account.signups if account.bucket else ():
            for fact in signup.asserted("public_host"):
                told[fact.value][number].append(fact)
    has_nets = _has_addresses_of_nets(view)
    common = {
        host: accounts
        for host, accounts in told.items()
        if len(accounts) >= _MANY or (has_nets and host.endswith(_OF_A_NET))
    }
    rows = tuple(fact for row in view.rows() for fact in row.of("public_host") if fact.value in common)
    if rows:
        yield Doubt(facts=rows, reason="of-many-accounts")
    for host, accounts in common.items():
        places = tuple(facts[0].locator for facts in accounts.values())[:5]
        for number, facts in accounts.items():
            signups, names = view.accounts[number].signups, view.accounts[number].names
            yield Doubt(facts=tuple(dict.fromkeys(facts)), reason="of-many-accounts", because=places, about=names)
            furls = dict.fromkeys(f for s in signups for f in s.asserted("introducer_furl"))
            named = tuple(fact for fact in furls if host_of_furl(fact.value) == host)
            if named:
                yield Doubt(facts=named, reason="at-such-an-address", because=places, about=names)
            yield finding(
                "redacted",
                f"public_host is {host}, as in too many accounts: something put it in the place of the true ones",
                signup=signups[0].name,
                field="public_host",
                locators=places,
            )


def _has_addresses_of_nets(view: CaseView) -> bool:
    """True if in so many accounts something, believed or not, tells an address that ends in 0."""
    hosts = [{f.value for s in account.signups for f in s.witnesses_of("public_host")} for account in view.accounts]
    of_nets = sum(any(host.endswith(_OF_A_NET) for host in told) for told in hosts)
    return of_nets >= _MANY and of_nets * _SHARE >= sum(map(bool, hosts))
