"""Two recoveries, or two operators with a state folder each, on one cloud: no second server, no lost one."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from laerecover.afterwards.adopt import adopt
from laerecover.afterwards.cleanup import cleanup
from laerecover.errors import Guarded, LaeRecoverError, StepFailed
from laerecover.instances.tags import client_token
from laerecover.mail.outbox import message_id
from laerecover.options import Selection
from laerecover.ports.services import ServerRow
from laerecover.runbook.runbook import ACTS, execute
from laerecover.runbook.values import DEPLOY, INSTALL, WAIT
from laerecover.state.opening import open_state, read_state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
UNFIT = {"server_nodeid": "b" * 32}


def outcomes(made):
    """Account -> outcome, in the manifest's order."""
    return [account["outcome"] for account in made.body["accounts"]]


def test_an_account_that_another_recovery_serves_is_blocked(operator, make_account, tmp_path):
    """A mended manifest with a fresh state folder launches the others alone.

    The row names instance, recovery, remedy.
    """
    first = operator(make_account(0))
    first.run()
    served = first.rows("instances")[0]["instance_id"]
    old = read_state(first.folder).recovery_id
    second = operator(make_account(0, customer_name="Mended"), make_account(1))
    second.world, second.file = first.world, first.file
    made = second.run(state=tmp_path / "fresh")
    assert outcomes(made) == ["blocked", "recovered"]
    assert made.exit_code == 3
    row = made.body["accounts"][0]
    for word in ("recovered_before", served, old, f"laerecover adopt MANIFEST --recovery {old}"):
        assert word in row["why"]
    assert [f["command"] for f in row["follow_ups"]] == [""], "nobody is told to accept a second server"
    assert len(first.rows("instances")) == 2
    second.world.world.compute.terminate(served)
    assert outcomes(second.run(state=tmp_path / "fresh")) == ["recovered", "recovered"]


def test_recoveries_begun_in_the_same_second_are_told_apart_by_what_they_recover(tmp_path):
    """The clock names none: another manifest is another recovery, with other client tokens, workflows and mails.

    The same manifest in two folders is one recovery on purpose, so that nothing is doubled.
    """
    at = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
    first, other, same = (
        open_state(tmp_path / name, mode="run", digest=digest, now=at).recovery_id
        for name, digest in (("first", "a" * 64), ("other", "b" * 64), ("same", "a" * 64))
    )
    assert first == same != other
    assert client_token(first, "lae-1", 1) == client_token(same, "lae-1", 1) != client_token(other, "lae-1", 1)
    ids = [message_id(each, "lae-1", "confirmation", 1, sender="a@example.org") for each in (first, other)]
    assert ids[0] != ids[1]
    assert first[:16] != other[:16], "the engine's workflows bear this much"


@pytest.mark.parametrize("manifests", ["alike", "unlike"])
def test_two_who_begin_in_one_folder_in_the_same_second_begin_one_recovery(tmp_path, manifests):
    """Who comes second takes what the first wrote, or is refused; never a second id in one folder."""
    at, gate, told = datetime(2026, 11, 27, 10, 0, tzinfo=UTC), threading.Barrier(8), []

    def begin(number):
        digest = f"{number if manifests == 'unlike' else 0}" * 64
        gate.wait()
        try:
            told.append(open_state(tmp_path / "state", mode="run", digest=digest, now=at).recovery_id)
        except LaeRecoverError as error:
            told.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun = {each for each in told if isinstance(each, str)}
    assert len(told) == 8
    assert begun == {read_state(tmp_path / "state").recovery_id}


