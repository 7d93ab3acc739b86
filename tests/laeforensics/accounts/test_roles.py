"""One row per log: its role, how far it came, how it ended, and the fields that are sure."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FAILURE,
    LOG_FILE,
    NAME,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    codes,
    evidence,
    log,
    open_files,
    re_record,
    replacement,
    result,
    secrets,
    signup_row,
)

from laeforensics.accounts.outcome import is_ready
from laeforensics.export.tables import SIGNUPS
from laeforensics.facts.fields import SIGNUP_FIELDS
from laerecover.manifest import Secret

REPLACED = f"signup_logs/2012-06-01T080000Z-{OTHER_SEED}"
RE_RECORDED = f"signup_logs/2012-03-20T101702Z-{OTHER_SEED}"


def _ready(tmp_path, **changed):
    case = open_files(tmp_path, evidence(**{"secrets": None, "servers": None, "results": None, **changed}))
    (signup,) = case.judgement.joined
    return is_ready(signup)


def test_the_columns_are_those_promised():
    """`log_file dialect role stage outcome`, then the fields."""
    assert ("log_file", "dialect", "role", "stage", "outcome", *SIGNUP_FIELDS) == SIGNUPS.columns


def test_secrets_are_of_a_type_that_does_not_show_itself(tmp_path):
    """Keys, tokens, furls and PEMs are Secret in the table; nothing else is."""
    row = open_files(tmp_path, evidence()).signups.iloc[0]
    hidden = {name for name in SIGNUP_FIELDS if isinstance(row[name], Secret)}
    assert {"user_secret_key", "user_token", "product_token", "introducer_furl", "server_node_pem"} <= hidden
    assert hidden.isdisjoint({"bucket_name", "customer_email", "instance_id", "public_host"})


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


# -- stage and outcome ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "stage", "outcome"),
    [
        (log(), "mail_sent", "complete"),
        (log("mail"), "settings_told", "cut"),
        (log(mail=PARTS["mail"].split("\n")[0] + "\n"), "settings_told", "cut"),
        (log(until="running"), "servers_running", "cut"),
        (log(until="address"), "address_known", "cut"),
        (log(until="address") + FAILURE.encode(), "address_known", "failed"),
        (log(until="activation") + FAILURE.encode(), "activating", "failed"),
        (log() + FAILURE.encode(), "mail_sent", "failed"),
        (b"", None, "cut"),
    ],
)
def test_stage_and_outcome_are_those_that_the_log_tells(data, stage, outcome, tmp_path):
    """The furthest announcement, and whether the program came to its end, failed, or just stops."""
    row = signup_row(open_files(tmp_path, evidence(log=data, results=None)))
    assert (row["stage"], row["outcome"]) == (stage, outcome)


def test_the_first_programs_end_with_the_furl(tmp_path):
    """Where no mail is named in the log at all, the settings told are the end."""
    bucket = PARTS["bucket"].replace(" in 'US East' region", "")
    silent = log("mail", bucket=bucket, deployment=PARTS["deployment"].partition("instance_name")[0])
    assert signup_row(open_files(tmp_path, evidence(log=silent)))["outcome"] == "complete"


def test_a_log_that_just_stops_failed_if_the_site_says_so(tmp_path):
    """In the first weeks a failed log was closed before the error was printed."""
    case = open_files(tmp_path, evidence(log=log(until="address"), secrets=None, results=result("failure")))
    assert signup_row(case)["outcome"] == "failed"


@pytest.mark.parametrize(
    "data", [PARTS["mail"] + PARTS["started"], log("started", "activation", "credentials")[:300] + log()]
)
def test_impossible_orders_are_flagged(data, tmp_path):
    """Announcements that no program makes in that order are a finding."""
    data = data.encode() if isinstance(data, str) else data
    case = open_files(tmp_path, evidence(log=data, secrets=None, results=None, servers=None))
    assert {"impossible-order", "several-signups"} & codes(case)


def test_a_server_that_runs_before_its_introducer_is_impossible(tmp_path):
    """Confirmation before introducer: lines are missing, or not of this signup."""
    case = open_files(tmp_path, evidence(log=log("instance", "address", "installing", "installed", "running")))
    assert "impossible-order" in codes(case)


# -- ready ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "ready"),
    [
        ({"log": log(until="installing")}, None),
        ({"log": log(until="installing") + FAILURE.encode()}, False),
        ({"log": log(until="installing"), "results": result("failure")}, False),
        ({"log": log(until="installing"), "secrets": b""}, False),
        ({"log": log(until="installing"), "secrets": secrets()}, True),
        ({"log": log(until="installing"), "results": result()}, True),
        (
            {
                "log": log(until="installing"),
                "servers": b"2012-03-20T10:40:00Z,2012-03-20T10:17:02.000Z,i-0a1b2c3d,192.0.2.1\n",
            },
            True,
        ),
        ({"log": log(until="running")}, True),
        ({"log": log(until="running") + FAILURE.encode()}, True),
        ({"log": log(until="running") + FAILURE.encode(), "results": result("failure")}, True),
        ({"log": log(until="running"), "secrets": b""}, True),
        ({"log": log(), "results": result("failure")}, True),
    ],
)
def test_ready_wins_over_not_ready(changed, ready, tmp_path):
    """Mail or monitoring may have failed afterwards: a server that was ready was ready; where nothing tells, None."""
    assert _ready(tmp_path, **changed) is ready


def test_the_success_row_of_a_failed_signup_is_not_believed(tmp_path):
    """For an hour of February 2012 a failed signup was recorded as a success: the log's own failure speaks louder."""
    failed = log(until="installing") + FAILURE.encode()
    assert _ready(tmp_path, log=failed, results=result("success")) is False
    case = open_files(tmp_path / "again", evidence(log=failed, secrets=None, servers=None))
    assert "success-despite-failure" in codes(case)
    assert list(case.audit["verdict"]) == ["UNFINISHED"]


def test_a_bucket_is_named_even_if_it_was_never_made(tmp_path):
    """The attempt's row tells the bucket that was going to be made; no account comes of it."""
    case = open_files(tmp_path, evidence(log=log(until="bucket"), secrets=None, results=None, servers=None))
    assert signup_row(case, LOG_FILE)["bucket_name"] in (BUCKET, None)
    assert list(case.audit["account_id"]) == [f"attempt:{NAME[19:]}"]
