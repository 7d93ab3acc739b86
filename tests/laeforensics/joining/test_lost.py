"""Logs that are lost, and files among the logs that are none."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    HOST,
    INTRODUCER,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    as_another,
    audit_row,
    config,
    evidence,
    furl_of,
    log,
    open_files,
    secrets,
    serverinfo,
)

OTHER_BUCKET = f"lae-abcd0123-{OTHER_SEED}"


def test_a_readme_among_the_logs_is_no_signup(tmp_path):
    """A file whose name is no log's and in which no program speaks is a finding, not an attempt."""
    case = open_files(tmp_path, {**evidence(), "signup_logs/README": b"Copied here in May.\nAsk Zooko.\n"})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]
    assert [f.code for f in case.judgement.findings if f.signup == "signup_logs/README"] == ["no-log"]


def test_a_log_of_an_odd_name_is_a_log_all_the_same(tmp_path):
    """What a program said counts under whatever name."""
    files = evidence(log=None, secrets=None)
    case = open_files(tmp_path, {**files, "signup_logs/README": log()})
    assert audit_row(case)["user_secret_key"] == SECRET_KEY


NAMELESS = "recup_dir.1/f0012345.txt"


@pytest.mark.parametrize(
    ("confirming", "verdict"),
    [
        ({}, "CONTESTED"),
        ({"serverinfo.csv": serverinfo()}, "RECOVERABLE"),
        ({"serverinfo.csv": serverinfo(host="192.0.2.77")}, "CONTESTED"),
        ({LOG_FILE: log()}, "RECOVERABLE"),
        ({f"old/{NAME}.bak": secrets()}, "RECOVERABLE"),
        ({"notes.json": secrets(bucket_name=OTHER_BUCKET)}, "CONTESTED"),
    ],
    ids=[
        "nothing",
        "its server's row",
        "another server's row",
        "its log",
        "a copy with its stamp",
        "another of its kind",
    ],
)
def test_a_nameless_secrets_file_is_believed_where_something_else_knows_it(confirming, verdict, tmp_path):
    """Somebody's draft, or an example out of a manual, would look the same."""
    files = {NAMELESS: secrets(), "lae_automation_config.json": config(), **confirming}
    assert audit_row(open_files(tmp_path, files))["verdict"] == verdict


def test_a_nameless_secrets_file_that_gets_its_name_is_believed(tmp_path):
    """The remedy that `explain` gives works, whatever is put behind the name."""
    case = open_files(tmp_path / "1", {NAMELESS: secrets(), "lae_automation_config.json": config()})
    assert "give it that name (TIMESTAMP-SEED)" in str(case.explain(BUCKET))
    named = {f"{NAMELESS[:12]}{NAME}.txt": secrets(), "lae_automation_config.json": config()}
    assert audit_row(open_files(tmp_path / "2", named))["verdict"] == "RECOVERABLE"


OWN_FILE, OTHERS_FILE = f"secrets/{NAME}", f"secrets/{OTHER_NAME}"


def test_a_copy_under_another_runs_name_is_no_second_voice(tmp_path):
    """Nor is it a replacement: two that tell the same say no more against the configuration than one."""
    once = secrets(product_token=PRODUCT_TOKEN.replace("HUHJ", "HUHK"))
    files = {OWN_FILE: once, OTHERS_FILE: once, "lae_automation_config.json": config()}
    case = open_files(tmp_path, files)
    assert audit_row(case)["verdict"] == "CONTESTED"
    assert [f.signup for f in case.judgement.findings if f.code == "misnamed-secrets"] == [OTHERS_FILE]
    assert audit_row(case)["public_host"] == "192.0.2.1"


