"""The crash matrix: one account, killed at every crash point that the code meets, then carried on from its ledger."""

from __future__ import annotations

from collections import Counter
from typing import Any

from laerecover.runbook.values import NOTICE, STEPS

NAMES = {step.name for step in STEPS}
EACH_STEP = {"before-probe", "before-record"}


def sweep(make_life: Any, account: Any) -> Counter:
    """Kill at each point in turn, carry on, compare with the undisturbed life; gives the points."""
    calm = make_life(account, "calm")
    outcome, met, wanted = calm.live(), calm.met, calm.world()
    for number, (step, point) in enumerate(met, start=1):
        life = make_life(account, f"killed{number}")
        assert life.live(number) is None, (step, point)
        again, there = life.live(), life.world()
        sending = point in ("before-send", "after-send")
        assert ("in_doubt" in [m.state for m in life.bench.outbox.all()]) == sending, (step, point)
        assert all(n == 1 for n in there["mails"]), (step, point)
        assert sending or again.outcome == outcome.outcome, (step, point, again)
        doubtful = {"mails": there["mails"]} if sending else {}
        assert there == {**wanted, **doubtful}, (number, step, point)
    return Counter(met)


def test_a_kill_at_every_point_of_every_step_changes_nothing(make_life, make_account):
    """Whatever was under way: the second life ends with the world of an undisturbed one.

    A mail under way is in doubt.
    """
    points = sweep(make_life, make_account())
    assert {step for step, _ in points} == NAMES
    assert all({point for named, point in points if named == step} >= EACH_STEP for step in NAMES)
    assert {"before-act", "after-act", "before-file", "after-file", "before-send", "after-send"} <= {
        p for _, p in points
    }
    assert len(points) > 4 * len(NAMES) - 4


def test_a_kill_at_every_point_of_a_failing_recovery_hides_no_failure(make_life, make_account):
    """An account whose node answers as another fails the same way in the second life, and the staff are told once."""
    points = sweep(make_life, make_account(server_nodeid="a" * 32))
    assert {step for step, _ in points} - NAMES == {NOTICE.name}