@pytest.mark.parametrize("mode", ["run", "drill"])
def test_a_launch_looks_for_other_recoveries_first(make_bench, mode):
    """What came after the plan is found right before the launch; an instance of a drill counts for drills alone."""
    bench = make_bench()
    other = replace(bench.work, recovery_id="o" * 64)
    known = {DEPLOY: execute(DEPLOY, other).values}
    launched = known[DEPLOY]["instance_id"]
    while not bench.work.world.compute.find({}):
        execute(
            WAIT,
            replace(other, known=known),
        )
    effect = execute(DEPLOY, replace(bench.work, mode=mode))
    if mode == "drill":
        assert (effect.kind, launched in effect.message, "o" * 64 in effect.message) == ("recovered_before", True, True)
    assert len(bench.rows("instances")) == (1 if mode == "drill" else 2)


def test_a_run_leaves_the_instances_of_a_drill_alone(operator, make_account):
    """Of the same manifest, hence of the same recovery id: neither taken over, nor adopted, nor cleaned up."""
    someone = operator(make_account(0))
    someone.run()
    with someone.file.change() as db:
        db.execute(
            "UPDATE instances SET tags = replace(tags, '\"run\"', '\"drill\"'), client_token = 'd', instance_id = 'i-d'"
        )
    drilled = someone.rows("instances")[0]["instance_id"]
    again = operator(make_account(0))
    again.world, again.file = someone.world, someone.file
    folder = someone.folder.with_name("other")
    with pytest.raises(LaeRecoverError, match="0 recoveries"):
        adopt(again.options(state=folder), recovery=None, stop=again.stop, worlds=again.worlds)
    assert again.run(state=folder).number("recovered") == 1
    alive = {row["instance_id"] for row in again.rows("instances") if row["state"] == "running"}
    assert len(alive) == 2
    assert cleanup(again.options(state=folder), stop=again.stop, confirm=lambda *_: True, worlds=again.worlds) == []
    assert drilled in alive


def test_cleanup_keeps_what_another_operator_recovered(operator, make_account, tmp_path):
    """By its tag, though this state knows the account as failed, and though its own serverinfo.csv is empty."""
    someone = operator(make_account(0, **UNFIT))
    assert someone.run().number("failed") == 1
    instance_id = someone.rows("instances")[0]["instance_id"]
    ask = {"stop": someone.stop, "confirm": lambda *_: False, "worlds": someone.worlds}
    with pytest.raises(Guarded, match="not confirmed"):
        cleanup(someone.options(), **ask)
    someone.world.world.compute.tag(instance_id, {"lae-recovered": "2026-11-22T18:00:00+00:00"})
    assert cleanup(someone.options(), **ask) == []


def refuse(work):
    """A step that fails before anything is recorded."""
    raise StepFailed("as the test wants it", kind="command_failed")


def test_cleanup_keeps_what_another_operator_recorded(operator, make_account, monkeypatch):
    """A row of the register that this state's own round did not write."""
    someone = operator(make_account(0))
    with monkeypatch.context() as patch:
        patch.setitem(ACTS, INSTALL, refuse)
        assert someone.run().number("failed") == 1
    ask = {"stop": someone.stop, "confirm": lambda *_: False, "worlds": someone.worlds}
    with pytest.raises(Guarded, match="not confirmed"):
        cleanup(someone.options(), **ask)
    row, told = someone.rows("instances")[0], {"recorded_at": "2026-11-22T18:00:00Z"}
    told |= {name: row[name] for name in ("launch_time", "instance_id", "public_host")}
    someone.world.world.register.append(ServerRow(**told))
    assert cleanup(someone.options(), **ask) == []


def test_a_recovered_instance_bears_its_tag(operator, make_account):
    """So that other state folders see it."""
    someone = operator(make_account(0))
    someone.run()
    assert "lae-recovered" in someone.rows("instances")[0]["tags"]


def test_cleanup_leaves_what_another_state_launched_unless_all_is_said(operator, make_account, tmp_path):
    """Another operator may be building it at this moment."""
    someone = operator(make_account(0, **UNFIT))
    someone.run()
    with someone.file.change() as db:
        db.execute("DELETE FROM serverinfo")
    folder = tmp_path / "elsewhere"
    adopt(someone.options(state=folder), recovery=None, stop=someone.stop, worlds=someone.worlds)
    ask = {"stop": someone.stop, "worlds": someone.worlds}
    with pytest.raises(Guarded, match="another operator may be at work"):
        cleanup(someone.options(state=folder), confirm=lambda *_: True, **ask)
    seen = []
    ended = cleanup(
        someone.options(state=folder), confirm=lambda found, word: not seen.extend(found), everyones=True, **ask
    )
    assert ended == seen
    assert "another operator may be at work" in ended[0].holds
    assert someone.rows("instances")[0]["state"] == "terminated"


