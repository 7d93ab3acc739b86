"""Logs that lost a part, or go on with another log's: nothing is asserted that no witness ties to the account."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hostile_lab import Lab, keys, signup

from evidence_writer.replacement import make_replacement
from evidence_writer.rerecord import make_rerecord

TAILS = [
    ("d06", b"instance_name = ", "d06", b">The server's public"),
    ("d02", b"apt-get upgrade", "d06", b"[customer@"),
    ("d02", b"apt-get upgrade", "d06", b" e-mail to <"),
    ("d01", b">The server's public", "d01", b">Starting introducer"),
    ("d06", b">EC2 instance started", "d06", b">Updating server"),
    ("d12", b"  placement = ", "d12", b">Finished server installation"),
]


@pytest.mark.parametrize(("dialect", "cut", "other", "rest"), TAILS)
@pytest.mark.parametrize("csv", [False, True], ids=["alone", "with csv"])
def test_the_tail_of_another_log_lends_a_cut_log_nothing(dialect, cut, other, rest, csv, tmp_path):
    """A log cut, and another's tail behind it without a head: each value is the cut log's own, or none."""
    run, stranger = signup(dialect, 1), signup(other, 2)
    lab = Lab.of(run, stranger, csv=csv, secrets=False)
    del lab.files[stranger.log_file], lab.truth[stranger.log_file]
    start = run.log_bytes.index(cut)
    goes_on = stranger.log_bytes.rindex(b"\n", 0, stranger.log_bytes.index(rest)) + 1
    lab.files[run.log_file] = run.log_bytes[:start] + stranger.log_bytes[goes_on:]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert "several-signups" in judged.findings()


def test_a_digit_lost_in_the_furls_address_is_told(tmp_path):
    """The furl's host is held against the address that the program prints and that fabric speaks to."""
    run = signup("d06")
    host = run.truth["fields"]["public_host"].encode()
    lab = Lab.of(run, secrets=False)
    lab.edit(run.log_file, lambda data: data.replace(b"@" + host + b":12345/", b"@" + host[:-1] + b":12345/"))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["introducer_furl"] is None
    assert "damaged-value" in judged.findings()


def test_a_token_whose_two_prints_a_hole_has_joined_is_not_believed(tmp_path):
    """From the middle of the credentials' token to a later place of the bucket block's.

    The one print left is too short.
    """
    run = signup("d06")
    token = run.truth["fields"]["user_token"].encode()
    data = run.log_bytes
    first, last = data.index(token), data.index(token, data.index(b">Creating S3"))
    lab = Lab.of(run, secrets=False)
    lab.files[run.log_file] = data[: first + 80] + data[last + 40 :]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["user_token"] is None
    assert "damaged-value" in judged.findings()


def test_a_node_pem_and_its_node_id_vouch_for_each_other_where_no_furl_was_printed(tmp_path):
    """A log cut behind its keys and before its settings: both identities are proved, only the furl is missing."""
    run = signup("d06")
    lab = Lab.of(run, secrets=False, csv=False)
    lab.edit(run.log_file, lambda data: data[: data.index(b">The introducer and storage server are running")])
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    (account,) = judged.accounts.values()
    assert (account["introducer_identity"], account["storage_identity"]) == ("PROVED", "PROVED")
    assert account["introducer_node_pem"] == run.truth["fields"]["introducer_node_pem"]


def test_a_private_node_key_that_only_the_log_tells_is_taken(tmp_path):
    """The secrets file is lost.

    The storage server's second key stands in the log, beside the keys that prove themselves.
    """
    run = signup("d12")
    judged = Lab.of(run).judge(tmp_path / "whole")
    told = judged.rows[run.log_file]["server_node_privkey"]
    judged = Lab.of(run, secrets=False).judge(tmp_path / "lost")
    assert told is not None
    assert judged.rows[run.log_file]["server_node_privkey"] == told


def test_a_throw_away_furl_alone_is_not_taken(tmp_path):
    """The origin's furl is lost; the replacement printed that of a throw-away identity.

    The key is kept, the furl is not.
    """
    origin = signup("d06")
    replacement = make_replacement(
        random.Random(5), origin, dialect="d07", when=datetime(2012, 6, 1, tzinfo=UTC), number=9, keys=keys()
    )
    lab = Lab.of(origin, replacement, secrets=False)
    lab.edit(origin.log_file, lambda data: data[: data.index(b">Creating introducer")])
    judged = lab.judge(tmp_path)
    (account,) = judged.accounts.values()
    assert account["introducer_furl"] is None
    assert account["introducer_node_pem"] == origin.truth["fields"]["introducer_node_pem"]
    assert account["grade"] == "NEW_FURL"
    assert "throw-away-furl" in judged.findings()


def test_a_re_record_alone_tells_the_furl_that_the_customer_has(tmp_path):
    """Its internal furl at the server's public address, proved by the key that was read out beside it."""
    origin = signup("d06")
    record = make_rerecord(random.Random(6), origin, when=datetime(2012, 6, 1, tzinfo=UTC))
    lab = Lab.of(origin, record, csv=False, secrets=False)
    del lab.files[origin.log_file], lab.truth[origin.log_file]
    judged = lab.judge(tmp_path)
    (account,) = judged.accounts.values()
    assert account["introducer_furl"] == origin.truth["fields"]["introducer_furl"]
    assert account["grade"] == "IDENTITY_KEPT"


def test_a_whole_log_under_a_lost_ones_name_of_the_same_minute_keeps_its_account(tmp_path):
    """No secrets file stands: the request of the key at its head tells the product and the e-mail of its end."""
    run = signup("d06")
    lab = Lab.of(run, secrets=False)
    lost = f"signup_logs/{run.log_name[:15]}59Z-{'a' * 32}"
    judged = lab.rename(run.log_file, lost).judge(tmp_path)
    assert judged.wrong == []
    account = judged.accounts[run.account["account_id"]]
    assert account["user_secret_key"] == run.truth["fields"]["user_secret_key"]
    assert "renamed-log" in judged.findings()
