"""The identities of an account's two nodes: which key of each is restored."""

from __future__ import annotations

from collections.abc import Sequence

from laeforensics.accounts import identities
from laeforensics.accounts.account import CaseAccount, settle_as_newest, settle_newest, take
from laeforensics.accounts.relayed_furls import take_relayed_furl
from laeforensics.doubting.signups import Signup
from laeforensics.facts import node_keys
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laerecover.manifest import tub_id_of_pem

NODE_KEYS = frozenset({"introducer_node_pem", "server_node_pem"})


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
        take_relayed_furl(account, account.signups[::-1])
    else:
        account.storage_identity = state
