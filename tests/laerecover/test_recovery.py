"""`run` as an operator meets it, in a world that is not the twin's own drill."""

from __future__ import annotations

import json

import pytest

from laerecover.afterwards.notify import notify
from laerecover.errors import Guarded
from laerecover.manifest import Secret
from laerecover.planning.planner import plan
from laerecover.ports.compute import LaunchRequest
from laerecover.report.written import report

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def test_a_run_asks_whether_the_old_servers_are_gone(operator, make_account):
    """GONE ones are recovered; one that still runs is blocked, and the exit code says a guard stopped it."""
    someone = operator(make_account(0), make_account(1, old_instance_id="i-later"))
    old = someone.world.world.compute.launch(
        LaunchRequest(
            client_token="old", tags={}, ami_image_id="a", instance_size="s", admin_keypair_name="k", security_group="g"
        )
    )
    with someone.file.change() as db:
        db.execute("UPDATE instances SET state = 'running', hidden = 0, instance_id = 'i-later'")
    assert old.instance_id
    made = someone.run()
    assert {a["customer"]: a["outcome"] for a in made.body["accounts"]} == {
        "customer0@example.org": "recovered",
        "customer1@example.org": "blocked",
    }
    assert made.exit_code == 3
    accepted = someone.run(accept=(make_account(1).account_id,), because="ended by hand")
    assert [a["outcome"] for a in accepted.body["accounts"]] == ["recovered", "recovered"]
    assert accepted.body["decisions"][make_account(1).account_id]["because"] == "ended by hand"


def test_an_unconfirmed_run_starts_nothing(operator, make_account):
    """Without a yes there is no launch; after everything is recovered nobody is asked."""
    someone = operator(make_account(0))
    with pytest.raises(Guarded, match="not confirmed"):
        someone.run(confirmed=False)
    assert someone.rows("instances") == []
    assert someone.run().exit_code == 0
    assert someone.run(confirmed=False).exit_code == 0


def test_selected_accounts_alone_are_touched(operator, make_account):
    """--first leaves the others alone, and a later run takes them without touching the first."""
    someone = operator(*(make_account(n) for n in range(3)))
    from laerecover.options import Selection

    first = someone.run(selection=Selection(first=1))
    assert (first.number("recovered"), first.number("left out"), first.exit_code) == (1, 2, 0)
    before = len(someone.rows("instances"))
    assert before == 1
    assert someone.run().number("recovered") == 3
    assert len(someone.rows("instances")) == 3


def test_a_failed_account_is_tried_again_by_the_next_run(operator, make_account, monkeypatch):
    """A failure is a round: the next run begins another and finds what the first one did."""
    someone = operator(make_account(0), make_account(1))
    register = type(someone.world.world.register)
    append = register.append
    with monkeypatch.context() as patch:
        patch.setattr(
            register,
            "append",
            lambda self, row: (
                (_ for _ in ()).throw(OSError(28, "No space left on device"))
                if row.public_host.endswith(".20")
                else append(self, row)
            ),
        )
        made = someone.run(canary=False)
    assert (made.number("recovered"), made.number("failed"), made.exit_code) == (1, 1, 1)
    assert "no space left on device" in next(a["why"] for a in made.body["accounts"] if a["outcome"] == "failed")
    again = someone.run()
    assert again.number("recovered") == 2
    assert sorted(a["rounds"] for a in again.body["accounts"]) == [1, 2]
    assert len(someone.rows("instances")) == 2


def test_max_instances_is_counted_before_each_launch(operator, make_account):
    """A limit that an earlier launch used up stops the next one, and the exit code says so."""
    someone = operator(*(make_account(n) for n in range(2)))
    from laerecover.options import Selection

    someone.run(selection=Selection(first=1), max_instances=1)
    second = make_account(1).customer_email
    first_done = [
        a["customer"]
        for a in report(someone.options(), someone.worlds)[1].body["accounts"]
        if a["outcome"] == "recovered"
    ]
    other = "customer0@example.org" if second in first_done else second
    made = someone.run(selection=Selection(only=(other,)), max_instances=1)
    assert made.exit_code == 3
    assert len(someone.rows("instances")) == 1


def test_the_report_of_a_run_counts_from_its_own_ledger(operator, make_account, tmp_path):
    """Launches come from the recorded effects; a held mail is a follow-up with its command."""
    someone = operator(make_account(0, server="GONE"))
    made = someone.run()
    account = made.body["accounts"][0]
    assert (account["instances_launched"], account["mails_sent"], account["mail"]) == (1, 0, "held")
    assert any("laerecover notify" in f["command"] for f in account["follow_ups"])
    assert json.loads((someone.folder / "report.json").read_text()) == made.body


def test_what_notify_shows_is_what_it_sends(operator, make_account):
    """Mails are shown with the furl masked, sent after a yes, once."""
    someone = operator(make_account(0), make_account(1, customer_keyinfo="PGP"))
    someone.run()
    shown = []

    def confirm(state, letters):
        shown.extend(letters)
        return True

    for _ in range(2):
        _, outcome, _ = notify(someone.options(), stop=someone.stop, confirm=confirm, worlds=someone.worlds)
        assert set(outcome.values()) == {"sent"}
    assert len(shown) == 2
    assert not any("canary" in letter.text for letter in shown)
    assert len(someone.rows("mailbox")) == 2


def test_mails_that_nobody_confirmed_stay_held(operator, make_account):
    """Without a yes nothing leaves."""
    someone = operator(make_account(0))
    someone.run()
    with pytest.raises(Guarded, match="nothing was sent"):
        notify(someone.options(), stop=someone.stop, confirm=lambda state, letters: False, worlds=someone.worlds)
    assert someone.rows("mailbox") == []


def test_a_plan_asks_nobody_and_hides_secrets(operator, make_account):
    """`plan` works without settings, and its accounts bear no secret."""
    someone = operator(make_account(0, user_token=Secret("canary")))
    made, _ = plan(someone.options(), worlds=someone.worlds)
    assert len(made.recover) == 1
    assert "canary" not in repr(made)
