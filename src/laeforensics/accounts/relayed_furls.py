"""The introducer's own furl, as its server relayed it: no program of the provider's vouches for its swissnum."""

from __future__ import annotations

from collections.abc import Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount, take
from laeforensics.doubting.signups import Signup
from laeforensics.facts.beliefs import Warrant
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laeforensics.facts.node_keys import furl_at, swissnum_of_furl, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem


def take_relayed_furl(account: CaseAccount, servers: Sequence[Signup]) -> None:
    """Take the relayed furl where the program's own is lost, else say where its swissnum is another.

    Its TubID must be that of the proved key; the grade stays, but if the furl is right, customers go on with it.
    """
    taken = account.values.get("introducer_furl")
    if taken is not None:
        _note(account, _relayed(account.signups, tub_id_of_furl(taken)), taken)
    elif account.introducer_identity == identities.PROVED and "introducer_furl" not in account.contested:
        tub_id = tub_id_of_pem(account.values["introducer_node_pem"])
        doubted = {
            swissnum_of_furl(f.value)
            for s in account.signups
            for f in s.witnesses_of("introducer_furl")
            if s.hearing.notes(f) and tub_id_of_furl(f.value) == tub_id
        }
        for server in servers:
            told = [f for f in _relayed([server], tub_id) if not server.hearing.notes(f)]
            told = [f for f in told if swissnum_of_furl(f.value) not in doubted]
            host = server.values.get("public_host")
            furls = {furl_at(fact.value, host): fact for fact in told} if host is not None else {}
            if len(furls) == 1:
                ((furl, source),) = furls.items()
                fact = source._replace(field="introducer_furl", value=furl, rule="internal furl and public address")
                account.beliefs.add([Warrant(facts=(fact,), reason="relayed-furl", because=(source.locator,))])
                take(account, "introducer_furl", [fact])
                return


def _relayed(signups: Sequence[Signup], tub_id: str | None) -> list[Fact]:
    facts = (f for s in signups for f in s.witnesses_of("internal_introducer_furl"))
    return [fact for fact in facts if tub_id_of_furl(fact.value) == tub_id]


def _note(account: CaseAccount, relayed: Sequence[Fact], taken: str) -> None:
    other = tuple(f.locator for f in relayed if swissnum_of_furl(f.value) != swissnum_of_furl(taken))
    if other:
        account.findings.append(
            finding(
                "outranked-witness",
                "the furl that a server relayed ends otherwise than the one that the program printed, which was taken",
                signup=account.account_id,
                field="introducer_furl",
                locators=other,
            )
        )
