"""A file that holds more than one signup: only the one that bears the file's name is believed."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from makings import (
    BUCKET,
    CODE,
    FAILURE,
    HOST,
    KEY,
    LOG_FILE,
    OTHER_NAME,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    SEED,
    log,
    read,
    values,
)

FOREIGN, OWN = "foreign", "own"

OTHER_HOST = "192.0.2.77"


def _other(data: bytes) -> bytes:
    """The same log as another customer's."""
    pairs = {
        SEED: OTHER_SEED,
        KEY: KEY[::-1],
        SECRET_KEY: SECRET_KEY[::-1],
        "{UserToken}AAAH": "{UserToken}BBBH",
        "ann@": "eve@",
        f"'{HOST}'": f"'{OTHER_HOST}'",
        f"@{HOST}": f"@{OTHER_HOST}",
        "'i-0a1b2c3d'": "'i-99999999'",
        "2012-03-20T10:17": "2012-04-21T08:02",
        "AKIAINVENTED": "AKIASTRANGER",
    }
    text = data.decode()
    for mine, theirs in pairs.items():
        text = text.replace(mine, theirs)
    return text.encode()


MINE, THEIRS = values(read(log())), values(read(_other(log()), f"signup_logs/{OTHER_NAME}"))


def test_the_two_customers_share_nothing_that_matters():
    """The laboratory's two logs differ in every value but those of the product."""
    shared = {name for name in MINE if MINE[name] & THEIRS[name]}
    assert shared == {"full_name", "ami_image_id", "instance_size"}
    assert CODE.lower() in BUCKET


@pytest.mark.parametrize("glue", [lambda a, b: a + b, lambda a, b: b + a])
def test_of_two_whole_signups_the_one_with_the_files_seed_counts(glue):
    """Before or after another's log, this log's values are the program's own, the other's are foreign."""
    told = read(glue(log(), _other(log())))
    assert values(told) == MINE
    assert {f.channel for f in told.facts if f.value == SECRET_KEY[::-1]} == {FOREIGN}


def test_a_failed_signup_before_the_true_one_does_not_silence_it():
    """A failure belongs to its signup: what follows in the same file is another's, or this one's."""
    told = read(_other(log(until="bucket")) + FAILURE.encode() + log())
    assert values(told) == MINE
    assert not told.failed


def test_a_true_signup_before_a_failed_one_is_finished():
    """Stages and failure are those of the signup that counts."""
    told = read(log() + _other(log(until="bucket")) + FAILURE.encode())
    assert (told.failed, told.stages[-1][0]) == (False, "mail_sent")


def test_two_signups_of_which_none_bears_the_name_are_nobodys():
    """Where another's bucket leads and no seed fits, nothing tells whose signup the file is about."""
    third = _other(log()).replace(OTHER_SEED.encode(), b"z" * 32)
    assert values(read(_other(log()) + third)) == {}


def test_the_same_log_twice_loses_nothing():
    """A file that was doubled says the same as one copy."""
    assert values(read(log() + log())) == MINE


@pytest.mark.parametrize("part", list(PARTS)[2:-1])
def test_the_head_of_one_log_and_the_rest_of_another_never_mix(part):
    """From the credentials on, wherever another's rest is glued on: none of its values is the program's own word."""
    told = read(log(until=part) + _other(log())[len(_other(log(until=part))) :])
    assert {name: found - MINE[name] for name, found in values(told).items() if found - MINE[name]} == {}
    assert "several-signups" in {f.code for f in told.findings}


def test_foreign_facts_keep_their_place_and_assert_nothing():
    """They are shown as witnesses that are not believed."""
    told = read(log() + _other(log()))
    foreign = [f for f in told.facts if f.channel == FOREIGN]
    assert foreign
    assert all(f.locator.evidence == LOG_FILE and f.locator.start >= len(log()) for f in foreign)
    assert all(f.locator.start < len(log()) for f in told.facts if f.channel == OWN)


def test_another_buckets_print_between_two_of_the_files_own_is_left_out():
    """It was inserted: nothing of it counts, and the run before and behind it is one."""
    block = PARTS["bucket"]
    strange = _other(block.encode()).decode()
    told = read(log(bucket=block + strange))
    assert values(told) == MINE
    assert told.stages[-1][0] == "mail_sent"


def test_an_instance_behind_an_unannounced_print_of_another_bucket_is_not_believed():
    """A piece of another's log begins in its announcement, and ends in the dump of its instance: a disk took it so."""
    strange = _other((PARTS["deployment"] + PARTS["instance"]).encode()).decode()
    piece = "en" + strange[: strange.index("  key_name")]
    cut = PARTS["instance"][PARTS["instance"].index("  key_name") :]
    told = read(log("deployment", instance=">Deploying EC2 instance...>\n" + piece + cut, until="instance"))
    assert "instance_id" not in values(told)
    assert values(told)["bucket_name"] == {BUCKET}