def test_a_host_that_was_ended_is_not_waited_for(make_bench):
    """install_server asks the cloud about a host that does not answer, and the runbook goes on with a successor."""
    bench, ended = make_bench(), []
    perform = bench.perform

    def ending(step, attempt, known, failure):
        if step == INSTALL and not ended:
            ended.append(known[DEPLOY]["instance_id"])
            bench.work.world.compute.terminate(ended[0])
        return perform(step, attempt, known, failure)

    bench.perform = ending
    assert bench.recover()["outcome"] == "recovered"
    died = [e for e in bench.effects if e.kind == "instance_died"]
    assert [(e.step, ended[0] in e.message) for e in died] == [(INSTALL, True)]
    assert [r["state"] for r in bench.rows("instances") if r["instance_id"] != ended[0]] == ["running"]


def test_an_instance_that_somebody_stops_in_mid_install_is_not_waited_for(make_bench):
    """Its host does not answer any more: install_server asks the cloud, and says so at once."""
    bench = make_bench()
    perform, stopped = bench.perform, []

    def stopping(step, attempt, known, failure):
        if step == INSTALL and not stopped:
            stopped.append(known[DEPLOY]["instance_id"])
            with bench.file.change() as db:
                db.execute("UPDATE instances SET state = 'stopped'")
        return perform(step, attempt, known, failure)

    bench.perform = stopping
    assert bench.recover()["outcome"] == "failed"
    (failed,) = [e for e in bench.effects if e.step == INSTALL]
    assert failed.kind == "instance_stopped"
    assert f"{stopped[0]} is stopped, so it does not answer; start it, or terminate it" in failed.message


def test_a_stopped_instance_is_said_to_be_stopped(make_bench):
    """Nobody waits ten minutes for the addresses that it will not get."""
    bench = make_bench()
    known = {DEPLOY: bench.perform(DEPLOY, 1, {}, "").values}
    with bench.file.change() as db:
        db.execute("UPDATE instances SET state = 'stopped', hidden = 0")
    effect = bench.perform(WAIT, 1, known, "")
    assert effect.kind == "instance_stopped"
    assert "start it, or terminate it" in effect.message


def test_evidence_that_could_not_be_left_starts_nothing(operator, make_account, tmp_path):
    """Found before the first launch, with the path and the option."""
    someone = operator(make_account(0))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LaeRecoverError, match="--evidence-out") as caught:
        someone.run(evidence_out=tmp_path / "file")
    assert caught.value.where == str(tmp_path / "file")
    assert someone.rows("instances") == []


def test_a_blank_reason_is_no_reason(operator, make_account):
    """--because of spaces is refused."""
    someone = operator(make_account(0))
    with pytest.raises(LaeRecoverError, match="needs a reason"):
        someone.run(accept=(make_account(0).account_id,), because="  ")


def test_a_doubt_outside_the_selection_does_not_decide_the_exit(operator, make_account, tmp_path):
    """It is named among what is left; `--only` another account ends with that account's own outcome."""
    someone = operator(make_account(0), make_account(1))
    someone.run(selection=Selection(first=1))
    other = tmp_path / "other"
    made = someone.run(state=other, selection=Selection(first=1))
    assert made.exit_code == 4
    made = someone.run(state=other, selection=Selection(only=("customer1@example.org",)))
    assert (outcomes(made), made.exit_code) == (["recovered", "recovered"], 0)
    assert any("ask whether the mail arrived" in f["do"] for f in made.body["accounts"][0]["follow_ups"])
