"""The account's furl: which of those that were printed is restored, at its latest address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount, take
from laeforensics.accounts.servers import launched
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.unknown_server import DatedFurl
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts import node_keys
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import OF_ONE_SERVER
from laeforensics.facts.findings import finding
from laerecover.manifest import tub_id_of_pem

Node = tuple[str, str]
"""The TubID and the swissnum of a furl: one node, at whatever address."""
_RESTORED = "Restoring introducer identity..."


def settle_furl(account: CaseAccount, servers: Sequence[Signup]) -> None:
    """The newest furl whose TubID is the proved certificate's; the others are findings.

    Without a proof, the newest furl.
    """
    per_server = [s.sure("introducer_furl") for s in servers]
    if not any(per_server):
        per_server = [s.asserted("introducer_furl") for s in servers]
    if account.introducer_identity == identities.PROVED:
        proved = tub_id_of_pem(account.values["introducer_node_pem"])
        # A furl that its own log contradicts counts only if the program itself wrote down the key that proves it.
        own_key = bool(account.hearing.own(account.witnesses["introducer_node_pem"]))
        others = tuple(f.locator for facts in per_server for f in facts if node_keys.tub_id_of_furl(f.value) != proved)
        if others:
            account.findings.append(
                finding(
                    "throw-away-furl",
                    "a furl of another identity than the proved one was printed",
                    signup=account.account_id,
                    field="introducer_furl",
                    locators=others,
                )
            )
        per_server = [
            [
                f
                for f in facts
                if node_keys.tub_id_of_furl(f.value) == proved and (own_key or "introducer_furl" not in s.contested)
            ]
            for s, facts in zip(servers, per_server, strict=True)
        ]
    elif "introducer_node_pem" in account.contested and len(_nodes(per_server)) > 1:
        return  # which of them is the customer's, the decision about the key will tell
    else:
        per_server = _without_thrown_away(servers, per_server)
    told = next((s for s, facts in zip(servers, per_server, strict=True) if facts), None)
    if told is not None:
        # Copies of the same log speak together.
        copies = [n for n, s in enumerate(servers) if stem(s.name) == stem(told.name)]
        take(account, "introducer_furl", [fact for n in copies for fact in per_server[n]])
    account.furl_fits = account.introducer_identity == identities.PROVED and "introducer_furl" in account.values
    if "introducer_furl" in account.values and account.introducer_identity == identities.ABSENT:
        account.findings.append(
            finding(
                "furl-without-key",
                "the furl is known, the introducer's node.pem is not",
                signup=account.account_id,
                field="introducer_furl",
            )
        )


def _without_thrown_away(servers: Sequence[Signup], per_server: Sequence[Sequence[Fact]]) -> list[Sequence[Fact]]:
    """The furls but for one whose server relays the node id of another server's furl, and not its own.

    Where it relays none, and says that it restored the introducer, its furl is one of those of servers that did not.
    """
    nodes, kept = _nodes(per_server), list[Sequence[Fact]]()
    restoring = [s.log is not None and _RESTORED in s.log.announcements for s in servers]
    before = _nodes(facts for facts, restores in zip(per_server, restoring, strict=True) if not restores)
    for signup, facts, restores in zip(servers, per_server, restoring, strict=True):
        ids = nodes & {fact.value for fact in signup.witnesses_of("introducer_nodeid")}
        ids = ids or (before if restores else set())
        kept.append([f for f in facts if not ids or node_keys.tub_id_of_furl(f.value) in ids])
    return kept


def _nodes(per_server: Iterable[Sequence[Fact]]) -> set[str]:
    return {node_keys.tub_id_of_furl(fact.value) for facts in per_server for fact in facts}


_OF_SOMEBODY = frozenset(
    {
        "nothing-ties",
        "another-run",
        "behind-a-seam",
        "other-server",
        "other-keys-too",
        "of-another-account",
        "in-two-accounts",
        "unknown-server",
        "half-told-server",
        "perhaps-finished",
        "tied",
    }
)
"""The doubts that ask whose a furl is: its node and its swissnum, which nobody else knows, answer them."""


def follow_address(
    account: CaseAccount, others: Sequence[Signup], elsewhere: Callable[[], Mapping[Node, Sequence[DatedFurl]]]
) -> None:
    """Take the furl at its latest address, though nothing else is believed of the server there.

    `others` name this bucket, too. A server's own file is the first to tell its address: later ones may repeat it. (Its
    log, where there is one: a secrets file may bear another's name.)
    Where a later server is told of, and not believed, its furl may stand in any file: `elsewhere` are all, by node.
    """
    taken = account.values.get("introducer_furl")
    if taken is None or node_keys.host_of_furl(taken) == account.values.get("public_host"):
        return  # it is that of the server that counts, whatever the names of other files tell of its time
    heard, node = list[tuple[bool, str, Fact]](), _node_of(taken)
    for signup in (*account.signups, *others):
        for fact in signup.witnesses_of("introducer_furl"):
            began, reasons = _began(signup, fact), {note.reason for note in signup.hearing.notes(fact)}
            if began and reasons <= _OF_SOMEBODY and _node_of(fact.value) == node:
                heard.append((fact.rule.startswith("secrets "), began, fact))
    servers = [f for s in account.signups for name in OF_ONE_SERVER for f in s.witnesses_of(name)]
    is_another = any(n.reason == "unknown-server" for f in servers for n in account.hearing.notes(f))
    for began, fact, buckets, doubted in elsewhere().get(node, ()) if is_another else ():
        if buckets <= {account.account_id} and doubted <= _OF_SOMEBODY:
            heard.append((fact.rule.startswith("secrets "), began, fact))
    told = {fact.value: (began, fact) for _, began, fact in sorted(heard, reverse=True)}  # the last one counts
    latest = max(told.items(), key=lambda each: each[1][0], default=None)
    if latest is not None and taken in told and latest[1][0] > told[taken][0]:
        later = latest[1][1]._replace(rule="furl of a later server")
        take(account, "introducer_furl", [account.beliefs.derive(later, account.witnesses["introducer_furl"][0])])


def _began(signup: Signup, fact: Fact) -> str:
    """When the run began that wrote the file of a fact; "" where nothing tells it."""
    if stem(fact.locator.evidence) == stem(signup.name):
        return launched(signup)
    return (start_of(fact.locator.evidence) or ("",))[0]


def by_node(furls: Iterable[DatedFurl]) -> dict[Node, list[DatedFurl]]:
    """Furls by their node, at whatever address."""
    found = defaultdict[Node, list[DatedFurl]](list)
    for each in furls:
        found[_node_of(each.fact.value)].append(each)
    return found


def _node_of(furl: str) -> Node:
    return node_keys.tub_id_of_furl(furl), node_keys.swissnum_of_furl(furl)
