"""The audit page: everything escaped, no secret shown."""

from __future__ import annotations

import html
import re

import pytest
from makings import (
    BUCKET,
    FURL,
    INTRODUCER,
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
