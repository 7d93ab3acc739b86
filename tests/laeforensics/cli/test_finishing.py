"""`decide --finish`, as typed: the customer's word that a signup should be finished."""

from __future__ import annotations

import json
import shutil

import pytest
from makings import AUDIT, BUCKET, EMAIL, FAILURE, as_another, evidence, is_three_lines, log, result
from packings import write

from laerecover.manifest import read_manifest


@pytest.fixture
def unfinished(folder):
    """A customer who paid, whose server was never ready; beside her one whose signup was finished."""
    other = {as_another(name.encode()).decode(): as_another(data) for name, data in evidence().items()}
    files = {name: data for name, data in other.items() if not name.endswith((".csv", ".json"))}
    files |= evidence(
        log=log(until="installing") + FAILURE.encode(), secrets=None, results=result("failure"), servers=None
    )
    shutil.rmtree(folder / "evidence")
    write(folder / "evidence", files)
    return folder


def test_a_customers_word_lets_a_signup_be_finished(unfinished, typed):
    """The shopping list names the command; then the account is handed over as others are, with who said so and why."""
    _, out, _ = typed(*AUDIT)
    command = f"laeforensics decide evidence {BUCKET} --finish --because WHY"
    assert f"unlocks 1 account\n      {command}\n" in out
    assert f"if the customer says yes: {command}" in typed("explain", "evidence", EMAIL)[1]
    assert "a new service: no server of it was ever ready" in " ".join(typed("explain", "evidence", EMAIL)[1].split())
    assert command in " ".join((unfinished / "out/audit.html").read_text().replace("<wbr>", "").split())
    code, out, _ = typed("decide", "evidence", EMAIL, "--finish", "--because", "she wrote so", "--who", "Carol")
    assert (code, out.split(", says ")[0]) == (0, "finish: the signup should be finished")
    assert out.rpartition("next: ")[2].split() == ["laeforensics", *AUDIT]
    assert typed(*AUDIT)[0] == 0
    told = read_manifest(unfinished / "out/m.parquet", key_file=unfinished / "key/k")
    (row,) = (account for account in told.accounts if account.account_id == BUCKET)
    assert (row.verdict, row.blocking, row.finishes_signup) == ("RECOVERABLE", (), True)
    assert row.decisions[0].startswith("finish: the signup should be finished, says Carol on ")
    assert typed("list", "evidence", "--where", "decided=finish")[1].count("\n") == 1
    shown = typed("explain", "evidence", EMAIL)[1]
    assert "(finish: the signup should be finished, says Carol on " in shown
    assert "never-ready" not in shown
    assert "a new service: no server of it was ever ready" in " ".join(shown.split())
    assert "cannot be changed" not in shown
    assert "she wrote so" in typed("timeline", "evidence", EMAIL)[1]
    journal = [json.loads(line) for line in (unfinished / "evidence.case/journal.jsonl").read_text().splitlines()]
    assert ["laeforensics", "decide", "evidence", EMAIL, "--finish"] in [line["command"][:5] for line in journal]


@pytest.mark.parametrize("words", [(EMAIL, "--finish", "--undo"), ("--where", "decided=finish", "--undo", "--yes")])
def test_a_customers_word_is_taken_back(words, unfinished, typed):
    """As any decision is; a second time there is nothing to take back."""
    typed("decide", "evidence", EMAIL, "--finish", "--because", "x")
    code, _, err = typed("decide", "evidence", *words, "--because", "another customer")
    assert (code, err) == (0, "")
    assert typed("list", "evidence", "--verdict", "UNFINISHED")[1].count(BUCKET) == 1
    code, _, err = typed("decide", "evidence", *words, "--because", "x")
    assert (code, is_three_lines(err)) == (2, True)
    told = typed("timeline", "evidence", EMAIL)[1]
    assert (told.count("  decided  "), told.count("  decision withdrawn  ")) == (1, 1)
    assert "finish, by " in told.partition("decision withdrawn")[2]
    assert "another customer" in told


def test_the_same_word_is_recorded_once(unfinished, typed):
    """Until it was taken back, or another reason is given; `list` and the page mark whom it is about."""
    for why in ("x", "x", "y"):
        assert typed("decide", "evidence", EMAIL, "--finish", "--because", why)[0] == 0
    assert len((unfinished / "evidence.case/decisions.jsonl").read_text().splitlines()) == 2
    mark = "its signup is to be finished, as a human decided"
    assert typed("list", "evidence")[1].count(mark) == 1
    typed(*AUDIT)
    assert mark in " ".join((unfinished / "out/audit.html").read_text().replace("<wbr>", "").split())


@pytest.mark.parametrize(
    "words",
    [
        ("bob@example.org", "--finish"),
        (EMAIL, "--finish", "--witness", "1"),
        ("--where", "verdict=UNFINISHED", "--finish"),
        ("--set-aside", "file", "--finish"),
    ],
    ids=" ".join,
)
def test_only_of_an_unfinished_signup_is_it_decided_whether_it_is_finished(words, unfinished, typed):
    """One customer is asked at a time, and no other decision is made along with it."""
    code, _, err = typed("decide", "evidence", *words, "--because", "x")
    assert (code, is_three_lines(err)) == (2, True)
    assert not (unfinished / "evidence.case/decisions.jsonl").exists()
