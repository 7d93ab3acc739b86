"""Which relayed identities prove themselves, or vouch for each other."""

from __future__ import annotations

from laeforensics.facts.channels import BROKEN_KEY, CERTIFIED, LAST_ASSERTING_STANDING, OWN, PAIRED, REMOTE, TESTIMONY
from laeforensics.facts.fact import Fact
from laeforensics.facts.node_keys import key_fits, swissnum_of_furl, tub_id_of_furl, tub_id_of_pem


def certify(facts: list[Fact], *, is_restored: bool = False) -> None:
    """Raise relayed identities that prove themselves, in place.

    The introducer's node.pem counts as the program's own word if its certificate hashes to the TubID of a furl that
    the program printed; so does a node id that equals that TubID. Where no furl was printed, and for the storage
    server, whose TubID is printed by nobody but the host, node.pem and node id vouch for each other: believed while
    nothing better speaks. So they do where an old key `is_restored`: replacements printed a throw-away furl before.
    """
    printed = {tub_id_of_furl(f.value) for f in facts if f.field == "introducer_furl" and f.channel == OWN}
    stated = {
        name: {f.value for f in facts if f.field == name and f.channel == REMOTE}
        for name in ("introducer_nodeid", "server_nodeid")
    }
    vouched: set[tuple[str, str]] = set()
    for position, fact in enumerate(facts):
        if fact.channel != REMOTE:
            continue
        channel = None
        if fact.field == "introducer_nodeid" and fact.value in printed:
            channel = CERTIFIED
        elif fact.field in ("introducer_node_pem", "server_node_pem"):
            tub_id = tub_id_of_pem(fact.value)
            node_id = fact.field.replace("node_pem", "nodeid")
            if fact.field == "introducer_node_pem" and tub_id in printed:
                channel = CERTIFIED if key_fits(fact.value) else BROKEN_KEY
            elif fact.field == "introducer_node_pem" and printed and not is_restored:
                pass
            elif tub_id is not None and {tub_id} == stated[node_id]:
                channel = PAIRED if key_fits(fact.value) else BROKEN_KEY
                vouched.add((node_id, tub_id))
        if channel is not None:
            facts[position] = fact._replace(channel=channel)
    private = {f.value for f in facts if f.field == "server_node_privkey" and f.channel == REMOTE}
    if len(private) == 1 and any(name == "server_nodeid" for name, _ in vouched):
        vouched |= {("server_node_privkey", value) for value in private}  # read out of the same node in one breath
    for position, fact in enumerate(facts):
        if fact.channel == REMOTE and (fact.field, fact.value) in vouched:
            facts[position] = fact._replace(channel=PAIRED)


def testify(facts: list[Fact]) -> list[Fact]:
    """Make what a re-record read out of its server its testimony, in place.

    A damaged key is no voice: these are returned.
    """
    damaged = []
    for position, fact in enumerate(facts):
        if fact.channel == REMOTE:
            is_broken = fact.field.endswith("_pem") and not key_fits(fact.value)
            facts[position] = fact._replace(channel=BROKEN_KEY if is_broken else TESTIMONY)
            damaged += [fact] if is_broken else []
    return damaged


def external_furl(facts: list[Fact]) -> list[Fact]:
    """The furl that customers were told, out of a re-record's testimony: its internal furl, at its public address.

    No more than one node.pem, internal furl and public address may be told, and the furl's TubID must be that of the
    node.pem.
    """
    told = {
        name: {f.value: f for f in facts if f.field == name and f.standing <= LAST_ASSERTING_STANDING}
        for name in ("internal_introducer_furl", "introducer_node_pem", "public_host", "introducer_furl")
    }
    internal, pem, host, printed = told.values()
    if printed or not len(internal) == len(pem) == len(host) == 1:
        return []
    (furl, fact), (key,), (address,) = next(iter(internal.items())), pem, host
    if tub_id_of_pem(key) != tub_id_of_furl(furl) or not key_fits(key):
        return []
    location = furl.partition("@")[2].rpartition("/")[0].partition(",")[0]
    value = f"pb://{tub_id_of_furl(furl)}@{address}:{location.rpartition(':')[2]}/{swissnum_of_furl(furl)}"
    return [fact._replace(field="introducer_furl", value=value, rule="internal furl and public address")]
