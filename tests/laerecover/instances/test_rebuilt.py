"""A server that somebody rebuilt by hand keeps its account from being launched, until a human decides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.afterwards.verify import verify
from laerecover.errors import Guarded, LaeRecoverError
from laerecover.options import Selection
from laerecover.planning.planner import plan
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.refusals import Refusal
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.state.opening import read_state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


UNFIT = {"server_nodeid": "b" * 32}


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
    return [account["outcome"] for account in made.body["accounts"]]


@pytest.mark.parametrize("tag", ["Bucket", "Name"])
def test_a_rebuilt_server_blocks_its_account_until_it_is_accepted(operator, make_account, tag):
    """Named with its id and the command; the others go on; the decision says about which instance, by whom, why."""
    someone = operator(make_account(0), make_account(1))
    value = make_account(0).bucket_name if tag == "Bucket" else make_account(0).customer_email
    served = rebuild(someone, **{tag: value})
    made = someone.run()
    assert (outcomes(made), made.exit_code, ours(someone)) == (["blocked", "recovered"], 3, 1)
    row = made.body["accounts"][0]
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
        made = someone.run(accept=(f"{make_account(0).account_id}={first}",), because="it has no keys")
        assert (outcomes(made), made.exit_code) == (["failed"], 3)
        assert outcomes(someone.run()) == ["failed"], "tried again, for it was accepted"
    second = rebuild(someone, 2, Bucket=make_account(0).bucket_name)
    made = someone.run()
    assert outcomes(made) == ["blocked"]
    assert second in made.body["accounts"][0]["why"]
    assert first not in made.body["accounts"][0]["why"]
    assert someone.run(accept=(make_account(0).account_id,), because="neither has this one").exit_code == 0


def test_accepting_the_old_server_accepts_no_rebuilt_one_that_nobody_was_shown(operator, make_account):
    """Nor the other way round: whoever names one instance has decided about that one."""
    someone = operator(make_account(0, old_instance_id="i-a"))
    name, because = make_account(0).account_id, {"because": "it has no keys"}
    rebuild(someone, 1, Bucket="elsewhere")
    with someone.file.change() as db:
        db.execute("UPDATE instances SET instance_id = 'i-a'")
    second = rebuild(someone, 2, Bucket=make_account(0).bucket_name)
    made = someone.run(accept=(f"{name}={second}",), **because)
    assert "its old server still runs" in made.body["accounts"][0]["why"], "only the rebuilt one was named"
    third = rebuild(someone, 3, Name=make_account(0).customer_email)
    made = someone.run(accept=(name,), **because)
    assert (outcomes(made), ours(someone)) == (["blocked"], 0), "the old one was accepted, and what had been named"
    assert third in made.body["accounts"][0]["why"]
    assert second not in made.body["accounts"][0]["why"]
    fourth = rebuild(someone, 4, Name=make_account(0).customer_email)
    made = someone.run(accept=(name,), **because)
    assert (outcomes(made), third in made.accounts[0].why) == (["blocked"], False), "the third had been shown"
    plan(someone.options(), worlds=someone.worlds, check=True)
    assert outcomes(someone.run(accept=(name,), **because)) == ["recovered"], f"`plan --check` has shown {fourth}"


def test_an_instance_is_named_for_one_account_in_one_way(operator, make_account):
    """An address may hold an `=` of its own; what says two things at once, or names nobody, is refused."""
    equal = make_account(0, customer_email="a=i-0@example.org")
    someone = operator(equal)
    first, second = (rebuild(someone, n, Name="a=i-0@example.org") for n in range(2))
    for wrong in ([f"{equal.account_id}={first}", equal.account_id], [f"nobody={first}"], ["a=i-0"]):
        with pytest.raises(LaeRecoverError):
            someone.run(accept=tuple(wrong), because="no keys")
    both = tuple(f"a=i-0@example.org={each}" for each in (first, second))
    assert outcomes(someone.run(accept=both, because="no keys")) == ["recovered"]


def test_a_decision_is_taken_back(operator, make_account):
    """Nothing behind the `=`: what was accepted blocks again; the report says who took it back."""
    someone, name = operator(make_account(0, **UNFIT)), make_account(0).account_id
    served = rebuild(someone, Bucket=make_account(0).bucket_name)
    assert outcomes(someone.run(accept=(f"{name}={served}",), because="no keys")) == ["failed"]
    made = someone.run(accept=(f"{name}=",), because="it has keys after all")
    assert (outcomes(made), served in made.body["accounts"][0]["why"]) == (["blocked"], True)
    assert "taken back by" in (someone.folder / "report.html").read_text()
    assert outcomes(someone.run()) == ["blocked"]


@pytest.mark.parametrize("begun", [True, False])
def test_a_no_leaves_the_state_as_it_was(operator, make_account, begun):
    """Neither decision, nor --new-identity, nor what EC2 said is written before the plan is confirmed."""
    someone = operator(make_account(0, old_instance_id="i-a"), make_account(1))
    served = rebuild(someone, Bucket=make_account(0).bucket_name)
    if begun:
        someone.run(selection=Selection(only=(make_account(1).account_id,)))
    else:
        plan(someone.options(), worlds=someone.worlds)
    before = content(someone.folder)
    said = {"not_dialled": True, "because": "no keys", "new_identity": not begun}
    for accept in (make_account(0).account_id, f"{make_account(0).account_id}={served}"):
        with pytest.raises(Guarded, match="not confirmed"):
            someone.run(confirmed=False, accept=(accept,), **said)
        assert content(someone.folder) == before


def content(folder):
    """File -> bytes, but for the lock, which names its latest holder."""
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "lock"}


def test_an_old_server_that_was_accepted_is_not_asked_about_twice(operator, make_account):
    """The running server of 2012 bears its own tags: a decision about it, however old, is one about it."""
    someone = operator(make_account(0, old_instance_id="i-later"))
    rebuild(someone, Bucket=make_account(0).bucket_name, Name=make_account(0).customer_email)
    with someone.file.change() as db:
        db.execute("UPDATE instances SET instance_id = 'i-later'")
    made = someone.run()
    assert outcomes(made) == ["blocked"]
    assert "its old server still runs" in made.body["accounts"][0]["why"]
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


def test_a_server_that_is_rebuilt_during_the_run_gets_no_second_one(operator, make_account, monkeypatch):
    """It is asked for just before each launch, in the deploy step, whatever was seen before the first."""
    someone, launch = operator(make_account(0), make_account(1)), TwinCompute.launch

    def meanwhile(self, request):
        made = launch(self, request)
        if request.tags.get("lae-account") == make_account(0).account_id:
            someone.served = rebuild(someone, Name=make_account(1).customer_email.upper())
        return made

    with monkeypatch.context() as patch:
        patch.setattr(TwinCompute, "launch", meanwhile)
        made = someone.run()
    assert (outcomes(made), ours(someone)) == (["recovered", "failed"], 1)
    assert f"--accept ACCOUNT={someone.served}" in made.body["accounts"][1]["why"]
    assert [s["kind"] for s in made.body["accounts"][1]["steps"] if not s["ok"]][:1] == ["rebuilt"]
    assert outcomes(someone.run()) == ["recovered", "blocked"]
    named = f"{make_account(1).account_id}={someone.served}"
    assert outcomes(someone.run(accept=(named,), because="no keys")) == ["recovered", "recovered"]


def test_a_server_that_is_rebuilt_after_the_recovery_is_told_of(operator, make_account):
    """`plan --check` and `verify` name it; nothing is blocked by it, and what was accepted is no news."""
    someone = operator(make_account(0), make_account(1))
    someone.run()

    def told():
        made, obstacles = plan(someone.options(), worlds=someone.worlds, check=True)
        asked = verify(someone.options(), stop=someone.stop, worlds=someone.worlds)
        return made, obstacles, [c for c in asked if c.what == "other servers"]

    made, obstacles, checks = told()
    assert ([o.what for o in obstacles if o.what == "rebuilt"], [c.ok for c in checks]) == ([], [True, True])
    served, name = rebuild(someone, Bucket=make_account(0).bucket_name), make_account(0).account_id
    made, obstacles, checks = told()
    (seen,) = (o for o in obstacles if o.what == "rebuilt")
    assert (seen.blocks, seen.instances, made.accounts[0].action) == (False, (served,), "recover")
    assert name in seen.message
    assert [(c.account_id, c.ok, served in c.said) for c in checks if not c.ok] == [(name, False, True)]
    assert outcomes(someone.run(accept=(f"{name}={served}",), because="no keys")) == ["recovered", "recovered"]
    assert [c.ok for c in told()[2]] == [True, True]


def test_our_own_servers_do_not_count(operator, make_account):
    """Called after the customer as in 2012, half made by a run that failed, they are gone on with."""
    someone = operator(make_account(0, **UNFIT), make_account(1))
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
