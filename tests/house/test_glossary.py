"""docs/glossary.md: one word per thing, each said briefly, none missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from laeforensics.accounts import roles
from laeforensics.audit import rules
from laeforensics.facts import channels
from laerecover import manifest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text("utf-8")
ENTRIES = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", PAGE, re.MULTILINE)
MEANINGS = dict(ENTRIES)
FLOW = "evidence locator fact residue finding verdict grade case manifest secret"
FLOW += " runbook step probe ledger outbox drill RTO"
JUDGING = "witness standing channel role stage outcome account attempt"


def test_terms_stand_once_in_the_order_of_the_alphabet():
    """Every line of the list is an entry, no term is defined twice, and each can be found where it is looked for."""
    terms = [term for term, _ in ENTRIES]
    assert len(terms) == PAGE.count("\n- ")
    assert terms == sorted(set(terms), key=str.casefold)


def test_an_entry_is_one_or_two_sentences():
    """A meaning ends with a full stop and has at most one before it."""
    assert [term for term, meaning in ENTRIES if not meaning.endswith(".")] == []
    assert [term for term, meaning in ENTRIES if len(re.findall(r"\.(?: |$)", meaning)) > 2] == []


def test_the_terms_of_the_flow_are_all_there():
    """No noun of the flow from evidence to report is left unexplained."""
    assert sorted({*FLOW.split(), *JUDGING.split()} - set(MEANINGS)) == []


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("channel", tuple(channels.STANDING)),
        ("role", (roles.ORIGIN, roles.REPLACEMENT, roles.RE_RECORD, roles.DUPLICATE, roles.ATTEMPT)),
        ("verdict", tuple(rule.name for rule in rules.VERDICTS)),
        ("identity", manifest.IDENTITIES),
        ("outcome", ("complete", "failed", "cut")),
    ],
)
def test_a_closed_list_is_the_codes_own(term, words):
    """An entry that lists the possible values names every one that the code knows."""
    assert [word for word in words if not re.search(rf"\b{word}\b", MEANINGS[term])] == []
