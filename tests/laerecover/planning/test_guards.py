"""What stops a run before it does harm, and how it goes on afterwards."""

from __future__ import annotations

import shutil
from collections import namedtuple
from dataclasses import replace

import pytest

import laerecover.runbook.engine
from laerecover.afterwards.adopt import adopt
from laerecover.afterwards.cleanup import cleanup
from laerecover.errors import Guarded, LaeRecoverError
from laerecover.mail.letters import PRICES
from laerecover.options import Selection
from laerecover.planning.planner import plan
from laerecover.ports.refusals import Refusal
from laerecover.rehearsal.twin.compute import TwinCompute

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

UNFIT = {"server_nodeid": "b" * 32}


@pytest.fixture
def many(make_account):
    """So many accounts; with `unfit` none has the key that its node id tells, so that each fails after its launch."""
    return lambda count, *, unfit=False: [make_account(n, **(UNFIT if unfit else {})) for n in range(count)]


def test_a_failing_canary_keeps_the_others_in(operator, many):
    """The first account alone is launched; the report says why, and exits 3; --no-canary goes on."""
    someone = operator(*many(4, unfit=True))
    made = someone.run()
    assert (made.number("failed"), made.number("not started"), made.exit_code) == (1, 3, 3)
    assert "--no-canary" in made.body["stopped"]
    assert len(someone.rows("instances")) == 1
    someone.run(canary=False, max_failures=99)
    assert len(someone.rows("instances")) == 4


def test_a_canary_alone_keeps_nobody_in(operator, many):
    """One account was wanted, and failed: that is its failure, no guard's word about others."""
    someone = operator(*many(2, unfit=True))
    made = someone.run(only=(many(1)[0].account_id,))
    assert (made.number("failed"), made.number("left out"), made.exit_code) == (1, 1, 1)
    assert made.body["stopped"] == ""


def test_a_canary_that_arrives_lets_the_others_out(operator, many):
    """Nobody else is launched before it is recovered; once somebody is, a resumed run needs no other canary."""
    someone = operator(*many(3))
    made = someone.run()
    assert (made.number("recovered"), made.exit_code, made.body["stopped"]) == (3, 0, "")
    effects = [(row["effect"], row["subject"]) for row in someone.rows("effects")]
    launches = [number for number, (effect, _) in enumerate(effects) if effect == "launch"]
    canary_recorded = next(number for number, (effect, _) in enumerate(effects) if effect == "serverinfo")
    assert launches[0] < canary_recorded < launches[1]


def test_a_failure_budget_stops_what_was_not_started(operator, many):
    """After N failures nothing else is started: one cause must not fail them all."""
    someone = operator(*many(5, unfit=True))
    made = someone.run(canary=False, concurrency=1, max_failures=2)
    assert (made.number("failed"), made.number("not started"), made.exit_code) == (2, 3, 3)
    assert "--max-failures is 2" in made.body["stopped"]


