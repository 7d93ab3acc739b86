"""Which node's key is restored, which furl goes with it."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FURL,
    INTRODUCER,
    OTHER_NAME,
    OTHER_NODE,
    OTHER_SEED,
    PARTS,
    STORAGE,
    audit_row,
    cat,
    codes,
    evidence,
    furl_of,
    identities_read,
    judged,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
)

from laeforensics.audit import decisions

REPLACED = f"signup_logs/2012-06-01T080000Z-{OTHER_SEED}"


def stranger_record() -> bytes:
    told = re_record().decode().replace(identities_read(), identities_read(OTHER_NODE, OTHER_NODE))
    return told.encode()


def test_a_re_record_of_other_nodes_is_contested(tmp_path):
    """A re-record with the right access key but other node keys replaces nothing.

    A human decides, furl and node id stay.
    """
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    row = audit_row(case)
    assert row["blocking"] == ("contested:introducer_node_pem", "contested:server_node_pem")
    assert (row["introducer_node_pem"], row["introducer_nodeid"]) == (None, INTRODUCER.nodeid)
    assert row["introducer_furl"] == FURL


@pytest.mark.parametrize("chosen", [INTRODUCER, OTHER_NODE])
def test_node_id_and_furl_follow_the_key_that_was_chosen(tmp_path, chosen):
    """After a decision about the introducer's key no furl and no node id of the other key stands beside it."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    choice = decisions.witnesses(judged(case), "introducer_node_pem")
    number = 1 + next(n for n, f in enumerate(choice) if f.value == chosen.pem)
    case.decide(BUCKET, "introducer_node_pem", witness=number, who="Carol", because="seen")
    row = audit_row(case)
    assert (row["introducer_node_pem"], row["introducer_nodeid"]) == (chosen.pem, chosen.nodeid)
    assert row["introducer_furl"] is None or chosen.nodeid in row["introducer_furl"]


def test_a_relayed_furl_with_another_end_is_named(tmp_path):
    """The node's own furl ends otherwise than the printed one: the printed one is taken, with a warning."""
    internal = f"pb://{INTRODUCER.nodeid}@10.1.2.3:12345,127.0.0.1:12345/{'a' * 32}"
    told = PARTS["running"] + cat("introducer/introducer.furl", internal)
    case = open_files(tmp_path, evidence(log=log(running=told), secrets=None))
    assert audit_row(case)["introducer_furl"] == FURL
    assert "outranked-witness" in codes(case, "introducer_furl")


def test_a_storage_key_is_no_introducers(tmp_path):
    """A decision about one node leaves the other's key alone."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    case.decide(BUCKET, "server_node_pem", witness=1, who="Carol", because="seen")
    assert audit_row(case)["blocking"] == ("contested:introducer_node_pem",)
    assert audit_row(case)["server_nodeid"] in {STORAGE.nodeid, OTHER_NODE.nodeid}


def test_the_furl_has_the_address_of_a_later_server_of_which_nothing_else_is_believed(tmp_path):
    """Its node and its swissnum are nobody else's, whoever the log that tells it may be of."""
    later = replacement()
    line = b"  instance_id = 'i-00000009'\n"
    assert line in later
    files = evidence(secrets=None) | {REPLACED: later.replace(line, b"").replace(b"'192.0.2.9'", b"'192.0.2.77'")}
    row = audit_row(open_files(tmp_path, files))
    assert row["introducer_furl"] == furl_of(INTRODUCER, "192.0.2.9")


def test_a_furl_that_a_later_file_repeats_is_no_later_server_s(tmp_path):
    """A server's own file is the first to tell its address."""
    repeated = secrets(bucket_name=BUCKET, publichost=None)
    files = evidence() | {REPLACED: replacement(), "secrets/2012-07-01T080000Z-" + OTHER_SEED[::-1]: repeated}
    row = audit_row(open_files(tmp_path, files))
    assert row["introducer_furl"] == furl_of(INTRODUCER, "192.0.2.9")
