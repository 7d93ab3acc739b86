"""A node's key told as the introducer's, or named by its furl, which a file tells as the storage server's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

_INTRODUCER = ("introducer_node_pem", "introducer_nodeid")
_STORAGE = ("server_node_pem", "server_nodeid")
_FURLS = ("introducer_furl", "internal_introducer_furl")


def judge(view: AccountView) -> Iterator[Said]:
    """Doubt both nodes in a file that calls a furl's node the storage server.

    Where no furl tells which the introducer is: in all files that tell one node, some as the one, some as the other.
    """
    named = {tub_id_of_furl(fact.value): fact for fact in _asserted(view, _FURLS)}
    storage = _by_tub_id(_asserted(view, _STORAGE))
    strange = {f.locator.evidence: named[tub_id] for tub_id in storage.keys() & named for f in storage[tub_id]}
    if not strange:
        introducer = _by_tub_id(_asserted(view, _INTRODUCER))
        for tub_id in introducer.keys() & storage:
            ours, theirs = ({f.locator.evidence: f for f in told[tub_id]} for told in (introducer, storage))
            if not ours.keys() & theirs:  # else its file has one node twice: nothing has changed places
                first, other = next(iter(ours.values())), next(iter(theirs.values()))
                strange |= dict.fromkeys(ours, other) | dict.fromkeys(theirs, first)
    for evidence, because in sorted(strange.items()):
        facts = tuple(f for f in _asserted(view, (*_INTRODUCER, *_STORAGE)) if f.locator.evidence == evidence)
        yield Doubt(facts=facts, reason="nodes-exchanged", because=(because.locator,))
        for fact in facts:
            if fact.field.endswith("_pem"):
                yield finding(
                    "damaged-secrets", f"{fact.field} is the other node's", field=fact.field, locators=(fact.locator,)
                )


def _asserted(view: AccountView, names: Iterable[str]) -> list[Fact]:
    return list(dict.fromkeys(f for signup in view.signups for name in names for f in signup.asserted(name)))


def _by_tub_id(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.value if fact.field.endswith("_nodeid") else tub_id_of_pem(fact.value) or ""].append(fact)
    found.pop("", None)
    return found
