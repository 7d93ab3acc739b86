"""The audit page: everything escaped, no secret shown."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest
from makings import (
    BUCKET,
    FURL,
    INTRODUCER,
    PRODUCT_TOKEN,
    SECRET_KEY,
    STORAGE,
    USER_TOKEN,
    as_another,
    evidence,
    log,
    open_files,
    request,
    result,
    secrets,
)

import laeforensics as lf
from laeforensics.audit import rules
from laeforensics.present import cards, pages, words
from laeforensics.present.commands import CommandLines
from laerecover.manifest import Secret

SECRETS = [SECRET_KEY, USER_TOKEN, PRODUCT_TOKEN, FURL, "/introducer", *INTRODUCER.pem.split("\n")[1:3]]
SECRETS += [*STORAGE.pem.split("\n")[-3:-1]]

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures/evidence"
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
    """A script in a customer's name is text, in what is shown and in what the search looks in."""
    page = pages.page(case.judgement)
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>the server" not in page
    assert "\x1b" not in page


def test_the_page_loads_nothing_and_runs_nothing_but_its_own(case):
    """Its policy lets in one style and one script, by their hashes; nothing in it points elsewhere."""
    page = pages.page(case.judgement)
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1] for tag in ("style", "script"))
    told = {word: parts for word, *parts in (part.split() for part in policy.split(";"))}
    assert told == {
        "default-src": ["'none'"],
        "style-src": [f"'{digest(style)}'"],
        "script-src": [f"'{digest(script)}'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    assert not re.search(r"(?:src|action)\s*=|@import|url\(|\son[a-z]+=|\sstyle=|https?:", page.replace(script, ""))
    links = re.findall(r'href="([^"]*)"', page)
    assert [link for link in links if not link.startswith(("#", "audit.d/"))] == []
    assert "innerHTML" not in script and "eval" not in script


def digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def test_every_link_leads_somewhere(tmp_path):
    """The whys of what is not urgent are linked files beside the page; theirs lead back to the account's row."""
    judgement = lf.open_case(FIXTURES).judgement
    pages.write_page(judgement, tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text("utf-8")
    linked = re.findall(r'href="(audit\.d/[^"]*)"', page)
    assert len(linked) == sum(rules.verdict(a).name not in words.PROBLEMS for a in judgement.accounts)
    for link in linked:
        told = (tmp_path / link).read_text("utf-8")
        (back,) = re.findall(r'href="([^"]*)"', told)
        assert back.startswith("../audit.html#")
        assert f'id="{back.partition("#")[2]}"' in page
        assert "<script" not in told
    within = set(re.findall(r'href="#([^"]*)"', page))
    assert [word for word in within if f'id="{word}"' not in page] == []


def test_problems_come_first_with_their_whys(tmp_path):
    """CONTESTED, INCOMPLETE, UNFINISHED, each with its witnesses in the page; then what needs nobody."""
    page = pages.page(lf.open_case(FIXTURES).judgement)
    verdicts = re.findall(r'data-verdict="([A-Z]*)"', page)
    assert verdicts == sorted(verdicts, key=words.LOOKED_AT.index)
    assert page.count("<details><summary>why") == sum(v in words.PROBLEMS for v in verdicts)


def test_of_many_problems_the_first_stand_within(monkeypatch, tmp_path):
    """Beyond a number of them the whys are linked, too, so that the page stays one that a browser opens at once."""
    monkeypatch.setattr(pages, "MOST_WITHIN", 1)
    pages.write_page(lf.open_case(FIXTURES).judgement, tmp_path / "audit.html")
    assert (tmp_path / "audit.html").read_text("utf-8").count("<details><summary>why") == 1


def test_pages_are_their_owners_alone(tmp_path):
    """They hold names and addresses; what an earlier audit left goes, what somebody else laid beside it stays."""
    case = lf.open_case(FIXTURES)
    pages.write_page(case.judgement, tmp_path / "audit.html")
    (tmp_path / "audit.d/lae-old.html").write_text("an account of last month")
    pages.write_page(case.judgement, tmp_path / "audit.html")
    assert not (tmp_path / "audit.d/lae-old.html").exists()
    assert (tmp_path / "audit.html").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "audit.d").stat().st_mode & 0o777 == 0o700
    (tmp_path / "other/audit.d").mkdir(parents=True)
    (tmp_path / "other/audit.d/letter.html").write_text("mine")
    for _ in range(2):
        pages.write_page(case.judgement, tmp_path / "other/audit.html")
    assert (tmp_path / "other/audit.d/letter.html").read_text() == "mine"


NAMES = ("lae-abcd0123-" + "a" * 32, "attempt:x y", "attempt:../../etc", "attempt:<b>", "é" * 300)


@pytest.mark.parametrize("name", NAMES)
def test_an_anchor_is_a_name_for_links_and_files(name):
    """Whatever an account is called."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,100}", pages.anchor(name))
    assert pages.anchor(name) != pages.anchor(name + "x")


def test_what_is_typed_after_anything_is_found_stands_there_once(tmp_path):
    """Two secrets files are missing: each is named, and one command audits again."""
    own = evidence(secrets=None, requests=None, results=None, servers=None)
    case = open_files(
        tmp_path, own | {as_another(path.encode()).decode(): as_another(data) for path, data in own.items()}
    )
    text = html.unescape(pages.page(case.judgement)).replace("<wbr>", "")
    shopping = text.partition('id="shopping"')[2].partition("</section>")[0]
    assert len(case.judgement.mends) > 1
    assert shopping.count(f'data-copy="{CommandLines.of(case.judgement).audit()}"') == 1
