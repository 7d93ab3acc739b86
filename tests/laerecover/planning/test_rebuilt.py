"""A server that somebody rebuilt by hand keeps its account from being launched, until a human decides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.errors import Guarded
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.refusals import Refusal
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.state.opening import read_state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def rebuild(someone, number=0, **tags):
    """The id of a server that somebody made with these tags; it runs, and shows itself."""
    request = LaunchRequest(
        client_token=f"by hand {number}",
        tags=tags,
        ami_image_id="a",
        instance_size="s",
        admin_keypair_name="k",
        security_group="g",
    )
    instance_id = someone.world.world.compute.launch(request).instance_id
    with someone.file.change() as db:
        db.execute("UPDATE instances SET state = 'running', hidden = 0 WHERE instance_id = ?", (instance_id,))
    return instance_id


def ours(someone):
    """How many instances of the recovery were launched."""
    return sum("lae-recovery" in row["tags"] for row in someone.rows("instances"))


def outcomes(made):
    return [account["outcome"] for account in made.accounts]


@pytest.mark.parametrize("tag", ["Bucket", "Name"])
def test_a_rebuilt_server_blocks_its_account_until_it_is_accepted(operator, make_account, tag):
    """Named with its id and the command; the others go on; the decision says about which instance, by whom, why."""
    someone = operator(make_account(0), make_account(1))
    value = make_account(0).bucket_name if tag == "Bucket" else make_account(0).customer_email
    served = rebuild(someone, **{tag: value})
    made = someone.run()
    assert (outcomes(made), made.exit_code, ours(someone)) == (["blocked", "recovered"], 3, 1)
    row = made.accounts[0]
    assert f"rebuilt: {served} (running, launched " in row["why"]
    (left,) = [f for f in row["follow_ups"] if f["do"] == "blocked"]
    assert f"--accept {make_account(0).account_id} --because" in left["command"]

    made = someone.run(accept=(make_account(0).account_id,), because="a test server, it has no keys")
    assert (outcomes(made), made.exit_code, ours(someone)) == (["recovered", "recovered"], 0, 2)
    decision = made.body["decisions"][make_account(0).account_id]
    assert (decision["living"], decision["because"]) == (served, "a test server, it has no keys")
    assert {"by", "at"} <= decision.keys()
    assert served in (someone.folder / "report.html").read_text()


def test_a_decision_is_about_the_servers_that_lived_then(operator, make_account, monkeypatch):
    """It holds when the same command is given again, and not for another server that somebody makes later."""
    someone = operator(make_account(0))
    first = rebuild(someone, 1, Bucket=make_account(0).bucket_name)

    def full(self, request):
        raise Refusal("VcpuLimitExceeded", kind="quota")

    with monkeypatch.context() as patch:
        patch.setattr(TwinCompute, "launch", full)
        made = someone.run(accept=(make_account(0).account_id,), because="it has no keys")
        assert (outcomes(made), made.exit_code) == (["failed"], 3)
        assert outcomes(someone.run()) == ["failed"], "tried again, for it was accepted"
    second = rebuild(someone, 2, Bucket=make_account(0).bucket_name)
    made = someone.run()
    assert outcomes(made) == ["blocked"]
    assert second in made.accounts[0]["why"]
    assert first not in made.accounts[0]["why"]
    assert someone.run(accept=(make_account(0).account_id,), because="neither has this one").exit_code == 0


def test_an_old_server_that_was_accepted_is_not_asked_about_twice(operator, make_account):
    """The running server of 2012 bears its own tags: a decision about it, however old, is one about it."""
    someone = operator(make_account(0, old_instance_id="i-later"))
    rebuild(someone, Bucket=make_account(0).bucket_name, Name=make_account(0).customer_email)
    with someone.file.change() as db:
        db.execute("UPDATE instances SET instance_id = 'i-later'")
    made = someone.run()
    assert outcomes(made) == ["blocked"]
    assert "its old server still runs" in made.accounts[0]["why"]
    folder = someone.folder
    state, account = read_state(folder), make_account(0, old_instance_id="i-later")
    said = state.decisions.accept(account, because="seen", by="me", now=made_at())
    replace(state, decisions=said).write()
    assert "living" not in json.loads((folder / "state.json").read_text())["accepted"][make_account(0).account_id]
    assert outcomes(someone.run()) == ["recovered"]


def made_at():
    """Any time."""
    from laerecover.options import now

    return now()


def test_our_own_servers_do_not_count(operator, make_account):
    """Called after the customer as in 2012, half made by a run that failed, they are gone on with."""
    someone = operator(make_account(0, customer_name="Eve\r\nBcc: mallory@example.net"), make_account(1))
    assert someone.run(name_tag="email", canary=False).number("failed") == 1
    made = someone.run(name_tag="email", canary=False)
    assert (made.number("failed"), made.number("blocked"), ours(someone)) == (1, 0, 2)


def test_a_cloud_that_does_not_say_starts_nothing(operator, make_account, monkeypatch):
    """No answer is no `no`."""
    someone = operator(make_account(0))

    def refuse(self, key, values):
        raise Refusal("UnauthorizedOperation", kind="ec2_refused")

    monkeypatch.setattr(TwinCompute, "tagged", refuse)
    with pytest.raises(Guarded, match="UnauthorizedOperation"):
        someone.run()
    assert ours(someone) == 0
