"""A node's key with which no node could ever start, beside one of the same server with which it could."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laerecover.manifest import is_node_privkey

_FIELD = "server_node_privkey"


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt the impossible one.

    Where nothing else is told, it stands as it was read: no recovery writes it to a host.
    """
    for signup in view.signups():
        told = signup.asserted(_FIELD)
        impossible = tuple(fact for fact in told if not is_node_privkey(fact.value))
        possible = tuple(fact.locator for fact in told if is_node_privkey(fact.value))
        if impossible and possible:
            yield Doubt(facts=impossible, reason="impossible-key", because=possible, about=frozenset({signup.name}))
