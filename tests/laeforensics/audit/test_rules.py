"""The decision tables: of the verdicts and of the grades, the first that holds."""

from __future__ import annotations

import itertools

import pytest
from makings import account

from laeforensics.audit import rules
from laerecover.manifest import GRADES, VERDICTS


def _verdict(*, attempt: bool, ready: bool | None, contested: bool, missing: bool) -> str:
    """The design's sentence, once more and slowly."""
    if attempt:
        return "ABANDONED"
    if ready is False:
        return "UNFINISHED"
    if contested:
        return "CONTESTED"
    return "INCOMPLETE" if missing else "RECOVERABLE"


@pytest.mark.parametrize(
    ("attempt", "ready", "contested", "missing"),
    list(itertools.product([True, False], [True, False, None], [True, False], [True, False])),
)
def test_the_first_verdict_that_holds_is_the_verdict(attempt, ready, contested, missing):
    """An attempt before an unfinished signup, before a contested field, before a missing one.

    Unknown readiness counts as ready.
    """
    judged = account(
        is_attempt=attempt,
        ready=ready,
        contested={"user_token"} if contested else set(),
        missing=("user_secret_key",) if missing else (),
    )
    assert rules.verdict(judged).name == _verdict(attempt=attempt, ready=ready, contested=contested, missing=missing)


STATES = ("PROVED", "STATED", "BROKEN", "ABSENT")


@pytest.mark.parametrize(("introducer", "storage", "furl"), list(itertools.product(STATES, STATES, [True, False])))
def test_the_grade_follows_from_the_identities(introducer, storage, furl):
    """Kept needs both proved and the furl that fits; without a proved storage node its mutable files are lost."""
    judged = account(introducer_identity=introducer, storage_identity=storage, furl_fits=furl)
    if storage != "PROVED":
        expected = "NEW_STORAGE_IDENTITY"
    else:
        expected = "IDENTITY_KEPT" if introducer == "PROVED" and furl else "NEW_FURL"
    grade = rules.grade(judged)
    assert grade is not None
    assert grade.name == expected


def test_an_attempt_has_no_grade_and_nothing_blocks_it():
    """There is nothing to recover."""
    attempt = account(is_attempt=True, ready=False, contested={"user_token"}, missing=("user_secret_key",))
    assert rules.grade(attempt) is None
    assert rules.blocking(attempt) == ()


def test_what_blocks_is_named_with_its_field():
    """Contested fields, then missing ones, then that no server was ever ready."""
    blocked = account(ready=False, contested={"user_token", "customer_email"}, missing=("user_secret_key",))
    assert rules.blocking(blocked) == (
        "contested:customer_email",
        "contested:user_token",
        "missing:user_secret_key",
        "never-ready",
    )
    assert rules.blocking(account()) == ()


def test_the_tables_are_those_of_the_manifest():
    """Every verdict and grade that can be given is one that a manifest takes."""
    assert {rule.name for rule in rules.VERDICTS} == set(VERDICTS)
    assert {rule.name for rule in rules.GRADES} == set(GRADES)


@pytest.mark.parametrize("rule", [*rules.VERDICTS, *rules.GRADES], ids=lambda rule: rule.name)
def test_every_row_says_what_it_means_and_what_to_do(rule):
    """The meaning is in words, and there is a remedy, be it that none is needed."""
    assert len(rule.meaning.split()) > 4
    assert rule.remedy


def test_every_account_gets_a_verdict_and_a_grade():
    """The last row of each table always holds."""
    assert rules.VERDICTS[-1].holds(account())
    assert rules.GRADES[-1].holds(account())
