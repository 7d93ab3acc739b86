"""One log becomes facts with their places and channels, stages, and tiles for every byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    DUMP,
    FAILURE,
    FURL,
    HOST,
    INTRODUCER,
    LOG_FILE,
    OTHER_NODE,
    PARTS,
    SECRET_KEY,
    STORAGE,
    USER_TOKEN,
    cat,
    identities_read,
    log,
    re_record,
    read,
    values,
)

UNSURE = "unsure"
CERTIFIED, ERROR, OWN, PAIRED, REMOTE, STRAY, TESTIMONY = (
    "certified", "error", "own", "paired", "remote", "stray", "testimony",
)  # fmt: skip

CREDENTIALS = {"user_access_key_id", "user_secret_key", "user_token"}


def _channels(data: bytes | str, field: str) -> set[str]:
    return {f.channel for f in read(data).facts if f.field == field}


def _claimed(data: bytes) -> None:
    """Every byte once: a gap, or a byte claimed twice, is refused where it is claimed."""
    log = read(data).log
    assert log.size == sum(log.sizes.values()) == len(data)
    assert sum(r.end - r.start for r in log.residue) == log.sizes["residue"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*PARTS.values(), FAILURE, "noise\n", "\n", "secret_key = 'cut\n", "\0\0", "\r", ">"])))
def test_tiles_cover_every_byte_once(parts):
    """Facts, noise and residue follow each other without gap or overlap, whatever the order of the lines."""
    _claimed("".join(parts).encode())


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(data):
    """There is no file that cannot be read: what is not known is residue."""
    _claimed(data)


def test_a_whole_log_is_understood_without_rest():
    """No residue, no damage, every stage to the mail."""
    told = read(log())
    assert (told.residue, told.damaged_fields, told.failed, told.segments) == ([], set(), False, 1)
    assert told.stages[-1][0] == "mail_sent"
    assert {f.channel for f in told.facts} == {OWN}


def test_a_fact_knows_its_place():
    """File, line and bytes of a fact are those of its value."""
    data = log()
    for f in read(data).facts:
        place = f.locator
        assert place.evidence == LOG_FILE
        assert data[place.start : place.end].decode() == f.value
        assert place.line == 1 + data.count(b"\n", 0, place.start)


# -- where a line is the program's own word ------------------------------------------------------------------


def test_a_value_under_its_announcement_is_the_programs_own():
    """The three lines of the credentials belong to `License activated.`"""
    assert _channels(PARTS["credentials"], "user_secret_key") == {OWN}


def test_a_value_at_the_head_of_a_log_whose_head_is_lost_is_the_programs_own():
    """Before any announcement a line may be of any block."""
    told = read(f"ecret_key = 'half\nsecret_key = '{SECRET_KEY}'\nusertoken = '{USER_TOKEN}'\n")
    assert values(told) == {"user_secret_key": {SECRET_KEY}, "user_token": {USER_TOKEN}}


@pytest.mark.parametrize(
    "between",
    [
        ">Installing dependencies...>\n",
        f"[ubuntu@{HOST}] run: whoami\n",
        "a line that nobody knows\n",
        f">The server's public address is '{HOST}'.>\n",
    ],
)
def test_a_value_after_its_block_has_ended_is_a_stray(between):
    """Relayed text, residue and other announcements end a block; a look-alike after them is not believed."""
    data = PARTS["started"] + PARTS["activation"] + between + f"secret_key = '{SECRET_KEY}'\n"
    assert _channels(data, "user_secret_key") == {STRAY}


def test_a_value_of_another_block_is_a_stray():
    """An access key has no place in an instance's dump."""
    data = PARTS["started"] + PARTS["instance"] + f"access_key_id = '{ACCESS_KEY_ID}'\n"
    assert _channels(data, "user_access_key_id") == {STRAY}


def test_damage_inside_a_block_does_not_end_it():
    """A torn line is told with its field and place; the block's other lines are of it, though not sure."""
    torn = PARTS["credentials"].replace(f"secret_key = '{SECRET_KEY}'", "secret_key = 'half")
    told = read(log(until="poll", credentials=torn, poll=">Verifying subscription...>\n"))
    assert values(told, [UNSURE])["user_token"] == {USER_TOKEN}
    assert "user_secret_key" not in values(told, [OWN, UNSURE])
    assert "user_secret_key" in told.damaged_fields


def test_a_value_before_lines_that_are_lost_is_not_sure():
    """A hole could have joined the head of its line to the tail of another.

    What follows must be what always follows.
    """
    assert "activation_key" in values(read(log(until="credentials")))
    told = read(log("credentials", until="poll"))
    assert "activation_key" not in values(told)
    assert "activation_key" in told.damaged_fields


def test_zeros_move_nothing():
    """A line overwritten with NULs leaves the line before it sure."""
    line = f"secret_key = '{SECRET_KEY}'\n"
    told = read(log(credentials=PARTS["credentials"].replace(line, "\0" * (len(line) - 1) + "\n"), until="credentials"))
    assert values(told)["user_access_key_id"] == {ACCESS_KEY_ID}
    assert "user_secret_key" not in values(told)


