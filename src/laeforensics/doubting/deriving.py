"""Facts that follow from others: what nobody printed, but what is told all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.fact import Fact
from laeforensics.facts.node_keys import furl_at, key_fits, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

_MADE_OF = ("internal_introducer_furl", "introducer_node_pem", "public_host", "introducer_furl")


def external_furl(facts: Iterable[Fact], hearing: Hearing) -> Iterator[tuple[Fact, Fact]]:
    """The furl that customers were told, out of a re-record's testimony, with the fact that it is made of.

    It is its internal furl, at its public address. No more than one node.pem, internal furl and public address may be
    told, and the furl's TubID must be that of the node.pem.
    """
    asserting = hearing.asserting(fact for fact in facts if fact.field in _MADE_OF)
    told = {name: {f.value: f for f in asserting if f.field == name} for name in _MADE_OF}
    internal, pem, host, printed = told.values()
    if printed or not len(internal) == len(pem) == len(host) == 1:
        return
    (furl, fact), (key,), (address,) = next(iter(internal.items())), pem, host
    if tub_id_of_pem(key) != tub_id_of_furl(furl) or not key_fits(key):
        return
    value = furl_at(furl, address)
    yield fact._replace(field="introducer_furl", value=value, rule="internal furl and public address"), fact
