"""What people see: everything escaped, no secret shown, each value with its witnesses."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    EMAIL,
    FURL,
    HOST,
    INTRODUCER,
    LOG_FILE,
    NAME,
    PRODUCT_TOKEN,
    SECRET_KEY,
    STORAGE,
    USER_TOKEN,
    evidence,
    log,
    open_files,
    request,
    result,
    secrets,
)

from laeforensics.export import tables
from laeforensics.facts import masking
from laeforensics.facts.fact import Residue
from laeforensics.present import cards, pages
from laerecover.manifest import Secret

SECRETS = [SECRET_KEY, USER_TOKEN, PRODUCT_TOKEN, FURL, "/introducer", *INTRODUCER.pem.split("\n")[1:3]]
SECRETS += [*STORAGE.pem.split("\n")[-3:-1]]
EVIL = "%3Cscript%3Ealert(1)%3C/script%3E%1B%5B2J%E2%80%A8%00"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """One customer with a hostile name, a hostile line in the log, and a contested key."""
    hostile = log(installing=">Polishing <b>the server</b>\x1b[2J " + "A" * 30 + "\n")
    files = evidence(
        log=hostile,
        requests=request(name=EVIL),
        results=result(name=EVIL),
        secrets=secrets(access_key_id="AKIASTRANGERKEYID234"),
    )
    return open_files(tmp_path_factory.mktemp("display"), files)


@given(st.text())
def test_plain_text_moves_no_cursor(text):
    """Control, formatting, separating and unassigned characters are written as escapes; the rest stays."""
    shown = masking.plain(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in shown)
    if text.isalnum() and text.isascii():
        assert shown == text


@pytest.mark.parametrize("secret", [SECRET_KEY, USER_TOKEN, FURL, "-----BEGIN RSA PRIVATE KEY-----"])
def test_an_excerpt_masks_what_looks_like_a_secret(secret):
    """Residue may hold anything: long runs of key characters, furls and PEMs become fingerprints."""
    shown = masking.excerpt(f"who knows {secret}\n")
    assert secret not in shown
    assert shown.startswith("who knows ")


def test_no_secret_is_shown_anywhere(case):
    """Card, page, explanation and tables hold fingerprints; the text of a secret is in none of them."""
    shown = [
        cards.card(case.judgement),
        cards.card_html(case.judgement),
        pages.page(case.judgement),
        str(case.explain(BUCKET)),
    ]
    shown += [
        repr(case),
        case._repr_html_(),
        case.explain(BUCKET)._repr_html_(),
        html.unescape(pages.page(case.judgement)),
    ]
    shown += [getattr(case, name).to_string() for name in ("audit", "signups", "facts", "findings", "residue")]
    for text in shown:
        assert [secret for secret in SECRETS if secret in text] == []
    assert repr(Secret(SECRET_KEY)) in shown[3]


def test_hostile_text_is_escaped_for_the_terminal(case):
    """Names and lines of a log hold no control character when they are printed."""
    text = str(case.explain(BUCKET)) + cards.card(case.judgement)
    assert "\x1b" not in text
    assert "\u2028" not in text
    assert "\\x1b" in text


def test_hostile_text_is_escaped_in_the_page(case):
    """A script in a customer's name is text."""
    page = pages.page(case.judgement)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>the server" not in page


def test_the_page_loads_nothing_and_runs_nothing(case):
    """Its policy forbids everything but inline styles, and nothing in it points elsewhere."""
    page = pages.page(case.judgement)
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in page
    assert not re.search(r"(?:src|href|action)\s*=|@import|url\(|<script|\son[a-z]+=", page)


def test_an_explanation_shows_each_witness_with_its_place(case):
    """The value, how many agree, and for each witness file, line, bytes, rule and how far it is believed."""
    explained = {field.name: field for field in case.explain(BUCKET).fields}
    host = explained["public_host"]
    assert host.value == HOST
    agree = sum(line.agrees and line.believed for line in host.lines)
    assert host.verdict == f"{agree} of {len(host.lines)} witnesses agree"
    assert {line.place.partition(":")[0] for line in host.lines} >= {LOG_FILE, f"secrets/{NAME}", "serverinfo.csv"}
    assert all(re.search(r":\d+ \[\d+:\d+\)$", line.place) for line in host.lines)


def test_a_contested_field_is_shown_without_a_value(case):
    """Both witnesses are there, and no value is."""
    field = next(f for f in case.explain(BUCKET).fields if f.name == "user_access_key_id")
    assert field.value is None
    assert field.verdict.startswith("witnesses of equal standing disagree")
    assert {line.value for line in field.lines} == {ACCESS_KEY_ID, "AKIASTRANGERKEYID234"}


@pytest.mark.parametrize("key", [BUCKET, LOG_FILE, NAME, EMAIL])
def test_an_account_is_found_by_any_of_its_names(case, key):
    """Bucket, log with or without its folder, e-mail."""
    assert case.explain(key).account_id == BUCKET


def test_verdict_and_grade_are_told_with_their_meaning(case):
    """The first lines say what is the matter and what to do next."""
    head = str(case.explain(BUCKET)).split("\n")[:4]
    assert head[0].split()[:3] == [BUCKET, EMAIL, "CONTESTED"]
    assert head[1].strip().startswith("CONTESTED: ")
    assert head[2].strip().startswith("next: ")
    assert head[3].strip().startswith("IDENTITY_KEPT: ")


def test_the_numbers_of_a_card_are_those_of_the_case(case):
    """Accounts by verdict, residue in lines and as a share of the bytes."""
    numbers = cards.summary(case.judgement)
    assert (numbers["accounts"], numbers["attempts"], numbers["verdicts"]) == (1, 0, {"CONTESTED": 1})
    assert (numbers["logs"], numbers["residue_lines"]) == (1, 1)
    (told,) = case.judgement.reading.logs
    (piece,) = told.residue
    assert numbers["understood"] == pytest.approx(100 * (1 - (piece.end - piece.start) / told.size))


def test_many_lines_of_residue_read_as_few():
    """Lines that differ in numbers and names only are one kind of residue, counted; the most frequent comes first."""
    lines = [f"Polished {n} of 99 windows at 10.0.0.{n}\n" for n in range(20)] + ["Done.\n"]
    residue = [Residue("a log", n, 40 * n, 40 * n + len(line), line) for n, line in enumerate(lines, start=1)]
    most, least = tables.residue_kinds(residue)
    assert (most["lines"], most["files"], most["first"]) == (20, 1, "a log:1")
    assert (least["lines"], least["template"]) == (1, "Done.")
    assert most["bytes"] == sum(len(line) for line in lines[:-1])