def test_a_quota_stops_the_launches_and_is_forgotten_when_it_is_raised(operator, many, monkeypatch):
    """What fits is kept, EC2 is not asked again and again, exit 3; with a larger quota the same command goes on."""
    someone, asked = operator(*many(5)), []
    launch = TwinCompute.launch

    def refuse(self, request):
        asked.append(request.client_token)
        if len(set(asked)) > 2:
            raise Refusal("VcpuLimitExceeded", kind="quota")
        return launch(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(TwinCompute, "launch", refuse)
        made = someone.run(concurrency=1)
    assert (made.number("recovered"), made.exit_code) == (2, 3)
    assert "2 instances of this recovery fit" in made.body["stopped"]
    assert len(set(asked)) == 3
    assert someone.run().number("recovered") == 5
    assert len(someone.rows("instances")) == 5


def test_a_new_identity_is_for_the_whole_recovery(operator, many):
    """No key comes back, the plan says the price, a resumed run keeps it, and it cannot be asked for half-way."""
    someone = operator(*many(2))
    planned, _ = plan(someone.options(new_identity=True), worlds=someone.worlds)
    assert {a.restores for a in planned.accounts} == {()}
    assert {a.price for a in planned.accounts} == {PRICES["NEW_STORAGE_IDENTITY"]}
    someone.run(selection=Selection(first=1), new_identity=True)
    made = someone.run()
    assert {a["grade"] for a in made.body["accounts"]} == {"NEW_STORAGE_IDENTITY"}
    old = {nodeid for a in many(2) for nodeid in (a.introducer_nodeid, a.server_nodeid)}
    assert not old & {row["tub_id"] for row in someone.rows("services")}
    other = operator(*many(2))
    other.world = someone.world
    with pytest.raises(LaeRecoverError, match="without --new-identity"):
        state = other.folder.with_name("other")
        other.run(state=state, selection=Selection(first=1))
        other.run(state=state, new_identity=True)


def test_settings_that_changed_since_the_plan_need_another_look(operator, many, monkeypatch, tmp_path):
    """With --yes nobody looks: another image than the one that was shown starts nothing."""
    someone = operator(*many(1))
    settings = tmp_path / "any.toml"
    plan(someone.options(settings=settings), worlds=someone.worlds)
    other = someone.options().read_settings().changed(ec2={"images": {"ami-11111111": "ami-99999999"}})
    monkeypatch.setattr(type(someone.options()), "read_settings", lambda self: other)
    with pytest.raises(Guarded, match="not the one that was shown"):
        someone.run(settings=settings, asked=False)
    assert someone.rows("instances") == []
    plan(someone.options(settings=settings), worlds=someone.worlds)
    assert someone.run(settings=settings, asked=False).exit_code == 0


class Buckets:
    """A store in which one account's keys open nothing."""

    def __init__(self, closed):
        self._closed = closed

    def listing(self, account):
        if account.account_id == self._closed:
            raise Refusal("AccessDenied", kind="data_unreachable")
        return iter([("shares/aa/bbbb/0", 1, "tag", "2014-01-01T00:00:00+00:00")])


def test_an_account_without_data_is_not_launched(operator, many):
    """Its bucket is asked with its own keys before any launch; the others are recovered, and the exit code is 3."""
    accounts = many(3)
    someone = operator(*accounts)
    someone.world = replace(someone.world, world=replace(someone.world.world, store=Buckets(accounts[1].account_id)))
    made = someone.run()
    assert (made.number("recovered"), made.number("blocked"), made.exit_code) == (2, 1, 3)
    assert "DATA_UNREACHABLE" in next(a["why"] for a in made.body["accounts"] if a["outcome"] == "blocked")
    assert len(someone.rows("instances")) == 2


def test_a_cloud_that_lacks_something_starts_nothing(operator, many, monkeypatch):
    """What would fail every launch is found before the first."""
    someone = operator(*many(2))
    monkeypatch.setattr(TwinCompute, "room", lambda self, size: 0)
    with pytest.raises(Guarded, match="quota"):
        someone.run()
    assert someone.rows("instances") == []


def test_a_full_disk_begins_nothing(operator, many, monkeypatch):
    """What cannot be written down is not done; with room again the same command goes on."""
    someone = operator(*many(2))
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(laerecover.runbook.engine.shutil, "disk_usage", lambda path: usage(1, 1, 0))
        with pytest.raises(Guarded, match="disk is full"):
            someone.run()
    assert someone.rows("instances") == []
    someone.stop.clear()
    assert someone.run().number("recovered") == 2


def test_a_lost_state_is_made_anew_from_tags(operator, many):
    """`adopt` finds the recovery by its instances, doubts the mails, and `run` doubles nothing."""
    someone = operator(*many(2))
    someone.run()
    before = {row["instance_id"] for row in someone.rows("instances")}
    shutil.rmtree(someone.folder)
    state, found = adopt(someone.options(), recovery=None, stop=someone.stop, worlds=someone.worlds)
    assert {each.instance_id for each in found} == before
    made = someone.run()
    assert (made.number("recovered"), made.exit_code) == (2, 4)
    assert made.body["recovery_id"] == state.recovery_id
    assert {row["instance_id"] for row in someone.rows("instances")} == before
    assert len(someone.rows("serverinfo")) == 2
    with pytest.raises(LaeRecoverError, match="state already"):
        adopt(someone.options(), recovery=None, stop=someone.stop, worlds=someone.worlds)


def test_two_operators_with_two_folders_double_nothing(operator, many, tmp_path):
    """The second finds the first one's instances by their tags; it cannot know of mails, so they are in doubt."""
    someone = operator(*many(2))
    someone.run(mail="send")
    made = someone.run(state=tmp_path / "elsewhere", mail="send")
    assert (made.number("recovered"), made.exit_code) == (2, 4)
    assert len(someone.rows("instances")) == len(someone.rows("serverinfo")) == 2
    customers = [row["message_id"] for row in someone.rows("mailbox") if "customer" in row["recipient"]]
    assert len(customers) == len(set(customers)) == 2


def test_half_made_instances_end_on_a_typed_word(operator, many, make_account):
    """Listed with what they hold, never one of a recovered account, and only for the very word that was shown."""
    someone = operator(make_account(0), make_account(1, **UNFIT))
    someone.run(canary=False)
    seen = []

    def confirm(found, word):
        seen.append((found, word))
        return len(seen) > 1

    with pytest.raises(Guarded, match="nothing was ended"):
        cleanup(someone.options(), stop=someone.stop, confirm=confirm, worlds=someone.worlds)
    ended = cleanup(someone.options(), stop=someone.stop, confirm=confirm, worlds=someone.worlds)
    assert [each.account_id for each in ended] == [make_account(1).account_id]
    assert "may hold the account's keys" in ended[0].holds
    assert seen[0] == seen[1]
    states = {row["account_id"]: row["state"] for row in someone.rows("instances")}
    assert states == {make_account(0).account_id: "running", make_account(1).account_id: "terminated"}
    assert cleanup(someone.options(), stop=someone.stop, confirm=confirm, worlds=someone.worlds) == []


def test_the_time_of_the_disaster_is_a_time(operator, many):
    """UTC unless it says otherwise; anything else is refused when it is given, not when it is needed."""
    someone = operator(*many(1))
    times = ("2014-11-02", "2014-11-02T00:00:00+00:00", "2014-11-02T01:00+01:00")
    assert len({someone.options(disaster_at=time).lost_at for time in times}) == 1
    assert someone.options().lost_at is None
    with pytest.raises(LaeRecoverError, match="'yesterday' is no time"):
        someone.options(disaster_at="yesterday")
    with pytest.raises(LaeRecoverError, match="is still to come"):
        someone.options(disaster_at="2999-01-01")
