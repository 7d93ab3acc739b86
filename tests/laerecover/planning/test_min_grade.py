"""Accounts that better evidence would spare something: the plan says so, and they wait where somebody wants it."""

from __future__ import annotations

import pytest

from laerecover.planning.planner import plan
from laerecover.report.written import report


@pytest.fixture
def someone(operator, make_account):
    """Three accounts, a grade each, the best first in the manifest's order, too."""
    lost = {"introducer_identity": "ABSENT", "introducer_node_pem": None, "introducer_furl": None}
    broken = {"storage_identity": "BROKEN", "server_node_pem": None}
    return operator(
        make_account(0, account_id="lae-7a3c2f01-a"),
        make_account(1, account_id="lae-7a3c2f01-b", grade="NEW_FURL", **lost),
        make_account(2, account_id="lae-7a3c2f01-c", grade="NEW_STORAGE_IDENTITY", **lost, **broken),
    )


def outcomes(made) -> list[str]:
    return [row.outcome for row in made.accounts]


def test_the_plan_says_whom_better_evidence_would_spare_something(someone):
    """For each lesser grade: who, what is lacking, that it must come first; nothing of those that keep everything."""
    made, _ = plan(someone.options(), worlds=someone.worlds)
    ids = [each.account_id for each in made.accounts]
    furl, storage = (note for note in made.notes if "audit it first" in note)
    assert furl.startswith(f"NEW_FURL, for the introducer's node.pem with its furl is not known: {ids[1]}. ")
    assert storage.startswith("NEW_STORAGE_IDENTITY, for the storage node's node.pem is damaged and the introducer's")
    assert ids[2] in storage
    assert "once they are recovered it comes too late" in storage
    assert not any(ids[0] in note for note in (furl, storage))


def test_whose_identity_was_given_up_by_choice_is_not_asked_for(someone):
    """After a break-in no evidence betters anything."""
    made, _ = plan(someone.options(new_identity=True), worlds=someone.worlds)
    assert not any("audit it first" in note for note in made.notes)


def test_lesser_accounts_wait_until_somebody_lets_them_through(someone):
    """Nothing is launched for them; run, report and exit code tell it, until another grade is said."""
    made = someone.run(min_grade="IDENTITY_KEPT", canary=False)
    assert (outcomes(made), made.exit_code) == (["recovered", "blocked", "blocked"], 3)
    assert [row.why.partition(":")[0] for row in made.accounts[1:]] == ["waits for better evidence"] * 2
    assert len(someone.rows("instances")) == 1
    assert not any("--accept" in each.command for row in made.accounts for each in row.follow_ups)
    told = report(someone.options(), someone.worlds)[1]
    assert (outcomes(told), told.exit_code) == (["recovered", "blocked", "blocked"], 3)
    again = someone.run(canary=False)
    assert (outcomes(again), len(someone.rows("instances"))) == (["recovered", "blocked", "blocked"], 1)
    more = someone.run(min_grade="NEW_FURL", canary=False)
    assert (outcomes(more), more.exit_code) == (["recovered", "recovered", "blocked"], 3)
    everybody = someone.run(min_grade="NEW_STORAGE_IDENTITY", canary=False)
    assert (outcomes(everybody), everybody.exit_code) == (["recovered"] * 3, 0)


def test_a_run_goes_on_as_it_was_planned(someone):
    """What the plan said is what a run without the option does."""
    planned, _ = plan(someone.options(min_grade="IDENTITY_KEPT", settings=someone.manifest), worlds=someone.worlds)
    assert [each.action for each in planned.accounts] == ["recover", "blocked", "blocked"]
    made = someone.run(canary=False)
    assert outcomes(made) == ["recovered", "blocked", "blocked"]


def test_of_a_signup_that_is_finished_nothing_of_before_is_told(operator, make_account):
    """No server of it was ever ready: no grade's price, no evidence to wait for, no lost server to see to."""
    word = ("finish: the signup should be finished, says Carol on 2026-01-02: she wrote so",)
    lesser = {"grade": "NEW_STORAGE_IDENTITY", "storage_identity": "ABSENT", "server_node_pem": None}
    someone = operator(make_account(0, decisions=word, **lesser), make_account(1, **lesser))
    made, _ = plan(someone.options(), worlds=someone.worlds)
    new, lost = made.accounts
    assert new.price == "a new service: no server of it was ever ready, so there is nothing of before"
    assert lost.price.startswith("files can be read; directories")
    (note,) = (note for note in made.notes if "audit it first" in note)
    assert (new.account_id in note, lost.account_id in note) == (False, True)
    rows = someone.run(canary=False).accounts
    does = [
        "take the furl of a new service; nothing was there before",
        "take the new furl; old directories are read-only",
    ]
    assert [row.customer_does for row in rows] == does
    of_lost = [[f.about for f in row.follow_ups if "lost server" in f.do] for row in rows]
    assert of_lost == [[], ["203.0.113.2", "i-00000001"]]
