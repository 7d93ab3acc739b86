"""Rows of the csv files: written by the site, so that anything else is damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import CODE, EMAIL, ENDED_AT, HOST, INSTANCE, KEY, LAUNCHED, STARTED_AT, request, result, serverinfo

from evidence_writer.people import quoted
from laeforensics.companions.csv_rows import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.facts.channels import FORM, SITE


def only(rows):
    (row,) = rows
    return row


def test_a_request_is_typed_by_anybody():
    """activation_requests.csv: time and five fields, believed as a form is."""
    row = only(read_activation_requests(request(info="0xABCD"), "requests"))
    assert (row.time, row.outcome, row.line) == (STARTED_AT, None, 1)
    told = {f.field: f.value for f in row.facts}
    assert told == {
        "activation_key": KEY,
        "product_code": CODE,
        "customer_name": "Ann",
        "customer_email": EMAIL,
        "customer_keyinfo": "0xABCD",
    }
    assert {f.channel for f in row.facts} == {FORM}


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_result_is_written_by_the_program(outcome):
    """signups.csv: the outcome before the same five fields, believed more than the form."""
    row = only(read_signups(result(outcome), "results"))
    assert (row.time, row.outcome, row.value("activation_key")) == (ENDED_AT, outcome, KEY)
    assert {f.channel for f in row.facts} == {SITE}


def test_an_empty_key_info_says_that_there_was_none():
    """An empty last field is testimony; other empty fields say nothing."""
    row = only(read_activation_requests(request(name="", email=""), "requests"))
    assert (row.value("customer_keyinfo"), row.value("customer_name"), row.value("customer_email")) == ("", None, None)


def test_a_server_is_recorded_with_its_launch():
    """serverinfo.csv: launch time, instance and address; a status that later tools added is passed over."""
    plain = only(read_serverinfo(serverinfo(), "servers"))
    marked = only(read_serverinfo(serverinfo().replace(b"\n", b",running\n"), "servers"))
    for row in (plain, marked):
        assert (row.value("launch_time"), row.value("instance_id"), row.value("public_host")) == (
            LAUNCHED,
            INSTANCE,
            HOST,
        )


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_the_site_quoted_comes_back(name, info):
    """Any name and key information, quoted as the site quotes, is read as it was typed, at its place."""
    data = request(name=quoted(name), info=quoted(info))
    row = only(read_activation_requests(data, "requests"))
    expected = name if "\ufffd" not in name else None
    assert row.value("customer_name") == expected
    for fact in row.facts:
        there = data[fact.locator.start : fact.locator.end].decode()
        blank = fact.field == "customer_keyinfo" and not info.strip()
        assert there in ((quoted(info),) if blank else (fact.value, quoted(fact.value)))


def test_a_plus_is_a_plus():
    """The site quotes a space as a space: nothing is read as a form would."""
    row = only(read_activation_requests(request(name="Ann A+B C", email="ann+lae@example.org"), "requests"))
    assert (row.value("customer_name"), row.value("customer_email")) == ("Ann A+B C", "ann+lae@example.org")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (result()[:-1], "cut off"),
        (result()[:40], "cut off"),
        (b"x" * 30 + b"\n", "fields instead of 7"),
        (result(name="Ann, Bea"), "fields instead of 7"),
        (result(when="20 March 2012"), "no time"),
        (result(when="2012-03-20T10:40:00"), "no time"),
        (result("succeeded"), "neither success nor failure"),
        (result(name="<b>Ann</b>"), "would have quoted"),
        (result(name="Ann\0\0"), "would have quoted"),
        (result(name="Ann\r"), "would have quoted"),
        (result(name="100%"), "would have quoted"),
        (result()[:60] + result(), "fields instead of 7"),
    ],
)
def test_a_row_that_the_program_cannot_have_written_is_a_bad_row(data, why):
    """Torn, glued, cut or overwritten rows are told with their place, not read."""
    row = only(read_signups(data, "results"))
    assert isinstance(row, BadRow)
    assert why in row.why
    assert (row.start, row.end) == (0, len(data.rstrip(b"\n")))


def test_a_value_that_cannot_be_right_is_left_out_of_its_row():
    """A request holds what was typed, valid or not: an address that is none is no address, the rest stands."""
    row = only(read_activation_requests(request(email="no-at-sign"), "requests"))
    assert isinstance(row, Row)
    assert (row.value("customer_email"), row.value("customer_name")) == (None, "Ann")


def test_bytes_that_are_no_utf_8_are_no_name():
    """A name is not made up from what cannot be decoded."""
    row = only(read_activation_requests(request(name="%FF%FE"), "requests"))
    assert row.value("customer_name") is None


def test_rows_and_bad_rows_keep_their_lines():
    """A bad row takes nothing from its neighbours; blank lines count, but say nothing."""
    rows = list(read_signups(result() + b"\n" + b"torn\n" + result("failure"), "results"))
    assert [(type(r).__name__, r.line) for r in rows] == [("Row", 1), ("BadRow", 3), ("Row", 4)]


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_bad_rows(data):
    """Nothing raises, whatever the file holds."""
    for read in (read_activation_requests, read_signups, read_serverinfo):
        assert all(isinstance(row, Row | BadRow) for row in read(data, "a file"))
