"""report.html in a browser: readable at every width, one A4 page on paper, and names in it stay text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser as browsers
import pytest

from laerecover.report.outcomes import AccountOutcome, FollowUp, Proof
from laerecover.report.page import page as written
from laerecover.report.report import Report
from laerecover.runbook.ledger import Done
from laerecover.runbook.values import BOUNCE, DEPLOY, INSTALL, LEAVE, STEPS, WAIT

pytestmark = pytest.mark.e2e
HOSTILE = "</td><script>alert(1)</script>\u202e@example.org"
LONGEST = f"{'long' * 20}@{'example' * 8}.org"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.browser() as found:
        yield found


def row(number: int, outcome: str) -> AccountOutcome:
    """One account of a report, with as much in it as there can be."""
    customer = HOSTILE if number == 0 else LONGEST if number == 1 else f"customer.{number}@example.org"
    account_id = f"lae-0c4e91d7-{number:04d}tyhmxk2ytccvpxmu7db32oplrpp".translate(str.maketrans("0189", "abcd"))
    why = "" if outcome == "recovered" else f"install_server: apt says {'x' * 400} of /var/lib/dpkg/lock-frontend"
    values = {"log_file": f"signup_logs/2012-03-05T172031Z-{account_id[13:]}", "instance_id": "i-0123456789abcdef0"}
    todo = [(f"do the thing of kind {n}", f"laerecover resolve m.parquet {account_id} mail --sent") for n in range(14)]
    steps = tuple(
        Done(step=step, ok=True, values=values, attempts=2, started_at=None, ended_at=None, seconds=61.5)
        for step in (DEPLOY, WAIT, INSTALL, BOUNCE, LEAVE)
    )
    return AccountOutcome(
        account_id=account_id,
        customer=customer,
        outcome=outcome,
        why=why,
        guarded=False,
        selected=True,
        in_doubt=number % 7 == 0,
        grade="NEW_FURL",
        price="a new furl",
        customer_does="take the new furl" if outcome == "recovered" else "",
        steps=steps,
        rounds=1,
        mail="in_doubt" if number % 7 == 0 else "held",
        mail_to="customer",
        message_id=None,
        credentials="",
        instances_launched=1,
        mails_sent=0,
        serverinfo_rows=1,
        rto_seconds=301.5,
        bucket=None,
        joined=None,
        unplanned=False,
        closed=False,
        proof=Proof(ok=number % 2 == 0, said="a file was read back"),
        follow_ups=tuple(FollowUp(do, "why", command) for do, command in todo),
    )


def report_of(accounts: int, folder: Path) -> Path:
    """A recovery of which everything became of somebody, with every kind of thing left for a human."""
    outcomes = ("recovered", "recovered", "failed", "blocked", "on its way", "not started", "left out")
    made = Report(
        mode="run",
        manifest="m.parquet",
        manifest_digest="d" * 64,
        evidence_digest="e" * 64,
        recovery_id="r" * 64,
        started_at="2026-11-22T10:03:00+00:00",
        ended_at="2026-11-22T13:05:00+00:00",
        written_at="2026-11-22T13:06:00+00:00",
        seconds=10920.0,
        forecast_seconds=16000.0,
        step_seconds={step.name: 61.5 for step in STEPS},
        pace=1.0,
        seed=None,
        stopped="the mail server refuses us: " + "quota " * 30,
        decisions={"lae-x": {"by": HOSTILE, "at": "2026-11-22", "because": HOSTILE}},
        not_dialled={"by": HOSTILE, "at": "2026-11-22T10:00:00+00:00", "because": "the office " * 60},
        accounts=tuple(row(number, outcomes[number % len(outcomes)]) for number in range(accounts)),
    )
    path = folder / "report.html"
    path.write_text(written(made), "utf-8")
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_of(14, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_of(300, tmp_path_factory.mktemp("large"))


def opened(browser: Any, path: Path, *, width: int = 1280, **context: Any) -> Any:
    page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
    page.on("dialog", lambda dialog: pytest.fail("a script of somebody else's ran"))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280, 1920])
def test_nothing_overflows_and_no_word_breaks(browser, small, width, scheme):
    """With the annex closed and open; and axe has nothing to say."""
    page = opened(browser, small, width=width, color_scheme=scheme)
    for is_open in (False, True):
        page.evaluate("(open) => document.querySelectorAll('details').forEach((d) => { d.open = open; })", is_open)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert browsers.overflow(page) == []
        assert browsers.broken_words(page) == []
        assert browsers.complaints(page) == []


def sheets(page: Any) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True)))


def test_a_director_gets_one_sheet_of_paper(browser, large):
    """With 300 accounts, whatever became of them; whoever opens the annex before printing gets that, too."""
    page = opened(browser, large)
    assert sheets(page) == 1
    page.evaluate("document.querySelector('details').open = true")
    assert sheets(page) > 1


def test_hostile_names_stay_text(browser, small):
    """A name that is markup is read as it was typed, but for what would turn the line around."""
    page = opened(browser, small)
    assert page.locator("script").count() == 0
    page.evaluate("document.querySelector('details').open = true")
    assert "</td><script>alert(1)</script>" in page.locator("#decisions").locator("..").inner_text()
    assert "\u202e" not in page.content()
