"""What customers typed in is told as they typed it, and an odd cell does not cost the row."""

from __future__ import annotations

import json

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    CODE,
    KEY,
    LOG_FILE,
    NAME,
    PARTS,
    SECRET_KEY,
    SEED,
    audit_row,
    codes,
    deployment,
    evidence,
    log,
    open_files,
    request,
    result,
    secrets,
)

from laeforensics.companions.csv_rows import BadRow, Row, read_activation_requests
from laeforensics.companions.secrets_files import read_secrets, read_stripe
from laeforensics.facts.fields import typed_email
from laerecover.manifest import read_manifest

TYPED = {
    "o%27brien@example.com": "o'brien@example.com",
    "50%25off@example.com": "50%off@example.com",
    "m%C3%BCller@example.org": "müller@example.org",
    "a+b@example.com": "a+b@example.com",
    "a,b@example.com": None,
    "a%zz@example.com": None,
    "a%0D%0ABcc:x@example.com": None,
    "a%FFb@example.com": None,
    "a%40b@example.com": None,
    "(par)@example.net": None,
    "two words@example.com": None,
}


@pytest.mark.parametrize(("written", "typed"), TYPED.items())
def test_an_address_is_told_as_it_was_typed(written, typed):
    """What the site quoted is unquoted; what it cannot have written, and what is no address, is none."""
    assert typed_email(written) == typed


@pytest.mark.parametrize("written", ["o%27brien@example.com", "m%C3%BCller@example.org"])
@pytest.mark.parametrize("printed", [True, False])
def test_an_address_that_was_quoted_is_unconfirmed(written, printed, tmp_path):
    """Log and csv agree on it, but no program ever wrote to it: the staff get the mail, not the address."""
    files = evidence(requests=request(email=written), results=result(email=written))
    files[LOG_FILE] = (
        log(deployment=deployment(email=written), mail=PARTS["mail"].replace("ann@example.org", written))
        if printed
        else log("mail", deployment=deployment(email="").replace("instance_name = ''\n", ""))
    )
    case = open_files(tmp_path, files)
    assert audit_row(case)["customer_email"] == TYPED[written]
    assert codes(case, "customer_email") == {"unconfirmed-email"}
    case.export(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k")
    (account,) = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k").accounts
    assert (account.customer_email, account.customer_email_confirmed) == (TYPED[written], False)


@pytest.mark.parametrize(
    "email", ["(par)@example.net", "name:x@example.net", "two words@example.com", "%3Cx@example.org%3E"]
)
def test_a_result_with_an_odd_address_is_a_result_all_the_same(email, tmp_path):
    """The site quoted none of these characters: the row still says that the signup failed, and who the customer is."""
    given = evidence(
        log=log(until="instance"), secrets=None, servers=None, results=result("failure", email=email), requests=None
    )
    given[LOG_FILE] = log(until="instance", deployment=PARTS["deployment"].replace("instance_name", "an_old_name"))
    account = audit_row(open_files(tmp_path, given))
    assert (account["verdict"], account["customer_name"], account["customer_email"]) == ("UNFINISHED", "Ann", None)


def test_a_result_without_any_address_is_damage(tmp_path):
    """What stands where the address must stand has no @: two rows torn and glued, perhaps."""
    case = open_files(tmp_path, evidence(results=result(email="Ann")))
    assert "damaged-row" in codes(case)


def test_page_views_of_the_first_days_are_no_damage():
    """Before 2011-11-24 activation_requests.csv was the file of page views: time, activation key, product code."""
    view = f",{KEY},{CODE}\n".encode()
    rows = list(read_activation_requests(b"2011-11-23T19:58:00Z" + view + request(), "requests"))
    assert [type(row) for row in rows] == [Row]
    assert [type(row) for row in read_activation_requests(b"2012-03-20T10:15:00Z" + view, "requests")] == [BadRow]
    assert [type(row) for row in read_activation_requests(b"2011-11-23T19:58:00Z,,\n", "requests")] == [BadRow]


def test_blank_key_info_is_none(tmp_path):
    """Nothing but spaces is no key: in the csv files as in the stripe file."""
    case = open_files(tmp_path, evidence(requests=request(info="  "), results=result(info="%20 ")))
    assert audit_row(case)["customer_keyinfo"] is None
    assert codes(case) == set()
    told = read_stripe(json.dumps(["ann@example.org", " \n", "cus_1"]).encode(), "stripe")
    assert [(f.field, f.value) for f in told.facts] == [("customer_email", "ann@example.org")]


def test_a_secrets_file_may_tell_that_there_is_no_second_key():
    """`server_node_privkey` is empty where the node had none: that is no damage; an empty secret key is."""
    told = read_secrets(secrets(server_node_privkey=""), "secrets/x")
    assert (told.filled, told.problem, told.rejected) == (True, None, [])
    assert [name for name, _ in read_secrets(secrets(secret_key=""), "secrets/x").rejected] == ["user_secret_key"]


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


def test_a_value_that_a_false_quote_ends_is_not_believed():
    """What stands behind it is no JSON; a file that is cut behind a whole value keeps that value."""
    data = secrets()
    at = data.index(BUCKET.encode()) + 20
    broken = read_secrets(data[:at] + b'"' + data[at + 1 :], "secrets/x")
    assert (broken.value("bucket_name"), broken.problem) == (None, f"damaged at byte {at + 1}")
    cut = read_secrets(data[: data.index(BUCKET.encode()) + len(BUCKET) + 1], "secrets/x")
    assert cut.value("bucket_name") == BUCKET
    end = data.index(SECRET_KEY.encode()) + len(SECRET_KEY)
    hole = read_secrets(data[: end + 1] + b"x" + data[end + 2 :], "secrets/x")
    assert (hole.value("user_secret_key"), hole.value("user_access_key_id")) == (None, ACCESS_KEY_ID)