def test_zeros_do_not_end_a_block():
    """What follows a line overwritten with NULs is of the same block still."""
    line = f"secret_key = '{SECRET_KEY}'\n"
    told = read(log(credentials=PARTS["credentials"].replace(line, "\0" * (len(line) - 1) + "\n"), until="credentials"))
    assert values(told)["user_token"] == {USER_TOKEN}


def test_a_value_of_the_wrong_shape_is_damage():
    """A whole line whose value cannot be right is told, not read."""
    told = read(log(address=">The server's public address is '192.0.2'.>\n", installing="", settings=""))
    assert "public_host" not in values(told)
    assert told.damaged_fields == {"public_host"}


# -- failures ------------------------------------------------------------------------------------------------


def test_text_after_a_failure_is_an_error_message():
    """An error's text may hold anything: nothing in it is believed until the signup is another."""
    told = read(log(until="poll").decode() + FAILURE + PARTS["bucket"])
    assert (told.failed, told.stages[-1][0]) == (True, "subscription_verified")
    assert {f.channel for f in told.facts if f.field == "bucket_name"} == {ERROR}


def test_the_first_error_is_named():
    """The failure's first line is kept, without the marks around it."""
    told = read(log(until="poll").decode() + FAILURE)
    assert told.signup.failure == "Failure instance: Traceback: <type 'exceptions.SystemExit'>: 1"


def test_a_bucket_that_could_not_be_made_ends_a_signup():
    """The announcement and the failure are told; the bucket's name stands, but nothing attests it."""
    told = read(log(until="bucket").decode() + ">S3 bucket creation failed.>\n" + FAILURE)
    assert (told.signup.bucket_failed, told.failed) == (True, True)
    assert values(told)["bucket_name"] == {BUCKET}


def test_a_swallowed_bucket_failure_is_no_end():
    """The S4 program prints that its bucket could not be made and goes on: what follows is its own word."""
    began = "entering activate_subscribed_service call.\n"
    told = read(log(started=began, created=">S3 bucket creation failed.>\n" + DUMP))
    assert (told.signup.bucket_failed, told.failed, told.stages[-1][0]) == (True, False, "mail_sent")
    assert values(told)["introducer_furl"] == {FURL}


# -- what hosts relay ----------------------------------------------------------------------------------------


def test_fabrics_mark_is_a_witness_of_the_address():
    """The host in `[user@host]` is written by the program, not by the host."""
    told = read(f"[ubuntu@{HOST}] run: whoami\n[zenoss@198.51.100.7] run: whoami\n")
    assert values(told) == {"public_host": {HOST}}


def test_relayed_values_are_remote():
    """What a host printed is not the program's word."""
    told = read(log().decode() + cat("storageserver/private/s3secret", SECRET_KEY[::-1]))
    assert {f.channel for f in told.facts if f.value == SECRET_KEY[::-1]} == {REMOTE}


def test_relayed_identities_that_prove_themselves_are_raised():
    """The introducer's by the furl that the program printed, the storage server's by its node id."""
    told = read(log(running=identities_read() + PARTS["running"]))
    assert values(told, [CERTIFIED]) == {
        "introducer_node_pem": {INTRODUCER.pem},
        "introducer_nodeid": {INTRODUCER.nodeid},
    }
    assert values(told, [PAIRED]) == {"server_node_pem": {STORAGE.pem}, "server_nodeid": {STORAGE.nodeid}}


def test_a_relayed_identity_of_another_node_is_not_raised():
    """A node.pem that is not the one of the printed furl stays remote text."""
    told = read(log(running=identities_read(introducer=OTHER_NODE) + PARTS["running"]))
    assert values(told, [REMOTE])["introducer_node_pem"] == {OTHER_NODE.pem}
    assert values(told, [CERTIFIED]) == {}


def test_a_re_records_output_is_its_testimony():
    """The very purpose of the run was to read the values out of the server."""
    told = read(re_record())
    assert {f.channel for f in told.facts} == {TESTIMONY}
    assert values(told, [TESTIMONY])["user_secret_key"] == {SECRET_KEY}
    assert values(told, [TESTIMONY])["bucket_name"] == {BUCKET}


def test_a_signup_that_reads_a_secret_back_is_no_re_record():
    """In a log that activated a license the remote output stays remote."""
    told = read(log(running=cat("storageserver/private/s3secret", SECRET_KEY[::-1]) + PARTS["running"]))
    assert {f.channel for f in told.facts if f.value == SECRET_KEY[::-1]} == {REMOTE}


# -- several signups -----------------------------------------------------------------------------------------


def test_announcements_out_of_order_begin_another_signup():
    """What cannot follow is of a second signup, and the file says how many it holds."""
    assert read(log() + log()).segments == 2
    assert read(log(until="poll") + log()).segments == 2


@pytest.mark.parametrize("at", range(0, len(log()), 97))
def test_a_log_that_is_cut_tells_nothing_else(at):
    """Whatever the byte of the cut: facts are those of the whole log, at their places."""
    whole = {(f.field, f.value, f.locator) for f in read(log()).facts}
    assert {(f.field, f.value, f.locator) for f in read(log()[:at]).facts} <= whole


def test_a_line_that_is_cut_is_no_value():
    """A value is whole when its closing quote stands there."""
    cut = log(until="credentials")[: -len("'\n") - 4]
    assert CREDENTIALS & set(values(read(cut))) == {"user_access_key_id", "user_secret_key"}
