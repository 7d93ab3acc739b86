"""The page's words and colours are those of the audit: an account has one short name, a meaning one colour."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import laeforensics as lf
from laeforensics.present.words import short_name as audits
from laerecover.report.page import Page
from laerecover.text import short_name, spent

ROOT = Path(__file__).parents[3]


def test_an_account_is_called_as_in_the_audit():
    """Every recoverable account of the fixtures, the customer's address and six characters."""
    accounts = [a for a in lf.open_case(ROOT / "fixtures/evidence").judgement.accounts if not a.is_attempt]
    assert len(accounts) > 5
    for account in accounts:
        who = account.values.get("customer_email")
        assert who is None or short_name(account.account_id, who) == audits(account)


def test_the_palette_is_that_of_the_audit():
    """In light and in dark."""
    sheets = ("laeforensics/present/templates/page.css", "laerecover/report/templates/report.css")
    palettes = [
        re.findall(r"--\w+: #\w+", (ROOT / "src" / sheet).read_text("utf-8").split("* {")[0]) for sheet in sheets
    ]
    assert palettes[0] == palettes[1]
    assert len(palettes[0]) == 24


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.2, "12 s"), (59.6, "1 min"), (185.0, "3 min 05 s"), (7800.0, "2 h 10 min")],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds, said):
    """Never 60 s, never 60 min."""
    assert spent(seconds) == said


def test_customers_who_do_the_same_are_one_line_of_the_page():
    """A new address and a new furl are two outcomes, but to a customer both are one new line from our mail."""
    does = ["take the new address", "take the new furl", "take the new address", "nothing"]
    accounts = [SimpleNamespace(customer_does=each, outcome="recovered") for each in does]
    page = Page(report=SimpleNamespace(accounts=accounts), on_a_rig=False)
    assert page.customers_do == [("put the new line that our mail names into their client", 3), ("do nothing", 1)]
