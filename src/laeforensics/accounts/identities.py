"""PROVED, STATED, BROKEN or ABSENT: a node's key against the TubIDs that name the node."""

from __future__ import annotations

from laeforensics.facts.node_keys import key_fits
from laerecover.manifest import tub_id_of_pem

PROVED, STATED, BROKEN, ABSENT = "PROVED", "STATED", "BROKEN", "ABSENT"


def judge(pem: str | None, tub_ids: set[str]) -> str:
    """PROVED, STATED, BROKEN or ABSENT for one node: its node.pem, against the TubIDs that name the node.

    Several different TubIDs prove the key if its certificate is one of them: a replacement server printed the furl
    of a throw-away identity although the old keys were restored.
    """
    if pem is None:
        return ABSENT
    tub_id = tub_id_of_pem(pem)
    if tub_id is None or not key_fits(pem):
        return BROKEN
    if not tub_ids:
        return STATED
    return PROVED if tub_id in tub_ids else BROKEN
