"""The first page says why somebody is not back in words that are not the programs' own."""

from __future__ import annotations

import pytest

from laerecover.planning.plain_words import in_plain_words, without_codes
from laerecover.runbook.values import ALL_STEPS, Effect


@pytest.mark.parametrize(
    ("blocking", "missing", "said"),
    [
        ((), ("user_access_key_id",), "the evidence lacks the access key of its bucket"),
        (
            ("missing:user_secret_key", "never-ready"),
            ("user_secret_key", "user_token"),
            "the evidence lacks the secret key of its bucket and the customer's token; its server was never seen ready",
        ),
        (("contested:product_token",), (), "the evidence is not sure of the product's token"),
        (("unread:secrets/2012",), (), "a file that may tell of it could not be read: secrets/2012"),
    ],
)
def test_what_the_evidence_lacks_is_said_in_words(make_account, blocking, missing, said):
    """No code, no name of a field, no verdict."""
    account = make_account(verdict="INCOMPLETE", grade=None, blocking=blocking, missing=missing)
    assert in_plain_words(account, "the verdict is INCOMPLETE: missing:x", ()) == said


@pytest.mark.parametrize("verdict", ["UNFINISHED", "CLOSED", "ABANDONED", "CONTESTED"])
def test_a_verdict_alone_is_said_in_words(make_account, verdict):
    """Every verdict has some."""
    said = in_plain_words(make_account(verdict=verdict, grade=None), f"the verdict is {verdict}", ())
    assert said
    assert verdict.lower() not in said.lower()


@pytest.mark.parametrize("step", ALL_STEPS)
def test_a_step_is_called_by_what_it_does(make_account, step):
    """Its name in the ledger is nobody's business here; what it says of the failure stays."""
    said = in_plain_words(make_account(), "", [Effect(step=step, ok=False, kind="deadline", message="no answer")])
    assert said.endswith(" failed: no answer")
    assert "_" not in said


def test_what_the_plan_says_of_a_recoverable_account_stays(make_account):
    """It is told as it was planned."""
    assert in_plain_words(make_account(), "its old server still runs", ()) == "its old server still runs"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("the verdict is UNFINISHED: never-ready", "UNFINISHED: its server was never seen ready"),
        (
            "bob@example.org (the verdict is INCOMPLETE: missing:user_access_key_id, missing:user_secret_key)",
            "bob@example.org (INCOMPLETE: the evidence lacks the access key of its bucket and the secret key of its "
            "bucket)",
        ),
        ("the verdict is CONTESTED: of-a-later-version", "CONTESTED: of-a-later-version"),
        ("missing:user_token, says bob", "missing:user_token, says bob"),
    ],
)
def test_people_read_no_codes_of_a_verdict(said, words):
    """What the plan says of it for programs is said in words, wherever it stands; what has no words stays."""
    assert without_codes(said) == words
