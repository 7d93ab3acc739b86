"""What people read of a plan: what to type next is only what would do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from laerecover.cli._show import show_plan
from laerecover.planning.obstacles import Obstacle
from laerecover.planning.planner import plan

STOPS = Obstacle(what="key of the admin", message="it has a passphrase", remedy="make a copy without one")
ONE_ACCOUNT = replace(STOPS, account_id="lae-somebody")


@pytest.fixture
def shown(operator, make_account, capsys):
    """The last part of a plan of two accounts, as people see it; `unfit`: none of them can be recovered."""

    def show(*obstacles, unfit=False, **options):
        wrong = {"introducer_furl": None, "verdict": "INCOMPLETE", "grade": None} if unfit else {}
        someone = operator(make_account(0, **wrong), make_account(1, **wrong))
        made, _ = plan(someone.options(**options), worlds=someone.worlds)
        show_plan(made, someone.options(**options), obstacles=obstacles)
        return capsys.readouterr().out

    return show


def test_a_plan_that_can_be_run_proposes_drill_and_run(shown):
    """With how long it takes; one account that is blocked keeps nobody from it."""
    for out in (shown(), shown(ONE_ACCOUNT)):
        assert out.count("next: ") == 1
        assert re.search(r", about \d+ min by", out)
        assert ", then laerecover run " in out


@pytest.mark.parametrize(
    ("given", "options", "wanted"),
    [
        ([STOPS], {}, "next: mend what the check names, then plan again"),
        ([], {"without": ("customer0@example.org", "customer1@example.org")}, "select some with --only"),
        ([], {"unfit": True}, "mend what blocks them, or select others"),
    ],
)
def test_a_plan_that_cannot_be_run_proposes_no_run(shown, given, options, wanted):
    """The check says NO; nothing is selected; what was selected is blocked."""
    out = shown(*given, **options)
    assert out.count("next: ") == 1
    assert wanted in out
    assert not any(word in out for word in ("laerecover drill", "laerecover run"))
    assert bool(re.search(r"about \d+ min", out)) == bool(given)
