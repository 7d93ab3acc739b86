"""What the runbook needs of its engine: DBOS over its file, and the model that the simulation uses, answer alike."""

from __future__ import annotations

import threading
import time

import pytest

import laerecover.runbook.engine as engine
from laerecover.errors import Stopped
from laerecover.runbook.ledger import launched
from simulation.model import Model

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

BODIES = {}
LEFT = threading.Event()


@engine.DBOS.workflow(name="contract", max_recovery_attempts=None)
def contract(workflow_id):
    """Whatever the test says."""
    try:
        return BODIES[workflow_id](lambda name, act: engine.DBOS.run_step({"name": name}, act))
    finally:
        LEFT.set()


class Real:
    """DBOS over a file: each call is a runner's life of its own."""

    def __init__(self, folder):
        self._ledger = folder / "ledger.sqlite"

    def carry_out(self, workflow_id, body):
        BODIES[workflow_id] = body
        LEFT.clear()
        with launched(self._ledger):
            known = engine.DBOS.get_workflow_status(workflow_id)
            if known is None:
                with engine.SetWorkflowID(workflow_id):
                    engine.DBOS.start_workflow(contract, workflow_id)
            elif known.status == "PENDING":
                engine.DBOS.resume_workflow(workflow_id)
            if known is None or known.status == "PENDING":
                assert LEFT.wait(30)
            until = time.monotonic() + 2
            while (told := engine.DBOS.get_workflow_status(workflow_id)).status == "PENDING":
                if time.monotonic() > until:
                    raise Stopped
                time.sleep(0.05)
            return told.status, told.output


@pytest.fixture(params=["model", "DBOS"])
def ledger(request, tmp_path):
    """Something that carries out workflows durably."""
    return Model() if request.param == "model" else Real(tmp_path)


def life(ledger, body, workflow_id="one"):
    """A runner's life: status and output, or None if it was abandoned."""
    try:
        return ledger.carry_out(workflow_id, body)
    except Stopped:
        return None


class Acts:
    """Steps that note when they are carried out; one may be abandoned."""

    def __init__(self, *names):
        self.names, self.done, self.abandoned = names, [], None

    def body(self, run_step):
        return [run_step(name, lambda name=name: self.act(name)) for name in self.names]

    def act(self, name):
        self.done.append(name)
        if name == self.abandoned:
            raise Stopped
        return {"of": name, "number": len(self.done), "pair": (1, None), "text": "ünd\n"}


def test_what_was_recorded_is_not_carried_out_again_and_what_was_in_hand_is(ledger):
    """An abandoned workflow stays; the next life gets the recorded values, and begins with the step in hand."""
    acts = Acts("a", "b", "c")
    acts.abandoned = "b"
    assert life(ledger, acts.body) is None
    acts.abandoned = "c"
    assert life(ledger, acts.body) is None
    acts.abandoned = None
    status, output = life(ledger, acts.body)
    assert acts.done == ["a", "b", "b", "c", "c"]
    assert (status, [each["number"] for each in output]) == ("SUCCESS", [1, 3, 5])


def test_a_workflow_that_ended_is_not_begun_again(ledger):
    """It gives what came of it; another one knows nothing of it."""
    acts = Acts("a", "b")
    first = life(ledger, acts.body)
    assert life(ledger, acts.body) == first
    assert acts.done == ["a", "b"]
    assert life(ledger, acts.body, "two")[0] == "SUCCESS"
    assert acts.done == ["a", "b"] * 2


def test_values_come_back_as_json_has_them(ledger):
    """In the life that made them, too, once the workflow has ended: no tuple, text as it was."""
    _, output = life(ledger, Acts("a").body)
    assert output == [{"of": "a", "number": 1, "pair": [1, None], "text": "ünd\n"}]


def test_the_same_name_may_come_twice(ledger):
    """Steps are known by their position."""
    acts = Acts("a", "a", "a")
    acts.abandoned = "a"
    assert life(ledger, acts.body) is None
    acts.abandoned = None
    assert [each["number"] for each in life(ledger, acts.body)[1]] == [2, 3, 4]


def test_another_name_at_a_recorded_position_ends_the_workflow(ledger):
    """A step that was added, moved or renamed: nothing of it is carried out."""
    acts = Acts("a", "b")
    acts.abandoned = "b"
    assert life(ledger, acts.body) is None
    other = Acts("x", "b")
    assert life(ledger, other.body) == ("ERROR", None)
    assert other.done == []
