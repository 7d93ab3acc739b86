"""Which node's key is restored, which furl goes with it."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FURL,
    HOST,
    INTRODUCER,
    NAME,
    OTHER_NAME,
    OTHER_NODE,
    OTHER_SEED,
    PARTS,
    STORAGE,
    as_another,
    audit_row,
    cat,
    evidence,
    furl_of,
    identities_read,
    identity,
    judged,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
    settings,
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


def test_a_re_recorded_certificate_that_is_not_its_node_id_s_contests_nothing(tmp_path):
    """A letter of its signature is overwritten: it fits its key, but hashes to nothing that is told."""
    line = INTRODUCER.pem.partition("\n-----END CERTIFICATE")[0].rpartition("\n")[2]
    told = re_record().decode()
    assert line in told
    damaged = told.replace(line, ("A" if line[0] != "A" else "B") + line[1:]).encode()
    row = audit_row(open_files(tmp_path, evidence() | {f"signup_logs/{OTHER_NAME}": damaged}))
    assert (row["verdict"], row["introducer_node_pem"]) == ("RECOVERABLE", INTRODUCER.pem)


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


NEWER = furl_of(INTRODUCER, "192.0.2.9")
STRANGER = f"2012-09-01T080000Z-{OTHER_SEED[::-1]}"


def unlabelled(**changed: str) -> bytes:
    """A replacement's log of which nobody knows whose it is: the label that opens its print is damaged."""
    return replacement(**changed).replace(b"ami_image_id = ", b"aei_image_id = ")


def spliced() -> bytes:
    """A replacement's log with a piece of another over its middle, in which that one tells its server's address."""
    head, _, rest = replacement().partition(b">Restoring introducer")
    piece = as_another(log()).decode()
    return head + b"\n>Resto" + piece[piece.index("launch_time") : piece.index(">Finished")].encode() + b"oring" + rest


UNBELIEVED = {
    "a piece of another's, with its address, in it": {REPLACED: spliced()},
    "the label of its print damaged": {REPLACED: unlabelled()},
    "its file goes on with another's run": {REPLACED: replacement() + as_another(log())},
    "its file begins in its middle": {
        REPLACED: b"\n>".join(reversed(replacement().split(b"\n>Restoring introducer", 1))).replace(
            b"\n> intro", b"\n>"
        )
    },
    "its secrets file holds another's, too": {
        f"secrets/{STRANGER}": secrets(publichost="192.0.2.9", external_introducer_furl=NEWER) + as_another(secrets())
    },
}


@pytest.mark.parametrize("files", UNBELIEVED.values(), ids=UNBELIEVED)
def test_the_furl_has_the_address_that_a_file_of_nobody_tells_later(tmp_path, files):
    """A later server of which no file is believed is the furl's address all the same, if node and swissnum are told."""
    row = audit_row(open_files(tmp_path, evidence() | files))
    assert row["introducer_furl"] == NEWER


def latest(**changed: str) -> bytes:
    """The same of a run in September, at an address that is no server's of the account."""
    return unlabelled(host="192.0.2.77", **changed).replace(b"2012-06-01", b"2012-09-01")


LOST = furl_of(INTRODUCER, "192.0.2.66")
REPEATED = as_another(log("bucket", "deployment")).replace(furl_of(identity(3), "192.0.2.5").encode(), LOST.encode())
NOT_LATER = {
    "an older log that tells no launch holds its piece": {
        f"signup_logs/2012-01-05T080000Z-{OTHER_SEED[::-1]}": (
            PARTS["address"].replace(HOST, "192.0.2.9") + "torn\n" + PARTS["installing"] + settings(NEWER)
        ).encode()
    },
    "another's log holds a piece of a lost one": {f"signup_logs/{STRANGER}": REPEATED},
    "another's file holds the first one's as its second": {
        f"secrets/{STRANGER}": as_another(secrets()).replace(b"inventedseed", b"deventedseed") + secrets()
    },
    "it names another bucket": {f"signup_logs/{STRANGER}": latest(bucket="lae-bbcd4567-" + OTHER_SEED[1:] + "a")},
    "it has another swissnum": {
        f"signup_logs/{STRANGER}": latest(furl=f"pb://{INTRODUCER.nodeid}@192.0.2.77:12345/abc")
    },
    "furl and address differ": {f"signup_logs/{STRANGER}": latest(furl=LOST)},
}


