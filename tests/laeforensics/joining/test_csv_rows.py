"""Which csv rows are of a log's own run."""

from __future__ import annotations

import pytest
from makings import (
    CODE,
    EMAIL,
    KEY,
    audit_row,
    codes,
    deployment,
    evidence,
    log,
    open_files,
    request,
    result,
    signup_row,
)

from laeforensics.joining import _csv_rows


@pytest.mark.parametrize("results", [None, result("failure", key="ASTRANGERSKEYSTRANGERSKEYSTRAN")])
def test_a_stranger_of_the_same_second_is_not_the_customer(tmp_path, results):
    """Log lost.

    A request of the same second and product, without a success row, gives no address, no name and no key.
    """
    stranger = request(key="ASTRANGERSKEYSTRANGERSKEYSTRAN", name="Mallory", email="mallory@example.net")
    row = audit_row(open_files(tmp_path, evidence(log=None, requests=stranger, results=results)))
    assert (row["customer_email"], row["customer_name"], row["activation_key"]) == (None, None, None)


def test_a_request_may_have_waited_for_its_run(tmp_path):
    """The only request of the log's activation key counts though it is of ten seconds before."""
    files = evidence(requests=request(when="2012-03-20T10:14:50Z"), results=None)
    assert audit_row(open_files(tmp_path, files))["customer_name"] == "Ann"


def test_the_first_result_of_a_key_is_looked_for_once(tmp_path, monkeypatch):
    """Not once for each row: somebody may have sent the same key in a thousand times."""
    asked = []

    def counted(*given, **options):
        asked.append(given)
        return min(*given, **options)

    monkeypatch.setattr(_csv_rows, "min", counted, raising=False)
    case = open_files(tmp_path, evidence(results=result() * 40))
    assert audit_row(case)["customer_name"] == "Ann"
    assert len(asked) == 1


def test_a_row_that_claims_anothers_key_is_named(tmp_path):
    """A result row with the log's activation key and another address is left out, and a finding says so."""
    rows = result() + result(email="mallory@example.net", when="2012-03-20T10:45:00Z")
    case = open_files(tmp_path, evidence(results=rows))
    assert audit_row(case)["customer_email"] == EMAIL
    assert "csv-contradicts-log" in codes(case, "customer_email")


# The two oldest dialects tell the customer's address nowhere in the log.
SILENT = log("mail", deployment=deployment().replace(f"instance_name = '{EMAIL}'\n\n", ""))


def test_the_program_records_what_the_log_does_not_tell(tmp_path):
    """Without an address in the log, signups.csv and the form tell it together."""
    case = open_files(tmp_path, evidence(log=SILENT))
    assert (signup_row(case)["customer_email"], audit_row(case)["verdict"]) == (EMAIL, "RECOVERABLE")
    assert "unconfirmed-email" not in codes(case)


def test_an_address_of_the_form_alone_is_not_confirmed(tmp_path):
    """Anybody could have typed it: it is told, with a finding."""
    case = open_files(tmp_path, evidence(log=SILENT, results=None))
    assert signup_row(case)["customer_email"] == EMAIL
    assert "unconfirmed-email" in codes(case)
    (account,) = case.judgement.accounts
    assert not account.email_confirmed


def test_a_row_that_claims_a_key_with_another_address_is_left_out(tmp_path):
    """The log tells the address: a row of the key with another one says nothing about this customer."""
    rows = request(email="eve@example.org", name="Eve", info="0xEEEE") + request()
    case = open_files(tmp_path, evidence(requests=rows))
    row = signup_row(case)
    assert (row["customer_email"], row["customer_name"], row["customer_keyinfo"]) == (EMAIL, "Ann", None)
    assert "csv-contradicts-log" in codes(case, "customer_email")


@pytest.mark.parametrize("told", [EMAIL.upper(), "ann@EXAMPLE.ORG", "a***@example.org", "[redacted]@example.org"])
def test_an_address_in_capitals_or_blacked_out_claims_nothing(told, tmp_path):
    """It is the same one, or none: the row is of the log's customer, whose address the log tells."""
    case = open_files(tmp_path, evidence(requests=request(email=told), results=result(email=told)))
    row = audit_row(case)
    assert (row["customer_email"], row["customer_name"], row["activation_key"]) == (EMAIL, "Ann", KEY)
    assert "csv-contradicts-log" not in codes(case)


def test_an_address_of_which_one_letter_became_a_capital_in_the_log_is_damaged(tmp_path):
    """A flipped bit does that: the rows tell against it."""
    told = log("mail").replace(EMAIL.encode(), EMAIL.replace("a", "A", 1).encode())
    assert audit_row(open_files(tmp_path, evidence(log=told)))["customer_email"] in (None, EMAIL)


