"""What is lost, changed or hostile does not hang, double or hide what a customer must hear."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from laerecover.errors import Guarded


def test_a_ledger_that_cannot_be_written_ends_the_run(operator, make_account, monkeypatch):
    """A workflow whose end the ledger could not take is not waited for: the run stops, and the same command goes on."""
    import dbos._sys_db as engine

    import laerecover.runner

    def full(*args, **kwargs):
        raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))

    someone = operator(make_account())
    monkeypatch.setattr(laerecover.runner, "_ASKED", 5)
    with monkeypatch.context() as broken:
        broken.setattr(engine.SystemDatabase, "update_workflow_outcome", full)
        with pytest.raises(Guarded, match=r"ledger could not be written.*run the same command again"):
            someone.run()
    someone.stop.clear()
    assert someone.run().exit_code == 0
    assert len(someone.rows("instances")) == 1
