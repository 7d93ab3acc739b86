"""What the evidence lacks: kinds of which there is no file at all."""

from __future__ import annotations

import pytest
from makings import BUCKET, evidence, open_files

from laeforensics.present.cards import card
from laeforensics.present.pages import write_page

KINDS = {
    "log": "signup_logs",
    "secrets": "secrets",
    "config": "lae_automation_config.json",
    "requests": "activation_requests.csv",
    "results": "signups.csv",
}


def _told(case) -> list[str]:
    found = case.findings
    return sorted(found[found["code"] == "missing-evidence"]["signup"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_which_there_is_no_file_is_told(kind, tmp_path):
    """As a finding, and beside the headline of card and page."""
    case = open_files(tmp_path, evidence(**{kind: None}))
    assert _told(case) == [KINDS[kind]]
    words = f"s far as this evidence tells: it has no {KINDS[kind]}"
    assert f"  a{words}" in card(case.judgement).splitlines()
    write_page(case.judgement, tmp_path / "audit.html")
    assert f"A{words}." in (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert f"a{words}" in case._repr_html_()


def test_a_folder_that_has_all_kinds_lacks_none(tmp_path):
    """Nor does the card say so."""
    case = open_files(tmp_path, evidence())
    assert _told(case) == []
    assert "as far as" not in card(case.judgement)


def test_secrets_files_and_config_alone_are_a_part(tmp_path):
    """What was lost with the rest is told as what would complete the accounts that are there."""
    case = open_files(tmp_path, evidence(log=None, requests=None, results=None, servers=None))
    assert _told(case) == ["activation_requests.csv", "signup_logs", "signups.csv"]
    (row,) = case.audit.to_dict("records")
    assert (row["account_id"], row["verdict"]) == (BUCKET, "RECOVERABLE")
    wanted = case.shopping_list().to_dict("records")
    assert [(each["evidence"], each["effect"], each["accounts"]) for each in wanted] == [
        ("activation_requests.csv", "completes", (BUCKET,)),
        ("signup_logs", "completes", (BUCKET,)),
    ]
    assert wanted[1]["fields"] == ("customer_email", "instance_id", "launch_time")


def test_the_log_of_an_s4_folder_is_none_of_the_devpay_years(tmp_path):
    """It tells of nobody but its own customer."""
    files = evidence(log=None)
    files["secrets/S4_plan/2014-06-01T000000Z-on2wex2k-mn2xgx2s/signup_logs"] = b">Automation script started.>\n"
    assert _told(open_files(tmp_path, files)) == ["signup_logs"]


def test_where_no_account_is_of_the_devpay_years_neither_csv_nor_products_are_missed(tmp_path):
    """The program of the S4 years wrote no rows, and sold no product with a token."""
    files = {"secrets/S4_plan/2014-06-01T000000Z-on2wex2k-mn2xgx2s/signup_logs": b">Automation script started.>\n"}
    assert _told(open_files(tmp_path, files)) == ["secrets"]


def test_a_file_of_which_nothing_can_be_read_is_not_missing(tmp_path):
    """It is there; other findings say what is wrong with it."""
    assert _told(open_files(tmp_path, evidence(results=b"\n"))) == []