def test_a_row_that_claims_a_key_with_another_product_is_left_out(tmp_path):
    """The bucket tells the product code."""
    case = open_files(tmp_path, evidence(requests=request(code="FFFF0000", name="Eve") + request()))
    row = signup_row(case)
    assert (row["product_code"], row["customer_name"]) == (CODE, "Ann")
    assert "csv-contradicts-log" in codes(case, "product_code")


def test_a_row_of_another_time_is_not_of_this_run(tmp_path):
    """A run begins in the seconds of its request; a request of years later is somebody else's, whatever its key."""
    case = open_files(tmp_path, evidence(log=SILENT, requests=request(when="2014-01-01T00:00:00Z"), results=None))
    row = signup_row(case)
    assert (row["customer_email"], row["customer_name"]) == (None, None)


def test_an_empty_key_info_of_the_program_is_believed_over_the_form(tmp_path):
    """signups.csv says that there was none: a forged request of the same second cannot give the customer a key."""
    case = open_files(tmp_path, evidence(requests=request(info="0xDEAD") + request()))
    assert signup_row(case)["customer_keyinfo"] is None


def test_a_result_that_is_two_rows_glued_is_not_believed(tmp_path):
    """A torn row that ends with another customer's fields has the right number of them, but not this customer's."""
    other = request(key=KEY[::-1], email="eve@example.org", name="Eve", when="2012-04-21T08:00:00Z")
    torn = result(email="eve@example.org", name="Ann")
    row = signup_row(open_files(tmp_path, evidence(log=SILENT, requests=request() + other, results=torn)))
    assert row["customer_email"] in (None, EMAIL)


def test_a_failure_in_a_row_that_is_left_out_keeps_from_harm(tmp_path):
    """Its address is another customer's, as where cells have moved: that the run failed stands in it all the same."""
    other = request(key=KEY[::-1], email="eve@example.org", name="Eve", when="2012-04-21T08:00:00Z")
    stopped = log(until="installing", deployment=deployment().partition("instance_name")[0])
    torn = result("failure", email="eve@example.org")
    files = evidence(log=stopped, secrets=None, servers=None, requests=request() + other, results=torn)
    assert audit_row(open_files(tmp_path, files))["verdict"] == "UNFINISHED"


def test_a_result_with_a_hole_is_not_sure(tmp_path):
    """A name that is its own request's with a stretch lost is neither's."""
    case = open_files(tmp_path, evidence(requests=request(name="Ann Example"), results=result(name="Ample")))
    assert signup_row(case)["customer_name"] is None
    assert "damaged-row" in codes(case, "customer_name")


def test_without_its_head_a_log_finds_the_one_request_of_its_second(tmp_path):
    """No activation key is left: the file's time and the bucket's product name the row."""
    headless = log("started", "activation")
    case = open_files(tmp_path, evidence(log=headless))
    row = signup_row(case)
    assert (row["customer_name"], row["activation_key"]) == ("Ann", KEY)
    two = request() + request(key=KEY[::-1], name="Bea", email="bea@example.org")
    row = signup_row(
        open_files(tmp_path / "two", evidence(log=headless.replace(EMAIL.encode(), b"x"), requests=two, secrets=None))
    )
    assert row["customer_name"] is None


def test_a_letter_overwritten_in_a_request_makes_its_result_no_row_of_another(tmp_path):
    """Who signed up twice sent one address in with two keys: where a request has another letter, neither is sure."""
    twice = request(email=EMAIL.replace("ann", "aon")) + request(key=KEY[::-1], when="2012-04-22T08:00:00Z")
    row = signup_row(open_files(tmp_path, evidence(log=SILENT, requests=twice, results=result())))
    assert row["customer_email"] is None


def test_a_result_that_ends_as_nobodys_request_does_is_no_row_of_another(tmp_path):
    """Another customer's address alone may be a cell of its own request that was sorted: neither is sure."""
    other = request(key=KEY[::-1], email="eve@example.org", info="0xEEEE", when="2012-04-21T08:00:00Z")
    row = signup_row(
        open_files(tmp_path, evidence(log=SILENT, requests=request() + other, results=result(email="eve@example.org")))
    )
    assert row["customer_email"] is None


def test_letters_overwritten_all_over_a_column_leave_its_file_heard(tmp_path):
    """Cells that have moved are other customers'; a letter overwritten is told by its own row still, and not sure."""
    keys = [KEY[:-1] + letter for letter in "ABC"]
    asked = b"".join(request(key=key, name=f"Customer {n}") for n, key in enumerate(keys))
    got = b"".join(result(key=key, name=f"Customor {n}") for n, key in enumerate(keys))
    case = open_files(tmp_path, evidence(requests=request(info="0xAAAA") + asked, results=result(info="0xAABA") + got))
    row = signup_row(case)
    assert (row["customer_name"], row["customer_keyinfo"]) == ("Ann", None)
