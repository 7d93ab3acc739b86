"""The engine: how many accounts are in hand, and what the ledger holds of those that had no turn."""

from __future__ import annotations

import threading

import pytest

import laerecover.runbook.engine as engine
from laerecover.runbook.ledger import read_ledger
from laerecover.selection import Selection

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class Doors:
    """Counts who is within a step, lets nobody out before so many were within at once, and can stop a run."""

    def __init__(self, someone, monkeypatch):
        self.someone, self.inside, self.most, self.stop_at = someone, set(), 0, None
        self._changed, self._execute = threading.Condition(), engine.execute
        monkeypatch.setattr(engine, "execute", self.execute)

    def execute(self, step, work):
        with self._changed:
            self.inside.add(work.account.account_id)
            self.most = max(self.most, len(self.inside))
            if self.most == self.stop_at:
                self.someone.stop.set()
            self._changed.notify_all()
            if self.stop_at is not None:
                assert self._changed.wait_for(self.someone.stop.is_set, 60)
        try:
            return self._execute(step, work)
        finally:
            with self._changed:
                self.inside.discard(work.account.account_id)


@pytest.fixture
def doors(operator, make_account, monkeypatch):
    """Doors before the steps of six accounts."""
    return Doors(operator(*(make_account(number) for number in range(6))), monkeypatch)


def test_who_was_left_on_the_way_goes_on_within_the_limit(doors):
    """A run that was stopped with four in hand goes on with one at a time: the engine does not take up all at once."""
    someone, doors.stop_at = doors.someone, 4
    made = someone.run(canary=False, concurrency=4)
    assert (made.number("on its way"), made.number("not started")) == (4, 2)
    doors.stop_at, doors.most = None, 0
    someone.stop.clear()
    assert someone.run(canary=False, concurrency=1).number("recovered") == 6
    assert doors.most == 1
    assert len(someone.rows("instances")) == 6


def test_who_had_no_turn_is_not_in_the_ledger(doors):
    """Nothing waits there to be begun by a later run that was not asked for it."""
    doors.stop_at = 2
    doors.someone.run(canary=False, concurrency=2)
    assert len(read_ledger(doors.someone.folder / "ledger.sqlite")) == 2


def test_who_is_not_chosen_now_stays_where_it_was(doors, make_account):
    """A run for some accounts takes up none of the others, though an earlier runner had begun them."""
    someone, doors.stop_at = doors.someone, 4
    someone.run(canary=False, concurrency=4)
    doors.stop_at = None
    someone.stop.clear()
    left = read_ledger(someone.folder / "ledger.sqlite")
    chosen = next(iter(left))
    someone.run(selection=Selection(only=(chosen,)), canary=False)
    now = read_ledger(someone.folder / "ledger.sqlite")
    assert {a: r.outcome for a, r in now.items()} == dict.fromkeys(left, "on its way") | {chosen: "recovered"}
    assert {a: r.steps for a, r in now.items() if a != chosen} == {a: r.steps for a, r in left.items() if a != chosen}


def test_the_ledger_is_asked_of_those_that_left_alone(doors, monkeypatch):
    """One question for all of them, so that hundreds in hand cost nothing while they work."""
    asked, question = [], engine.DBOS.list_workflows
    monkeypatch.setattr(engine, "_TICK", 3600.0)

    def counting(**more):
        asked.append(set(more["workflow_ids"]))
        return question(**more)

    monkeypatch.setattr(engine.DBOS, "list_workflows", counting)
    assert doors.someone.run(canary=False, concurrency=6).number("recovered") == 6
    assert set().union(*asked) == {r.workflow_id for r in read_ledger(doors.someone.folder / "ledger.sqlite").values()}
    assert all(asked)
