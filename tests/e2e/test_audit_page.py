"""audit.html in a browser: readable at every width, worked with by mouse and keyboard, and of use without script."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser as browsers
import pytest

import laeforensics as lf
from evidence_writer import write_evidence
from laeforensics.audit import rules
from laeforensics.present import pages

pytestmark = pytest.mark.e2e
WIDTHS = (400, 1280, 1920)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.browser() as found:
        yield found


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """The page of the fixtures, in which one customer has a hostile name."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(Path(__file__).parents[2] / "fixtures/evidence", folder / "evidence")
    for csv in (folder / "evidence/signups.csv", folder / "evidence/activation_requests.csv"):
        told = re.sub(rb"100%25[^,]*[jJ]oe", b"%3C/td%3E%3Cscript%3Ealert(1)%3C/script%3E", csv.read_bytes())
        assert told != csv.read_bytes()
        csv.write_bytes(told)
    pages.write_page(lf.open_case(folder / "evidence").judgement, folder / "audit.html")
    return folder / "audit.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> tuple[Path, lf.Case]:
    """A page of more than 300 accounts and attempts: of every eighth two files disagree, every eighth lost its key."""
    folder = tmp_path_factory.mktemp("large")
    write_evidence(folder / "evidence", seed=7, accounts=300, dialects=None, noise="small")
    for number, path in enumerate(sorted(p for p in (folder / "evidence/secrets").iterdir() if p.is_file())):
        told = json.loads(path.read_bytes() or b"{}")
        log = folder / "evidence/signup_logs" / path.name
        if number % 8 == 0 and "secret_key" in told:
            path.write_text(json.dumps({**told, "secret_key": told["secret_key"][::-1]}) + "\n")
        elif number % 8 == 1 and log.exists():
            path.unlink()
            log.write_bytes(log.read_bytes().replace(b"secret_key = ", b"secret_kez = "))
    case = lf.open_case(folder / "evidence")
    pages.write_page(case.judgement, folder / "audit.html")
    return folder / "audit.html", case


def opened(browser: Any, path: Path, *, width: int = 1280, fragment: str = "", **context: Any) -> Any:
    page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    page.on("dialog", lambda dialog: pytest.fail("a script of somebody else's ran"))
    page.goto(f"{path.as_uri()}{fragment}")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_and_no_word_breaks(browser, small, width, scheme):
    """Whatever is opened: every why, every field, every finding; and axe has nothing to say."""
    page = opened(browser, small, width=width, color_scheme=scheme)
    for is_open in (False, True):
        page.evaluate("(open) => document.querySelectorAll('details').forEach((d) => { d.open = open; })", is_open)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert browsers.overflow(page) == []
        assert browsers.broken_words(page) == []
        assert browsers.complaints(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_so_are_300_accounts(browser, large, width):
    """As they are first seen."""
    page = opened(browser, large[0], width=width)
    assert browsers.overflow(page) == []
    assert browsers.broken_words(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_linked_why_is_as_good(browser, small, width):
    """The pages of what is not urgent, in dark."""
    for path in sorted(small.with_name("audit.d").glob("*.html"))[:4]:
        page = opened(browser, path, width=width, color_scheme="dark")
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert browsers.overflow(page) == []
        assert browsers.broken_words(page) == []
        assert browsers.complaints(page) == []


def shown(page: Any) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('#accounts > tbody')].filter((b) => !b.hidden).map((b) => b.id)"
    )


def test_search_and_facets_answer_which_are_contested(browser, large):
    """As many as the case says; the address of the page remembers the choice, and brings it back."""
    path, case = large
    contested = {pages.anchor(a.account_id) for a in case.judgement.accounts if rules.verdict(a).name == "CONTESTED"}
    page = opened(browser, path)
    page.get_by_label("verdict", exact=True).select_option("CONTESTED")
    assert set(shown(page)) == contested
    assert f"{len(contested)} of " in page.locator("output").inner_text()
    again = opened(browser, path, fragment=page.evaluate("location.hash"))
    assert set(shown(again)) == contested
    again.get_by_role("button", name="show all").click()
    assert len(shown(again)) == len(case.judgement.accounts)
    account = next(a for a in case.judgement.accounts if a.values.get("instance_id"))
    again.get_by_label("search").fill(f"{account.values['instance_id']}")
    assert pages.anchor(account.account_id) in shown(again)
    again.get_by_label("search").fill("no such thing anywhere")
    assert shown(again) == []


def test_columns_sort(browser, large):
    """Up, then down, and the head says which."""
    page = opened(browser, large[0])
    head = page.get_by_role("button", name="signed up")
    days = "[...document.querySelectorAll('#accounts > tbody')].map((b) => b.dataset.day)"
    head.click()
    first = page.evaluate(days)
    assert first == sorted(first)
    head.click()
    assert page.evaluate(days) == sorted(first, reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("signed up")


def test_a_link_to_an_account_opens_its_why(browser, large):
    """`audit.html#lae-…`, also from the shopping list."""
    path, case = large
    account = next(a for a in case.judgement.accounts if rules.verdict(a).name == "INCOMPLETE")
    page = opened(browser, path, fragment=f"#{account.account_id}", width=800)
    row = page.locator(f"#{account.account_id}")
    row.locator("details[open] summary:focus").first.wait_for()
    tools = "document.querySelector('.tools').getBoundingClientRect().bottom"
    assert row.evaluate(
        f"(e) => {{ const top = e.getBoundingClientRect().top; return top + 1 >= {tools} && top < innerHeight; }}"
    )


def test_a_why_is_opened_by_the_keyboard(browser, small):
    """Tab as far as the word, Enter; its timeline, its witnesses and their lines are there, and no secret."""
    page = opened(browser, small)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.why') !== null"):
            break
    page.keyboard.press("Enter")
    why = page.locator(".why details[open]").first
    told = why.inner_text()
    assert "What happened" in told and "server launched" in told
    assert re.search(r"product_token\": \"‹secret [0-9a-f]{8}›", told)
    assert "witnesses of equal standing disagree" in told


def test_ids_and_commands_are_copied(browser, small):
    """The whole id, the whole command."""
    page = opened(browser, small, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#accounts > tbody").first.get_by_role("button", name="copy the id").click()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#accounts > tbody").first.get_attribute(
        "id"
    )
    page.get_by_role("button", name="copy this command").first.click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("laeforensics explain ")


def test_it_is_readable_without_script(browser, small):
    """No control that does nothing; every account is there, a why opens, a link to one opens it."""
    page = opened(browser, small, java_script_enabled=False)
    assert page.locator("#accounts > tbody").count() == 18
    assert page.locator("button:visible, select:visible, input:visible").count() == 0
    page.locator(".why summary").first.click()
    assert page.locator(".why details").first.get_by_text("What happened").is_visible()


def test_a_hostile_name_is_text(browser, small):
    """It stands there as it was typed, and runs nothing."""
    page = opened(browser, small)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert "<script>alert(1)</script>" in page.locator("#accounts").inner_text()


def test_on_paper_there_are_no_controls(browser, small):
    """Nothing to click is printed, and nothing reaches beyond the paper."""
    page = opened(browser, small, width=720)
    page.emulate_media(media="print")
    assert page.locator("button:visible, select:visible, input:visible").count() == 0
    assert browsers.overflow(page) == []
