"""The card of a case."""

from __future__ import annotations

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    NAME,
    evidence,
    log,
    open_files,
    request,
    result,
    secrets,
)

from laeforensics.present import cards
from laeforensics.present.commands import CommandLines


def test_a_terminal_gets_short_names(tmp_path):
    """On a terminal what would help names a bucket by its two ends; elsewhere it stands whole."""
    from laeforensics.present.cards import card

    case = open_files(tmp_path, {f"secrets/{NAME}": secrets(access_key_id=None, secret_key=None)})
    assert ACCESS_KEY_ID not in card(case.judgement)
    assert max(map(len, card(case.judgement, is_short=True).split())) <= max(map(len, card(case.judgement).split()))
    assert not any(len(word) > 48 for word in card(case.judgement, is_short=True).split("What would help")[1].split())


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


def test_the_numbers_of_a_card_are_those_of_the_case(case):
    """Accounts by verdict, residue in lines and as a share of the bytes."""
    numbers = cards.summary(case.judgement)
    assert (numbers["accounts"], numbers["attempts"], numbers["verdicts"]) == (1, 0, {"CONTESTED": 1})
    assert (numbers["logs"], numbers["residue_lines"]) == (1, 1)
    (told,) = case.judgement.reading.logs
    (piece,) = told.residue
    assert numbers["understood"] == pytest.approx(100 * (1 - (piece.end - piece.start) / told.size))


def test_a_card_tells_problems_first_in_words_with_what_to_type(case):
    """How many can be recovered, then why others cannot, in the words of list and page; the command below its help."""
    commands = CommandLines(evidence=("my evidence",), case=("--case", "c"))
    text = cards.card(case.judgement, commands)
    assert "  0 of 1 account can be recovered\n" in text
    assert "1 CONTESTED    witnesses disagree on user_access_key_id\n" in text
    assert "contested:" not in text
    command = f"      laeforensics explain 'my evidence' {BUCKET} --field user_access_key_id --case c"
    assert text.splitlines()[text.splitlines().index("What would help most") + 2] == command
    assert "1 signup log in 1 dialect · " in text
    assert "1 line is residue" in text


def test_what_was_counted_and_not_read_is_named_with_why(tmp_path):
    """What somebody may wait for stands first; the page names what a card has no room for."""
    from laeforensics.present import pages

    beside = {f"note {n}.txt": b"dear" for n in range(9)}
    rows = b"2011-11-29T15:03:29Z,A7SOSA4JHPTQTTUTVI3N655MKBNUOY,0C4E91D7\n"
    files = {
        **evidence(),
        **beside,
        "devpay_completions.csv": rows,
        f"secrets/{NAME}.gpg": b"Salted__#",
        "nothing": b"",
    }
    case = open_files(tmp_path, files)
    named = [name for name, _, _ in case.judgement.not_read]
    assert named[0] == f"secrets/{NAME}.gpg"
    assert set(named) == {*beside, "devpay_completions.csv", f"secrets/{NAME}.gpg", "nothing"}
    told = [line for line in cards.card(case.judgement).split("\n\n")[0].split("\n") if "and 8 more" in line]
    assert told == ["          and 8 more: audit.html names them"]
    (section,) = pages.page(case.judgement).split('id="unread"')[1:]
    assert all(n.replace("/", "/\u200b") in section or n in section.replace("<wbr>", "") for n in named)
    assert "came back from DevPay" in section
    assert "Not read" not in cards.card(open_files(tmp_path / "whole", evidence()).judgement)