def test_of_two_heads_before_a_bucket_neither_is_its_where_no_token_ties_one_to_it():
    """A sector of another log's head took the place of the own poll, up to the line that names the bucket."""
    strange = _other(log(until="activation")).decode() + ">License activated.>\n"
    rest = PARTS["bucket"][PARTS["bucket"].index("bucketname") :]
    told = values(read(log("poll", bucket=strange + rest)))
    assert told["bucket_name"] == {BUCKET}
    assert told.keys().isdisjoint({"activation_key", "user_token", "user_secret_key"})


def test_a_head_in_which_no_run_begins_is_not_the_files_run():
    """A sector of another log's end at the head, then a gap, and no bucket is told: nothing ties either to the file."""
    strange = _other("".join(PARTS[part] for part in ("running", "settings", "mail")).encode())
    told = read(strange + "".join(PARTS[part] for part in ("installed", "running", "settings", "mail")).encode())
    assert values(told) == {}


def test_the_end_of_a_run_before_its_beginning_is_of_the_run():
    """As in a file that was written round: what speaks of the same server counts, and tells the run's end."""
    whole = log()
    at = whole.index(b">Starting introducer...>")
    told = read(whole[at:] + whole[:at])
    assert values(told) == MINE
    assert "mail_sent" in {stage for stage, _ in told.stages}


def test_a_failure_in_an_end_that_stands_before_its_beginning_is_the_runs():
    """Both tell the bucket, and the head stops where the end begins: it is no later run, which had not failed."""
    whole = log(until="installing") + FAILURE.encode()
    at = whole.index(b"bucket_name")
    told = read(whole[at:] + whole[:at])
    assert told.failed
    assert values(told)["bucket_name"] == {BUCKET}


def test_anothers_credentials_between_two_prints_of_the_own_token_are_left_out():
    """Even where they part the run in two: what its token ties is one."""
    strange = _other(PARTS["credentials"].encode()).decode().lstrip()
    told = read(log(credentials=PARTS["credentials"].rstrip() + "\n" + strange))
    assert values(told) == MINE


def test_of_lines_in_turns_nothing_is_told():
    """Two logs, each some lines long in turn, as two processes write into one file: nobody can say whose a line is."""
    pairs = zip_longest(log().splitlines(keepends=True), _other(log()).splitlines(keepends=True), fillvalue=b"")
    told = read(b"".join(line for pair in pairs for line in pair))
    assert values(told) == {}
    assert told.segments > 2
    assert "several-signups" in {f.code for f in told.findings}


def test_tokens_that_change_places_thrice_stand_in_turns():
    """Though the lines by which the other run begins are told before, so that no three beginnings come together."""
    others = _other((PARTS["poll"]).encode()).decode()
    told = read(log(poll=PARTS["poll"] + others + PARTS["poll"] + others))
    assert values(told) == {}
    apart = read(log(poll=PARTS["poll"] + others + PARTS["poll"]))
    assert values(apart) == MINE


def test_three_signups_one_behind_the_other_stand_in_no_turns():
    """However short a head is, a whole one comes between two beginnings."""
    whole = log()
    assert values(read(whole + _other(whole) + _other(whole))) == MINE


@pytest.mark.parametrize("lost", ["", PARTS["created"]], ids=["the announcement", "what stands before it, too"])
def test_an_address_ties_what_follows_a_hole_though_its_own_announcement_is_lost(lost):
    """It is told again with the mail: no other customer's log could follow."""
    whole, deployment = log().decode(), PARTS["deployment"]
    told = read(whole.replace(lost + deployment, deployment.partition("\n")[2]))
    assert values(told)["instance_id"] == MINE["instance_id"]
    assert told.stages[-1][0] == "mail_sent"
    strange = read(whole.replace(deployment, deployment.partition("\n")[2].replace("ann@", "eve@")))
    assert "instance_id" not in values(strange)


STRANGE_END = _other(log()).partition(b">The introducer and storage")[2]
STRANGE_END = b">The introducer and storage" + STRANGE_END.partition(b">Sending confirmation")[0]


def test_the_end_of_another_log_before_a_head_is_not_the_runs():
    """A sector of it lies over the beginning: it deployed nothing, nor was its server ready."""
    told = read(STRANGE_END + log("started", "activation", "credentials", until="deployment"))
    assert "servers_running" not in {note_stage for note_stage, _ in told.stages}
    assert "introducer_furl" not in values(told)
    reasons = {note.reason for note in told.notes for fact in note.facts if fact.value == "servers_running"}
    assert reasons == {"another-run"}


def test_a_head_is_the_runs_though_something_strange_begins_in_its_token():
    """The token that stands behind it has its end: so both prints of keys are heard, and neither is sure."""
    long = "INVENTED" * 40
    head, middle = (
        part.replace(b"INVENTED==", long.encode()) for part in (log(until="poll"), log(until="credentials"))
    )
    mine, strange = head.rpartition(b"'\nDevPay")[0], _other(middle)
    strange = strange[: strange.rindex(long.encode()) + 160]
    rest = log("started", "activation", "credentials", "poll").partition(b"usertoken = '")[2]
    mixed = mine + strange + long[160:].encode() + b"'\n" + rest.partition(b"\n")[2]
    keys = values(read(mixed.replace(BUCKET.encode(), BUCKET.encode())))["user_secret_key"]
    assert keys == {SECRET_KEY, SECRET_KEY[::-1]}
