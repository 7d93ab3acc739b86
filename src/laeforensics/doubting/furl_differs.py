"""A signup's secrets file whose furl names another introducer than its node.pem: keys of two customers lie in it."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.evidence.names import start_of
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of, seed_of
from laeforensics.facts.fields import IDENTITY, fields_of
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem


def judge(view: FileView) -> Iterator[Said]:
    """Doubt all that such a file tells of nodes.

    The file of a replacement, whose bucket bears another seed than its name, may hold the furl of a key that was thrown
    away; in the S4 layout it cannot be told apart. (Where it names the file's other node, the two were exchanged.)
    """
    if view.secrets is None:
        return
    furl, bucket, start = view.value("introducer_furl"), view.value("bucket_name"), start_of(view.secrets.evidence)
    ids, others = (
        {view.value(f"{node}_nodeid"), tub_id_of_pem(view.value(f"{node}_node_pem") or "")} - {None}
        for node in ("introducer", "server")
    )
    if furl is None or bucket is None or not ids or tub_id_of_furl(furl) in ids | others:
        return
    if product_code_of(bucket) is None or (start is not None and seed_of(bucket) != start[1]):
        return
    names = fields_of(IDENTITY)
    facts = tuple(fact for fact in view.facts if fact.field in names)
    telling = {"introducer_furl", "introducer_nodeid", "introducer_node_pem"}
    yield Doubt(facts=facts, reason="furl-differs", because=tuple(f.locator for f in facts if f.field in telling))
    yield from (damaged_secret(fact.field, fact.locator) for fact in facts if fact.field == "introducer_furl")
