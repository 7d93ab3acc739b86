"""The identities of an account's two nodes: which key is restored, which furl fits it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount, settle_as_newest, settle_newest, take
from laeforensics.accounts.servers import launched
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.unknown_server import DatedFurl
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts import node_keys
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import OF_ONE_SERVER
from laeforensics.facts.findings import finding
from laerecover.manifest import tub_id_of_pem

NODE_KEYS = frozenset({"introducer_node_pem", "server_node_pem"})
Node = tuple[str, str]
"""The TubID and the swissnum of a furl: one node, at whatever address."""


def settle_identity(account: CaseAccount, servers: Sequence[Signup]) -> None:
    """Judge the introducer's and the storage server's keys, and take the best of each."""
    for node, pem_field, id_field in (
        ("introducer", "introducer_node_pem", "introducer_nodeid"),
        ("storage", "server_node_pem", "server_nodeid"),
    ):
        tub_ids = {f.value for s in servers for f in s.sure(id_field)}
        if node == "introducer":
            furls = [f for s in servers for f in s.sure("introducer_furl")]
            tub_ids |= {node_keys.tub_id_of_furl(f.value) for f in furls}
        verdict, facts = _best_key(servers, pem_field, tub_ids)
        if facts:
            if pem_field not in account.contested:
                account.witnesses[pem_field] = facts
            if not is_broken(account.hearing, facts[0]):
                account.values[pem_field] = facts[0].value
            if verdict == identities.BROKEN:
                account.findings.append(
                    finding(
                        "broken-identity",
                        f"the {node}'s node.pem does not fit",
                        signup=account.account_id,
                        field=pem_field,
                        locators=tuple(f.locator for f in facts),
                    )
                )
            ids = [f for s in servers for f in s.witnesses_of(id_field) if f.value == tub_id_of_pem(facts[0].value)]
            if verdict == identities.BROKEN:
                settle_newest(account, servers, (id_field,))
            elif ids:
                account.witnesses[id_field], account.values[id_field] = ids, ids[0].value
        else:
            settle_newest(account, servers, (id_field, pem_field))  # what is unsure waits for a human
        setattr(account, f"{node}_identity", verdict)
    settle_as_newest(account, servers, "server_node_privkey")


def contest_identity(
    account: CaseAccount, first: Signup | None, printed: Sequence[Signup], re_recorded: Sequence[Signup]
) -> None:
    """Where a re-record read another key out of a server than its own signup or replacement told.

    Then a human decides. A server is known by its address; one that nobody else tells of is held against all. The furl
    that the `first` run printed tells the introducer's key, too: only a replacement printed one that was thrown away.
    """
    told: dict[str, list[Fact]] = {name: [] for name in sorted(NODE_KEYS)}
    read: dict[str, list[Fact]] = {name: [] for name in sorted(NODE_KEYS)}
    for signup in re_recorded:
        host = signup.values.get("public_host")
        servers = [s for s in printed if host and s.values.get("public_host") == host] or printed
        before = {name: _asserted(servers, name) for name in NODE_KEYS}
        furls = _asserted([s for s in servers if s is first], "introducer_furl")
        now = {name: signup.sure(name) or signup.asserted(name) for name in NODE_KEYS}
        known = {name: {tub_id_of_pem(f.value) for f in before[name]} for name in NODE_KEYS}
        known["introducer_node_pem"] |= {node_keys.tub_id_of_furl(f.value) for f in furls}
        another = {
            name
            for name in NODE_KEYS
            if known[name] and any(tub_id_of_pem(f.value) not in known[name] for f in now[name])
        }
        for name in NODE_KEYS if another else ():
            # A server whose introducer is another's is another server: nothing that was read there is sure.
            if name in another or not known[name]:
                told[name] += [f for f in before[name] if f not in told[name]]
                read[name] += now[name]
    for name, facts in read.items():
        if facts:
            account.contested.add(name)
            account.witnesses[name] = [*told[name], *facts]
            account.findings.append(
                finding(
                    "contested-field",
                    f"a re-record read another {name} out of the server than was printed before",
                    signup=account.account_id,
                    field=name,
                    locators=tuple(f.locator for f in (*told[name], *facts)),
                )
            )


def _asserted(signups: Sequence[Signup], name: str) -> list[Fact]:
    return [f for s in signups for f in s.asserted(name)]


def is_broken(hearing: Hearing, fact: Fact) -> bool:
    """True for a node.pem that does not fit itself or the node id beside it: it is told of, and never restored."""
    return hearing.channel(fact) == "broken"


def _best_key(servers: Sequence[Signup], pem_field: str, tub_ids: set[str]) -> tuple[str, list[Fact]]:
    """The best key, with its verdict: of the newest finished server first.

    The first that proves itself, else the first that states itself, else a broken one, if none is unsure beside it.
    """
    best: tuple[int, str, list[Fact]] = (9, identities.ABSENT, [])
    for signup in servers:
        if pem_field in signup.contested:
            continue
        hearing = signup.hearing
        broken = [f for f in signup.witnesses_of(pem_field) if is_broken(hearing, f)]
        facts = sorted([*signup.sure(pem_field), *broken], key=hearing.standing)
        for fact in facts:
            verdict = identities.BROKEN if fact in broken else identities.judge(fact.value, tub_ids)
            rank = (identities.PROVED, identities.STATED, identities.BROKEN).index(verdict)
            if rank < best[0]:
                best = (rank, verdict, [f for f in facts if f.value == fact.value])
    if best[1] == identities.BROKEN and any(s.hearing.is_unsure(f) for s in servers for f in s.asserted(pem_field)):
        return identities.ABSENT, []
    return best[1], best[2]


def settle_furl(account: CaseAccount, servers: Sequence[Signup]) -> None:
    """The newest furl whose TubID is the proved certificate's, others are findings; without a proof, the newest."""
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


def _nodes(per_server: Sequence[Sequence[Fact]]) -> set[str]:
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


def note_relayed_furl(account: CaseAccount) -> None:
    """Say so if the node's own furl, as its server relayed it, has another swissnum than the furl that was taken."""
    taken = account.values.get("introducer_furl")
    if taken is None:
        return
    other = tuple(
        f.locator
        for s in account.signups
        for f in s.witnesses_of("internal_introducer_furl")
        if node_keys.tub_id_of_furl(f.value) == node_keys.tub_id_of_furl(taken)
        and f.value.rpartition("/")[2] != taken.rpartition("/")[2]
    )
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


def follow_decision(account: CaseAccount, pem_field: str) -> None:
    """After a human chose a node key, make node id, furl and identity those of that key, or not known."""
    tub_id = tub_id_of_pem(account.values[pem_field])
    id_field = pem_field.replace("node_pem", "nodeid")
    names = (id_field, "introducer_furl") if pem_field == "introducer_node_pem" else (id_field,)
    proved = False
    for name in names:
        facts = [
            f
            for s in account.signups
            for f in s.asserted(name)
            if tub_id == (node_keys.tub_id_of_furl(f.value) if name == "introducer_furl" else f.value)
        ]
        account.values.pop(name, None)
        account.contested.discard(name)
        take(account, name, facts)
        proved = proved or bool(facts)
    state = identities.PROVED if proved else identities.STATED
    if pem_field == "introducer_node_pem":
        account.introducer_identity = state
        account.furl_fits = "introducer_furl" in account.values
    else:
        account.storage_identity = state
