"""A node.pem in a secrets file whose private key does not fit its certificate."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.node_keys import key_fits


def judge(view: FileView) -> Iterator[Said]:
    """Doubt keys that are damaged, or the head of one with the tail of another."""
    if view.secrets is not None:
        for fact in view.facts:
            if fact.field.endswith("_pem") and not key_fits(fact.value):
                yield Doubt(facts=(fact,), reason="broken-key")
                yield damaged_secret(fact.field, fact.locator)
