"""What an attempt may say of itself."""

from __future__ import annotations

import pytest
from makings import (
    ACCESS_KEY_ID,
    KEY,
    NAME,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    USER_TOKEN,
    as_another,
    audit_row,
    deployment,
    evidence,
    instance_dump,
    log,
    open_files,
    revealed,
    secrets,
)

ATTEMPT = f"attempt:{OTHER_SEED}"
FILE = f"signup_logs/2012-04-21T080000Z-{OTHER_SEED}"
FAILED = ("bucket", "created", "deployment", "instance", "address", "installing", "installed", "running", "settings")
OWN = as_another(log(*FAILED, until="poll"))
THEIR_KEY, THEIR_ACCESS_KEY, THEIR_TOKEN = "A" + KEY[:0:-1], ACCESS_KEY_ID[::-1], USER_TOKEN.replace("INVEN", "ANOTH")


def told(tmp_path, data: bytes, **more: bytes) -> dict[str, object]:
    """What the attempt of this log says, beside a whole account and `more` files."""
    row = audit_row(open_files(tmp_path, {**evidence(requests=None, results=None), FILE: data, **more}), ATTEMPT)
    names = ("activation_key", "user_access_key_id", "user_secret_key", "user_token", "bucket_name")
    return {name: revealed(row[name]) for name in names if row[name] is not None}


def test_an_attempt_tells_what_is_its_own(tmp_path):
    """An attempt beside an account keeps its values."""
    own = told(tmp_path, OWN)
    assert (own["activation_key"], own["user_access_key_id"]) == (THEIR_KEY, THEIR_ACCESS_KEY)
    assert len(own) == 4


def test_a_customer_who_tries_again_may_send_one_key_in_and_get_one_token(tmp_path):
    """Key and token of an attempt without holes may be those of the account that the customer got later."""
    again = OWN.replace(THEIR_KEY.encode(), KEY.encode())
    again = again.replace(USER_TOKEN.replace("INVENTED", "ANOTHERS").encode(), USER_TOKEN.encode())
    own = told(tmp_path, again)
    assert (own["activation_key"], own["user_token"]) == (KEY, USER_TOKEN)


HOLE = b"\n   ??? what nobody can read, 0123456789 ???\n"
PIECES = {
    "the activation": PARTS["started"] + PARTS["activation"] + as_another(PARTS["credentials"].encode()).decode(),
    "the keys": PARTS["started"] + PARTS["activation"].replace(KEY, THEIR_KEY) + PARTS["credentials"],
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_an_attempt_with_holes_that_holds_another_s_piece_tells_nothing(tmp_path, piece):
    """Nobody knows which of its values are its own."""
    assert told(tmp_path, piece.encode() + HOLE + OWN[-120:]) == {}


@pytest.mark.parametrize("cut", [-1, -3, -6])
def test_the_head_of_another_s_token_is_no_token(tmp_path, cut):
    """A token that goes on elsewhere was cut off here: the rest of the attempt stands."""
    own = told(tmp_path, OWN.replace(b"AAAHVXNlclRrbgANOTHERS==", USER_TOKEN[11:].rstrip("=")[:cut].encode()))
    assert "user_token" not in own
    assert own["activation_key"] == THEIR_KEY


def test_a_key_of_another_with_a_letter_changed_is_none(tmp_path):
    """Where another run tells nearly the same key, this one's is damaged."""
    own = told(tmp_path, OWN.replace(THEIR_ACCESS_KEY.encode(), ACCESS_KEY_ID.replace("D", "E", 1).encode()))
    assert "user_access_key_id" not in own
    assert own["activation_key"] == THEIR_KEY


S4_BUCKET = "lae-on2wexinventedinvented-mn2xgxinventedinvented"
S4_HEAD = (
    "entering activate_subscribed_service call.\nconfigpath is ../secret_config/lae_automation_config.json\n"
    "plan_id is S4_consumer_iteration_2_beta1_2014-05-27\n"
    ">Signing up customer for LeastAuthority Secure Simple Storage Service (S4)...>\n"
    ">Creating S3 bucket in 'US East' region...>\nusertoken = None\n"
    f"bucketname = '{S4_BUCKET}'\nlocation = None\n"
    f"accesskeyid = '{ACCESS_KEY_ID[:-1]}5'\nsecretkey = '{SECRET_KEY[:-1]}s'\n\n"
)
S4 = "secrets/plan/2014-07-07T215435Z-mn2xgxinventedinvented-on2wexinventedinvented"


def test_a_bucket_that_bears_another_run_s_seed_is_not_the_attempt_s(tmp_path):
    """A head that only another run can have written is that run's, be its keys the provider's or not."""
    whole = S4_HEAD + PARTS["created"] + deployment(S4_BUCKET) + instance_dump("i-0000ffff")
    file = secrets(bucket_name=S4_BUCKET, access_key_id=f"{ACCESS_KEY_ID[:-1]}5", secret_key=f"{SECRET_KEY[:-1]}s")
    assert told(tmp_path, S4_HEAD.encode(), **{f"{S4}/signup_logs": whole.encode(), f"{S4}/SSEC2": file}) == {}


def test_copies_of_an_attempt_are_no_others(tmp_path):
    """A copy with holes beside it says what the attempt says."""
    holes = {f"old/{FILE}": OWN[:-60] + HOLE}
    assert told(tmp_path, OWN, **holes)["activation_key"] == THEIR_KEY
    assert NAME not in FILE


def test_the_end_of_another_log_under_its_name_makes_no_attempt_its_customer(tmp_path):
    """Nothing is left of its own log: instance, address and furl are those of the account that tells them, too."""
    end = log()[len(log(until="deployment")) :]
    row = audit_row(open_files(tmp_path, {**evidence(), FILE: end}), ATTEMPT)
    told = {name: row[name] for name in ("instance_id", "public_host", "introducer_furl", "customer_email")}
    assert set(told.values()) == {None}
    assert audit_row(open_files(tmp_path, evidence()))["verdict"] == "RECOVERABLE"
