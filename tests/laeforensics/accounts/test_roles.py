"""What a log is to its account: origin, replacement, re-record, duplicate or attempt."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FAILURE,
    HOST,
    INTRODUCER,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    SEED,
    as_another,
    audit_row,
    evidence,
    furl_of,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
    signup_row,
)

REPLACED = f"signup_logs/2012-06-01T080000Z-{OTHER_SEED}"
RE_RECORDED = f"signup_logs/2012-03-20T101702Z-{OTHER_SEED}"


# -- roles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "role"),
    [
        (log(), "origin"),
        (log(until="created"), "origin"),
        (log(until="deployment"), "origin"),
        (log(until="bucket"), "attempt"),
        (log(until="activation"), "attempt"),
        (log(until="bucket") + b">S3 bucket creation failed.>\n" + FAILURE.encode(), "attempt"),
        (b"", "attempt"),
        (b"nothing that a program printed\n", "attempt"),
    ],
)
def test_a_log_is_an_accounts_if_its_bucket_is_attested(data, role, tmp_path):
    """Announced as created, or named in the program's later prints; a bucket only going to be made is none."""
    case = open_files(tmp_path, evidence(log=data, secrets=None, results=None, servers=None))
    assert signup_row(case)["role"] == role


def test_a_filled_secrets_file_attests_the_bucket(tmp_path):
    """A log that lost its end is an account's if the secrets file of that run is filled."""
    assert signup_row(open_files(tmp_path, evidence(log=log(until="bucket"))))["role"] == "origin"


def test_a_replacement_is_told_from_the_signup(tmp_path):
    """It begins at the deployment of a bucket whose seed is another log's."""
    case = open_files(tmp_path, {**evidence(), REPLACED: replacement()})
    assert (signup_row(case)["role"], signup_row(case, REPLACED)["role"]) == ("origin", "replacement")
    assert signup_row(case, REPLACED)["outcome"] == "complete"


def test_a_replacement_that_lost_its_name_is_told_by_its_instance(tmp_path):
    """And it begins at the deployment; cut before it says what it restores, it is the later server all the same."""
    data = replacement()
    carved = "recup_dir.1/f0001856.txt"
    files = evidence(secrets=None, servers=None) | {carved: data[: data.index(b">Restoring")]}
    files["recup_dir.1/f0001534.txt"] = log(until="address")
    del files[LOG_FILE]
    case = open_files(tmp_path, files)
    assert signup_row(case, carved)["role"] == "replacement"
    assert audit_row(case)["public_host"] != HOST


def test_a_replacement_over_whose_log_the_signups_was_copied_is_the_later_server(tmp_path):
    """Its filled secrets file bears another seed than the bucket: it is of another run, with a server of its own."""
    later = "2012-06-01T080000Z-" + OTHER_SEED
    told = secrets(publichost="192.0.2.9", external_introducer_furl=furl_of(INTRODUCER, "192.0.2.9"))
    case = open_files(tmp_path, evidence() | {f"signup_logs/{later}": log(), f"secrets/{later}": told})
    assert signup_row(case, f"signup_logs/{later}")["role"] == "replacement"
    assert audit_row(case)["public_host"] == "192.0.2.9"


def test_a_signup_that_lost_its_head_is_no_replacement(tmp_path):
    """It begins at the deployment, too, but its bucket bears its own seed."""
    headless = log(*list(PARTS)[:6])
    assert signup_row(open_files(tmp_path, evidence(log=headless)))["role"] == "origin"


def test_a_re_record_is_told_from_the_signup(tmp_path):
    """Its values were read out of a server, and it says so."""
    case = open_files(tmp_path, {**evidence(), RE_RECORDED: re_record()})
    row = signup_row(case, RE_RECORDED)
    assert (row["role"], row["stage"], row["outcome"]) == ("re-record", "recorded", "complete")
    assert (row["user_secret_key"], row["customer_email"]) == (SECRET_KEY, None)


