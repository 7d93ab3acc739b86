"""Relayed identities that prove themselves, or vouch for each other."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt, Warrant
from laeforensics.facts.channels import OWN, REMOTE
from laeforensics.facts.fact import Fact
from laeforensics.facts.node_keys import key_fits, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem


def judge(view: FileView) -> Iterator[Said]:
    """Raise relayed identities that prove themselves.

    The introducer's node.pem counts as the program's own word if its certificate hashes to the TubID of a furl that
    the program printed; so does a node id that equals that TubID. Where no furl was printed, and for the storage
    server, whose TubID is printed by nobody but the host, node.pem and node id vouch for each other: believed while
    nothing better speaks. So they do where an old key is restored: replacements printed a throw-away furl before.
    """
    if view.log is None or view.is_re_record:
        return
    heard = view.undoubted
    relayed = [f for f in heard if f.channel == REMOTE]
    if not relayed:
        return
    printed = {tub_id_of_furl(f.value) for f in heard if f.field == "introducer_furl" and f.channel == OWN}
    ids = {name: {f.value for f in relayed if f.field == name} for name in ("introducer_nodeid", "server_nodeid")}
    is_restored = "Restoring introducer identity..." in view.log.log.announcements
    reasons: dict[Fact, str] = {}
    vouched: set[tuple[str, str]] = set()
    for fact in relayed:
        if fact.field == "introducer_nodeid" and fact.value in printed:
            reasons[fact] = "certified"
        elif fact.field in ("introducer_node_pem", "server_node_pem"):
            tub_id = tub_id_of_pem(fact.value)
            node_id = fact.field.replace("node_pem", "nodeid")
            if fact.field == "introducer_node_pem" and tub_id in printed:
                reasons[fact] = "certified"
            elif fact.field == "introducer_node_pem" and printed and not is_restored:
                pass
            elif tub_id is not None and {tub_id} == ids[node_id]:
                reasons[fact] = "paired"
                vouched.add((node_id, tub_id))
    private = {f.value for f in relayed if f.field == "server_node_privkey"}
    if len(private) == 1 and any(name == "server_nodeid" for name, _ in vouched):
        vouched |= {("server_node_privkey", value) for value in private}  # read out of the same node in one breath
    reasons = {**{f: "paired" for f in relayed if (f.field, f.value) in vouched}, **reasons}
    for fact, reason in reasons.items():
        if fact.field.endswith("_pem") and not key_fits(fact.value):
            yield Doubt(facts=(fact,), reason="broken-key")
        else:
            yield Warrant(facts=(fact,), reason=reason)
