"""What the ledger tells is the same by the engine's tables and by the engine's own client."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from laerecover.errors import Stopped
from laerecover.runbook import engine, ledger
from laerecover.runbook.ledger import read_ledger
from laerecover.runbook.values import APPEND, INSTALL, Effect
from laerecover.selection import Selection

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def left(operator, make_account, monkeypatch):
    """The ledger of a run that ended in each way: recovered, in a second round, failed, stopped on its way."""
    accounts = [make_account(number) for number in range(4)]
    someone, executed = operator(*accounts), engine.execute
    well, twice, badly, on_its_way = (account.account_id for account in accounts)

    def execute(step, work):
        ill = (twice, badly) if work.round == 1 else (badly,)
        if step == INSTALL and work.account.account_id in ill:
            return Effect(step=step, ok=False, kind="bug", message="made to fail")
        if step == APPEND and work.account.account_id == on_its_way:
            someone.stop.set()
            raise Stopped
        return executed(step, work)

    monkeypatch.setattr(engine, "execute", execute)
    for chosen in ((well, twice, badly), (twice, badly), (on_its_way,)):
        someone.run(canary=False, selection=Selection(only=chosen))
    path = someone.folder / "ledger.sqlite"
    told = {account: (latest.outcome, latest.number) for account, latest in read_ledger(path).items()}
    assert told == {
        well: ("recovered", 1),
        twice: ("recovered", 2),
        badly: ("failed", 2),
        on_its_way: ("on its way", 1),
    }
    return path


def by_the_client(path, monkeypatch, **given):
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "read_tables", lambda look, *, with_steps: None)
        return read_ledger(path, **given)


@pytest.mark.parametrize("with_steps", [True, False])
def test_the_tables_tell_what_the_client_tells(left, monkeypatch, with_steps):
    """Every round with its steps, their times, spans and instances."""
    by_tables = read_ledger(left, with_steps=with_steps)
    assert by_tables == by_the_client(left, monkeypatch, with_steps=with_steps)
    assert any(latest.steps for latest in by_tables.values()) is with_steps


@pytest.mark.parametrize(
    "change",
    ["UPDATE dbos_migrations SET version = version + 1", "UPDATE workflow_status SET serialization = 'py_pickle'"],
)
def test_tables_that_are_not_known_are_left_to_the_client(left, monkeypatch, change):
    """Another version of the engine may have moved what they hold, or written it in another way."""
    asked = []
    with closing(sqlite3.connect(left)) as db, db:
        db.execute(change)
    monkeypatch.setattr(ledger, "_asked", lambda look, *, with_steps: asked.append(with_steps) or ())
    assert read_ledger(left) == {}
    assert asked == [True]
