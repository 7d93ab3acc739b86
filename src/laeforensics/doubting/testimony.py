"""What a re-record read out of its server is its testimony: to read it out was the purpose of the run."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt, Warrant
from laeforensics.facts.channels import REMOTE
from laeforensics.facts.findings import damaged_value
from laeforensics.facts.node_keys import key_fits


def judge(view: FileView) -> Iterator[Said]:
    """Raise all that a re-record relayed; a damaged key is no voice."""
    if not view.is_re_record:
        return
    relayed = [f for f in view.undoubted if f.channel == REMOTE]
    broken = [f for f in relayed if f.field.endswith("_pem") and not key_fits(f.value)]
    told = tuple(f for f in relayed if f not in broken)
    if told:
        yield Warrant(facts=told, reason="testimony")
    for fact in broken:
        yield Doubt(facts=(fact,), reason="broken-key")
        yield damaged_value(fact.field, fact.locator)
