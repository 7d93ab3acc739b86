"""State folder and serverinfo.csv are both lost: the tags of living instances still tell that a customer may know."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from laerecover.afterwards.adopt import adopt
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import CONFIRMATION, FOREIGN, Outbox
from laerecover.planning.check import OTHER_STATE
from laerecover.planning.planner import plan
from laerecover.ports.compute import RECOVERED_TAG

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def lose(someone):
    """The machine on which the recovery ran, with all that lay there."""
    shutil.rmtree(someone.folder)
    with someone.file.change() as db:
        db.execute("DELETE FROM serverinfo")


def told(someone):
    """How many mails customers got."""
    return sum("customer" in row["recipient"] for row in someone.rows("mailbox"))


def letters(someone):
    return [mail for mail in Outbox(someone.folder / "outbox.sqlite").all() if mail.kind == CONFIRMATION]


def test_whoever_lost_state_and_rows_mails_nobody_twice(operator, make_account):
    """The plan names the instances and `adopt`; a run doubts the mails, launches nothing, and exits with 4."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    someone.run(mail="send")
    assert told(someone) == 2
    ids = {row["instance_id"] for row in someone.rows("instances")}
    lose(someone)
    made, obstacles = plan(someone.options(), worlds=someone.worlds, check=True)
    (seen,) = [each for each in obstacles if each.what == OTHER_STATE]
    assert (set(seen.instances), seen.blocks) == (ids, False)
    (note,) = [each for each in made.notes if "this state knows nothing of it" in each]
    assert all(word in note for word in (*ids, first.account_id, "recovered", "laerecover adopt", "in doubt"))
    done = someone.run(mail="send")
    assert (done.number("recovered"), done.exit_code) == (2, 4)
    assert {mail.state for mail in letters(someone)} == {"in_doubt"}
    assert told(someone) == 2
    assert {row["instance_id"] for row in someone.rows("instances")} == ids
    _, obstacles = plan(someone.options(), worlds=someone.worlds, check=True)
    assert [each for each in obstacles if each.what == OTHER_STATE] == [], "what it has taken over it knows"


def test_adopt_takes_a_state_in_which_nothing_was_begun(operator, make_account):
    """A plan has made the folder, and names `adopt`: that must do then."""
    someone = operator(make_account(0))
    someone.run(mail="send")
    lose(someone)
    plan(someone.options(), worlds=someone.worlds, check=True)
    state, found = adopt(someone.options(), recovery=None, stop=someone.stop, worlds=someone.worlds)
    assert (len(found), state.started_at is not None) == (1, True)
    assert [mail.state for mail in letters(someone)] == ["in_doubt"]
    assert someone.run(mail="send").exit_code == 4
    assert told(someone) == 1


def test_a_runner_that_dies_before_it_doubts_sends_nothing_later(operator, make_account, monkeypatch):
    """The mail is prepared, then in doubt: between them the runner is killed."""
    someone = operator(make_account(0))
    someone.run(mail="send")
    lose(someone)

    def killed(self, *given, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Outbox, "move", killed)
        someone.run(mail="send")
    assert [mail.state for mail in letters(someone)] == ["prepared"]
    assert someone.run(mail="send").exit_code == 4
    assert told(someone) == 1


@pytest.mark.parametrize("tagged", [True, False])
def test_a_server_that_another_recovered_meanwhile_is_not_ours_to_tell_of(make_bench, tmp_path, tagged):
    """Its row lies in another machine's serverinfo.csv: the tag shows it, where this state has no word of its own."""
    bench = make_bench(mail="send")
    assert bench.recover()["outcome"] == "recovered"
    if tagged:
        (instance,) = bench.rows("instances")
        bench.work.world.compute.tag(instance["instance_id"], {RECOVERED_TAG: "2026-11-02T10:00:00+00:00"})
    with bench.file.change() as db:
        db.execute("DELETE FROM serverinfo")
    folder = tmp_path / "other"
    folder.mkdir()
    bench.effects.clear()
    bench.work = replace(
        bench.work, outbox=Outbox(folder / "outbox.sqlite"), vault=Vault(folder / "secrets", b"k" * 32)
    )
    assert bench.recover()["outcome"] == "recovered"
    (mail,) = [mail for mail in bench.work.outbox.all() if mail.kind == CONFIRMATION]
    assert (mail.state, mail.answer) == (("in_doubt", FOREIGN) if tagged else ("sent", mail.answer))
