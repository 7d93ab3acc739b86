"""Where a node.pem's certificate is not the node id beside it, the two were swapped or changed: neither is sure."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near
from laeforensics.facts.node_keys import tub_id_of_furl
from laerecover.manifest import tub_id_of_pem


def judge(view: FileView) -> Iterator[Said]:
    """Doubt key and id of a node that do not belong together.

    A node id that is almost the certificate's is a misprint of it. Else the introducer's furl decides between its
    node.pem and its node id; nothing decides for the storage server.
    """
    if view.secrets is None:
        return
    furl = view.value("introducer_furl")
    for pem_field, id_field, witness in (
        ("introducer_node_pem", "introducer_nodeid", tub_id_of_furl(furl) if furl else None),
        ("server_node_pem", "server_nodeid", None),
    ):
        pem, node_id = view.value(pem_field), view.value(id_field)
        if pem is None or node_id is None or (tub_id := tub_id_of_pem(pem)) == node_id:
            continue
        doubted = {pem_field: "not-its-certificate", id_field: "not-its-id"}
        if tub_id is not None and is_near(tub_id, node_id):
            doubted = {id_field: "misprint"}  # no other certificate hashes to almost the same
        elif witness == node_id:
            del doubted[id_field]
        elif witness == tub_id:
            del doubted[pem_field]
        for name, reason in doubted.items():
            facts = tuple(f for f in view.facts if f.field == name)
            beside = id_field if name == pem_field else pem_field
            because = tuple(f.locator for f in view.facts if f.field == beside)
            yield Doubt(facts=facts, reason=reason, because=because)
            yield from (damaged_secret(f.field, f.locator) for f in facts)
