"""What a re-record read out of its server is its testimony: to read it out was the purpose of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt, Warrant
from laeforensics.facts.channels import REMOTE
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import damaged_value
from laeforensics.facts.node_keys import key_fits
from laerecover.manifest import tub_id_of_pem


def judge(view: FileView) -> Iterator[Said]:
    """Raise all that a re-record relayed; a damaged key is no voice, nor a certificate of another node than its id."""
    if not view.is_re_record:
        return
    relayed = [f for f in view.undoubted if f.channel == REMOTE]
    broken = [f for f in relayed if f.field.endswith("_pem") and not key_fits(f.value)]
    whole = [f for f in relayed if f.field.endswith("_pem") and f not in broken]
    strange = [f for f in whole if _is_of_another(f, relayed)]
    told = tuple(f for f in relayed if f not in broken and f not in strange)
    if told:
        yield Warrant(facts=told, reason="testimony")
    for fact in broken:
        yield Doubt(facts=(fact,), reason="broken-key")
    for fact in strange:
        ids = tuple(f.locator for f in relayed if f.field == fact.field.replace("node_pem", "nodeid"))
        yield Doubt(facts=(fact,), reason="not-its-certificate", because=ids)
    for fact in (*broken, *strange):
        yield damaged_value(fact.field, fact.locator)


def _is_of_another(pem: Fact, relayed: Iterable[Fact]) -> bool:
    """True if a certificate hashes to nothing like the one node id that was read out with it."""
    tub_id, field = tub_id_of_pem(pem.value), pem.field.replace("node_pem", "nodeid")
    ids = {f.value for f in relayed if f.field == field}
    return tub_id is not None and len(ids) == 1 and not any(tub_id == each or is_near(tub_id, each) for each in ids)
