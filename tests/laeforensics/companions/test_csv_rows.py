"""Rows of the csv files: written by the site, so that anything else is damage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import (
    BUCKET,
    CODE,
    EMAIL,
    ENDED_AT,
    HOST,
    INSTANCE,
    KEY,
    LAUNCHED,
    LOG_FILE,
    PARTS,
    STARTED_AT,
    audit_row,
    codes,
    evidence,
    log,
    open_files,
    re_record,
    request,
    result,
    serverinfo,
)

import laeforensics as lf
from evidence_writer.people import quoted
from laeforensics.companions.csv_rows import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.companions.secrets_files import read_stripe
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
        (result(name="<b>Ann</b>", info="<b>"), "would have quoted"),
        (result(name="Ann\0\0"), "would have quoted"),
        (result()[:60] + result(), "fields instead of 7"),
    ],
)
def test_a_row_that_the_program_cannot_have_written_is_a_bad_row(data, why):
    """DamagedValue, glued, cut or overwritten rows are told with their place, not read."""
    row = only(read_signups(data, "results"))
    assert isinstance(row, BadRow)
    assert why in row.why
    assert (row.start, row.end) == (0, len(data.rstrip(b"\n")))


@pytest.mark.parametrize("read", [read_activation_requests, read_signups])
@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ({"name": "<b>Ann</b>"}, "customer_name holds"),
        ({"name": "Ann\r"}, "customer_name holds"),
        ({"name": "100%"}, "customer_name holds"),
        ({"name": "Mar%C3%G9a"}, "customer_name holds"),
        ({"info": "a\tb"}, "customer_keyinfo holds"),
        ({"info": "=cmd|'/C calc'"}, "customer_keyinfo holds"),
        ({"email": "a%4@example.org"}, "customer_email holds"),
        ({"email": f"{'a' * 65}@example.org"}, "customer_email is longer"),
        ({"email": f"ann@{'b.' * 145}org"}, "customer_email is longer"),
    ],
)
def test_one_cell_that_is_hurt_takes_nothing_from_its_row(read, cell, why):
    """It alone is damage, told with line, place and name; what the others tell stands."""
    written = (request if read is read_activation_requests else result)(**cell)
    row, hurt = read(b"\n" + written, "a file")
    assert isinstance(row, Row)
    assert isinstance(hurt, BadRow)
    names = {"activation_key", "product_code", "customer_name", "customer_email"} - {f"customer_{n}" for n in cell}
    assert names <= {fact.field for fact in row.facts}
    assert row.value("customer_" + "".join(cell).replace("info", "keyinfo")) is None
    assert hurt.why.startswith(why)
    assert written[hurt.start - 1 : hurt.end - 1].decode() == next(iter(cell.values()))
    assert hurt.line == 2


@pytest.mark.parametrize("email", [f"{'a' * 65}@example.org", f"ann@{'b.' * 145}org"])
def test_no_address_is_longer_than_a_server_takes_it(tmp_path, email):
    """Where log and rows tell such a one, the account has no address, and findings say so."""
    changed = log(**{name: text.replace(EMAIL, email) for name, text in PARTS.items()})
    case = open_files(tmp_path, evidence(log=changed, requests=request(email=email), results=result(email=email)))
    assert audit_row(case)["customer_email"] is None
    assert {"missing-email", "damaged-row"} <= codes(case)


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


LATER = "2012-03-20T10:55:00.000Z"


def test_an_instance_that_stands_for_several_servers_is_told_by_its_log(tmp_path):
    """Its cells were filled down: a re-record, whose row is found by its host, does not take another's id from it."""
    rows = serverinfo("i-99999999", "192.0.2.9", LAUNCHED.replace("03-20", "03-19")) + serverinfo("i-99999999")
    files = evidence(servers=rows)
    files["signup_logs/2012-03-21T000000Z-" + "z" * 32] = re_record()
    row = audit_row(open_files(tmp_path, files), BUCKET)
    assert (row["instance_id"], row["launch_time"]) == (INSTANCE, LAUNCHED)


@pytest.mark.parametrize(("launched", "told"), [(LATER, None), (LAUNCHED, LAUNCHED)])
def test_no_server_was_launched_after_its_row_was_written(launched, told, tmp_path):
    """The launches of serverinfo.csv were sorted by themselves: where no log tells one, none is told."""
    row = audit_row(open_files(tmp_path, evidence(log=None, servers=serverinfo(launched=launched))), BUCKET)
    assert (row["launch_time"], row["instance_id"]) == (told, INSTANCE)


def name_of(folder, requests, results):
    """What is told of Ann, beside five strangers whose names stand in both files, or in one of them so."""
    names = ["Bob", "Cy", "Dee", "Eve", "Flo"]
    keys = [letter * 30 for letter in "BCDEF"]
    asked = b"".join(request(key=key, name=requests.get(n, n)) for key, n in zip(keys, names, strict=True))
    got = b"".join(result(key=key, name=results.get(n, n)) for key, n in zip(keys, names, strict=True))
    files = evidence(requests=request() + asked + requests.get("more", b""), results=result() + got)
    return audit_row(open_files(folder, files))["customer_name"]


@pytest.mark.parametrize(
    ("requests", "results", "told"),
    [
        ({"Bob": "Cy", "Cy": "Dee"}, {}, None),
        ({"Bob": "Robert", "Cy": "Cyrus"}, {}, "Ann"),
        ({"Bob": "NULL", "Cy": "NULL"}, {"Dee": "NULL", "Eve": "NULL", "Flo": "NULL"}, "Ann"),
        ({"more": request(key="B" * 30, name="Eve") + request(key="C" * 30, name="Flo")}, {}, None),
        ({"more": request(key="B" * 30, name="Robert") + request(key="C" * 30, name="Cyrus")}, {}, "Ann"),
    ],
    ids=["other customers'", "mended", "blacked out", "other customers' in two requests", "mended in two requests"],
)
def test_a_column_that_tells_others_names_twice_tells_none(requests, results, told, tmp_path):
    """Its cells have moved: whether in both files alike, the rows that agree do not tell."""
    assert name_of(tmp_path, requests, results) == told


FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "evidence"


def test_a_csv_row_of_a_day_that_never_was_is_damaged(tmp_path):
    """The 31st of February is no time: the row is a finding, not a crash, and tells nothing."""
    evidence = shutil.copytree(FIXTURES, tmp_path / "evidence")
    for name in ("signups.csv", "activation_requests.csv"):
        path = evidence / name
        changed = path.read_bytes().replace(b"2011-11-29T", b"2011-02-31T")
        assert changed != path.read_bytes()
        path.write_bytes(changed)
    found = lf.open_case(evidence).findings.query("code == 'damaged-row'")
    assert set(found["signup"]) == {"signups.csv", "activation_requests.csv"}
    assert all("no time" in message for message in found["message"])