def test_of_two_copies_one_is_the_origin(tmp_path):
    """The copy in the newer place, of the bucket's own seed, is the origin; the other is a duplicate."""
    copy = f"leastauthority.com/signup_logs/{NAME}"
    case = open_files(tmp_path, {**evidence(), copy: log()})
    assert (signup_row(case)["role"], signup_row(case, copy)["role"]) == ("origin", "duplicate")
    assert len(case.audit) == 1


# -- ready ---------------------------------------------------------------------------------------------------


def test_a_bucket_is_named_even_if_it_was_never_made(tmp_path):
    """The attempt's row tells the bucket that was going to be made; no account comes of it."""
    case = open_files(tmp_path, evidence(log=log(until="bucket"), secrets=None, results=None, servers=None))
    assert signup_row(case, LOG_FILE)["bucket_name"] in (BUCKET, None)
    assert list(case.audit["account_id"]) == [f"attempt:{NAME[19:]}"]


COPY = f"leastauthority.com/{LOG_FILE}"


def test_a_copy_that_is_cut_is_a_duplicate(tmp_path):
    """A log that breaks off before its bucket is no attempt where its fellow is whole."""
    case = open_files(tmp_path, {**evidence(secrets=None), COPY: log(until="activation")})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]
    assert audit_row(case)["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("suffix", ["~", ".bak"])
def test_an_editors_backup_is_a_duplicate(tmp_path, suffix):
    """`NAME~` and `NAME.bak` beside the log make neither an account nor an attempt."""
    case = open_files(tmp_path, {**evidence(), LOG_FILE + suffix: log()})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]


@pytest.mark.parametrize("cut", [0, 20])
def test_the_copy_of_an_attempt_is_a_duplicate(cut, tmp_path):
    """The same log in both places.

    The longer one is the attempt (of equal ones that in the first folder), the other its duplicate.
    """
    data = log(until="activation")
    files = {LOG_FILE: data[: len(data) - cut], f"a/leastauthority.com/signup_logs/{NAME}": data}
    case = open_files(tmp_path, files)
    roles = case.signups.set_index("log_file")["role"].to_dict()
    longer, other = sorted(files, key=lambda path: (-len(files[path]), path.count("/")))
    assert roles == {longer: "attempt", other: "duplicate"}
    assert case.audit["account_id"].tolist() == [f"attempt:{SEED}"]
    assert case.audit["log_file"].tolist() == [longer]
    assert BUCKET not in case.audit["account_id"].tolist()


def test_a_name_in_a_torn_print_of_a_bucket_to_be_made_attests_none(tmp_path):
    """A line of the print before it is lost: it is not the print of a deployment for that."""
    torn = PARTS["bucket"].replace("usertoken = '", "usertoken = 8")
    case = open_files(tmp_path, evidence(log=log(until="bucket", bucket=torn) + FAILURE.encode(), secrets=None))
    assert audit_row(case, f"attempt:{SEED}")["verdict"] == "ABANDONED"


def test_a_file_of_another_customer_that_names_an_s4_bucket_is_not_its_origin(tmp_path):
    """Whose bucket it is, the two halves in the name of the folder tell, wherever the other file lies."""
    customer, subscription = "mn2xgx2wijitivccijfesq2dgrbus", "on2wexzwkzeekssfkbdfsvsfivhuk"
    own = f"secrets/S4/2014-06-22T040908Z-{customer}-{subscription}/SSEC2"
    bucket = f"lae-{subscription}-{customer}"
    there = {own: secrets(bucket_name=bucket, user_token=None, product_token=None)}
    strange = as_another(secrets()).replace(f"lae-abcd0123-{OTHER_SEED}".encode(), bucket.encode())
    row = audit_row(open_files(tmp_path, {**there, f"secrets/{OTHER_NAME}": strange}), bucket)
    assert (row["user_secret_key"], row["public_host"]) == (SECRET_KEY, HOST)