@pytest.mark.parametrize("files", NOT_LATER.values(), ids=NOT_LATER)
def test_a_furl_moves_to_no_address_that_was_not_its_own_server_s(tmp_path, files):
    """What is spliced into other files, or named otherwise, moves no furl from its latest server."""
    row = audit_row(open_files(tmp_path, evidence(log=None) | {REPLACED: unlabelled()} | files))
    assert row["introducer_furl"] == NEWER


def test_a_furl_that_a_later_file_repeats_is_no_later_server_s(tmp_path):
    """A server's own file is the first to tell its address."""
    repeated = secrets(bucket_name=BUCKET, publichost=None)
    files = evidence() | {REPLACED: replacement(), "secrets/2012-07-01T080000Z-" + OTHER_SEED[::-1]: repeated}
    row = audit_row(open_files(tmp_path, files))
    assert row["introducer_furl"] == furl_of(INTRODUCER, "192.0.2.9")


def test_the_furl_of_the_server_that_counts_is_no_older_one_s(tmp_path):
    """Though a secrets file that tells it, too, bears a time before the signup."""
    moved = secrets(publichost="192.0.2.9", external_introducer_furl=furl_of(INTRODUCER, "192.0.2.9"))
    files = evidence() | {REPLACED: replacement(), f"secrets/2012-01-05T080000Z-{OTHER_SEED[::-1]}": moved}
    assert audit_row(open_files(tmp_path, files))["introducer_furl"] == furl_of(INTRODUCER, "192.0.2.9")


@pytest.mark.parametrize(("relayed", "taken"), [(INTRODUCER, FURL), (OTHER_NODE, furl_of(OTHER_NODE, "192.0.2.9"))])
def test_where_all_keys_are_hidden_the_node_id_that_a_server_relays_tells_a_thrown_away_furl(relayed, taken, tmp_path):
    """A replacement prints one and restores the signup's introducer: its own node id is the signup's furl's."""
    told = cat("introducer/my_nodeid", relayed.nodeid, host="192.0.2.9") + PARTS["running"]
    run = replacement(furl=furl_of(OTHER_NODE, "192.0.2.9")).replace(PARTS["running"].encode(), told.encode())
    row = audit_row(open_files(tmp_path, {**evidence(secrets=None), REPLACED: run}))
    assert (row["introducer_identity"], row["introducer_furl"]) == ("ABSENT", taken)


def test_a_replacement_that_restored_the_introducer_and_relays_no_node_id_told_a_furl_that_is_thrown_away(tmp_path):
    """All keys are hidden: the signup's furl is restored, whatever the replacement printed before."""
    files = evidence(secrets=None) | {REPLACED: replacement(furl=furl_of(OTHER_NODE, "192.0.2.9"))}
    assert audit_row(open_files(tmp_path, files))["introducer_furl"] == FURL


def test_of_two_servers_whose_secrets_files_bear_each_other_s_names_the_logs_tell_the_later(tmp_path):
    """No file beside a log of its name tells that log's server: the furl is that of the log that began last."""
    swapped = {f"secrets/{NAME}": "192.0.2.9", f"secrets/{REPLACED.rpartition('/')[2]}": HOST}
    files = evidence(servers=None) | {REPLACED: replacement()}
    for path, host in swapped.items():
        files[path] = secrets(publichost=host, external_introducer_furl=furl_of(INTRODUCER, host))
    row = audit_row(open_files(tmp_path, files))
    assert (row["introducer_furl"], row["public_host"]) == (furl_of(INTRODUCER, "192.0.2.9"), None)
