"""What is made of the furl that a server relayed."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FURL,
    HOST,
    INTRODUCER,
    OTHER_NODE,
    PARTS,
    STORAGE,
    audit_row,
    cat,
    codes,
    evidence,
    identities_read,
    judged,
    log,
    open_files,
    revealed,
    secrets,
)

SWISSNUM = "a" * 32


def relayed(node=INTRODUCER, *, with_keys: bool = True) -> str:
    """The end of an installation whose host tells its node's furl."""
    internal = f"pb://{node.nodeid}@10.1.2.3:12345,127.0.0.1:12345/{SWISSNUM}"
    return PARTS["running"] + (identities_read() if with_keys else "") + cat("introducer/introducer.furl", internal)


def test_a_relayed_furl_with_another_end_is_named(tmp_path):
    """The node's own furl ends otherwise than the printed one: the printed one is taken, with a warning."""
    case = open_files(tmp_path, evidence(log=log(running=relayed(with_keys=False)), secrets=None))
    assert revealed(audit_row(case)["introducer_furl"]) == FURL
    assert "outranked-witness" in codes(case, "introducer_furl")


def test_where_the_printed_furl_is_lost_the_relayed_one_is_restored_at_the_printed_address(tmp_path):
    """The grade stays: nothing certifies the swissnum. The reason says so."""
    case = open_files(tmp_path, evidence(log=log(running=relayed(), until="running"), secrets=None))
    row = audit_row(case)
    assert revealed(row["introducer_furl"]) == f"pb://{INTRODUCER.nodeid}@{HOST}:12345/{SWISSNUM}"
    assert (row["introducer_identity"], row["storage_identity"], row["grade"]) == ("PROVED", "PROVED", "NEW_FURL")
    assert "of its swissnum nothing else tells" in str(case.explain(BUCKET))


@pytest.mark.parametrize("told", [relayed(OTHER_NODE), relayed(with_keys=False)], ids=["another node's", "no key"])
def test_a_relayed_furl_that_no_proved_key_bears_out_is_not_restored(told, tmp_path):
    """Its TubID must be that of the key which is restored."""
    case = open_files(tmp_path, evidence(log=log(running=told, until="running"), secrets=None))
    assert audit_row(case)["introducer_furl"] is None


def test_a_key_that_a_human_chose_brings_its_relayed_furl_back(tmp_path):
    """Its node is proved by then: the furl at the printed address is as good as it was without the question."""
    cut = STORAGE.pem[:200] + STORAGE.pem[203:]  # so nothing is sure that was written together with it
    told = log(running=relayed(with_keys=False), until="running")
    other = secrets(server_node_pem=cut, external_introducer_furl=None)
    case = open_files(tmp_path, evidence(log=told, secrets=other))
    assert "introducer_node_pem" in judged(case).contested
    case.decide(BUCKET, "introducer_node_pem", witness=1, who="Carol", because="its node id stands beside it")
    assert revealed(audit_row(case)["introducer_furl"]) == f"pb://{INTRODUCER.nodeid}@{HOST}:12345/{SWISSNUM}"
    assert audit_row(case)["grade"] == "NEW_STORAGE_IDENTITY"