def test_a_copy_under_the_name_of_a_run_whose_own_file_stands_elsewhere_is_the_copy(tmp_path):
    """Of three files, two of which tell the replacement's server, the one under the signup's name is no signup's."""
    there = "192.0.2.9"
    later = secrets(publichost=there, external_introducer_furl=furl_of(INTRODUCER, there))
    case = open_files(tmp_path, {OWN_FILE: secrets(), f"old/{OWN_FILE}": later, OTHERS_FILE: later})
    assert [f.signup for f in case.judgement.findings if f.code == "misnamed-secrets"] == [f"old/{OWN_FILE}"]
    assert audit_row(case)["public_host"] == there


def test_of_two_that_tell_the_same_the_one_of_before_the_signup_is_the_copy(tmp_path):
    """A replacement's file was copied over an older customer's: nothing is replaced before it was made."""
    there = "192.0.2.9"
    later = secrets(publichost=there, external_introducer_furl=furl_of(INTRODUCER, there))
    older = f"secrets/2011-12-16T185714Z-{OTHER_SEED[::-1]}"
    case = open_files(tmp_path, {OWN_FILE: secrets(), older: later, OTHERS_FILE: later})
    assert [f.signup for f in case.judgement.findings if f.code == "misnamed-secrets"] == [older]
    assert audit_row(case)["public_host"] == there


@pytest.mark.parametrize(("began", "host"), [("2012-01-05", HOST), ("2012-04-05", "192.0.2.6")])
def test_a_file_of_before_the_signup_whose_bucket_it_names_tells_nothing_of_it(began, host, tmp_path):
    """Of another customer's replacement, with the bucket put in whose own file tells a token that is not offered."""
    others = as_another(secrets()).replace(b"192.0.2.5", b"192.0.2.6")
    strange = others.replace(OTHER_SEED.encode(), SEED.encode())
    own = secrets(product_token=PRODUCT_TOKEN.replace("INVENTED", "AnyOther"))
    files = evidence(log=None, secrets=own, requests=None, results=None, servers=None)
    files |= {f"secrets/2011-12-16T185714Z-{OTHER_SEED}": as_another(secrets())}
    case = open_files(tmp_path, {**files, f"secrets/{began}T080000Z-{OTHER_SEED[::-1]}": strange})
    rows = {row["account_id"]: row for row in case.audit.to_dict("records")}
    assert rows[BUCKET]["public_host"] == host


@pytest.mark.parametrize("theirs", [OWN_FILE, OTHERS_FILE])
def test_in_the_folder_of_an_s4_customer_no_other_customers_server_was_replaced(theirs, tmp_path):
    """A replacement's folder bears its customer's name: a bucket that another file tells is not heard there."""
    strange = "secrets/S4/2014-06-22T040908Z-mn2xgx2wijitivccijfesq2dgrbus-on2wexzwkzeekssfkbdfsvsfivhuk/SSEC2"
    other = secrets(access_key_id="AKIAINVENTEDS4KEYID2", publichost="192.0.2.9")
    case = open_files(tmp_path, {theirs: secrets(), strange: other, "lae_automation_config.json": config()})
    assert [f.signup for f in case.judgement.findings if f.code == "misnamed-secrets"] == [strange]
    row = audit_row(case)
    assert (row["verdict"], row["public_host"]) == ("RECOVERABLE", "192.0.2.1")


@pytest.mark.parametrize("launched", ["2012-03-02T10:16:00.000Z", "2012-04-02T10:16:00.000Z"])
def test_a_secrets_file_whose_run_launched_another_server_is_not_believed(launched, tmp_path):
    """Another customer's, with the own bucket put in: the log is lost, but serverinfo.csv tells both servers' times."""
    other = serverinfo(instance="i-00000009", host="192.0.2.9")
    own = serverinfo(launched=launched)
    rows = {
        number: audit_row(open_files(tmp_path / str(number), evidence(log=None, servers=told)))
        for number, told in enumerate((own, own + other, serverinfo() + own + other))
    }
    assert [row["verdict"] for row in rows.values()] == ["RECOVERABLE", "CONTESTED", "RECOVERABLE"]
    assert rows[1]["user_access_key_id"] is None
