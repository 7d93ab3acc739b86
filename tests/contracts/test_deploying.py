"""deploy_EC2_instance and wait_for_EC2_addresses against the rig's cloud.

One account, one living instance, whatever happens.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from laerecover.adapters.clock import SystemClock
from laerecover.adapters.ec2 import Ec2Compute
from laerecover.hosts.host_keys import derive_host_key
from laerecover.instances.tags import client_token, tags_of
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account, Secret
from laerecover.ports.refusals import Refusal
from laerecover.ports.world import World
from laerecover.rehearsal.rig.faults import FaultRule, RigFaults, read_faults
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.runbook.runbook import execute, recover
from laerecover.runbook.values import DEPLOY, STEPS, WAIT, Effect
from laerecover.runbook.work import Work
from laerecover.sections import Fallback, Waits
from laerecover.settings import drill_settings

DEPLOYING = (DEPLOY, WAIT)
YESTERDAY = "e9acd7f84a168027756f0118a81b25ef520c8b1f4b3eb74085f4e0a3a728a1fd"
QUICK = Waits(address_poll=15.0, address_deadline=600.0)


class Deploying:
    """The first two steps of the runbook on a cloud with faults, or on the twin's `compute`.

    The others go well by themselves.
    """

    def __init__(self, cloud, vault, tmp_path, compute=None, **settings):
        image, _ = cloud.prepare(key_name="drill", public_key=cloud.public_key)
        clock = SystemClock(threading.Event(), pace=0.0005)
        values = {"endpoint": cloud.endpoint, "image": image, "size": "t3.micro", **settings}
        self.settings = drill_settings(Path()).changed(ec2=values, waits=QUICK)
        self.compute = compute or Ec2Compute(self.settings, clock)
        world = World(
            compute=self.compute, hosts=None, mailer=None, register=None, monitoring=None, clock=clock, store=None
        )
        self.work = Work(
            account=Account(account_id="lae-1", verdict="RECOVERABLE", customer_email="customer@example.org"),
            recovery_id="r" * 64,
            mode="run",
            world=world,
            settings=self.settings,
            vault=vault,
            outbox=Outbox(tmp_path / "outbox.sqlite"),
        )
        self.ledger = []

    def perform(self, step, attempt, known, failure):
        """As the runner does."""
        if step not in DEPLOYING:
            return Effect(step=step, ok=True)
        effect = execute(step, replace(self.work, attempt=attempt, known=dict(known), failure=failure))
        self.ledger.append(effect)
        return effect

    def recover(self):
        """One round; the values of both steps, or the first failure."""
        outcome = recover(self.perform, listen_tries=2)
        if outcome.outcome == "recovered":
            return {**self.ledger[-2].values, **self.ledger[-1].values}
        return outcome.failures[0].body


@pytest.fixture
def make(cloud, vault, tmp_path):
    """An empty cloud with these faults, and an account to be deployed on it."""

    def making(faults=None, **settings):
        cloud.reset(faults or RigFaults())
        return Deploying(cloud, vault, tmp_path, **settings)

    return making


def living(cloud):
    """What runs, or will."""
    return [launch for launch in cloud.launches if launch.state != "terminated"]


def test_the_steps_stand_where_they_are_expected():
    """These are the first two of the runbook."""
    assert STEPS[:2] == DEPLOYING


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_dice_bring_there_is_one_instance(cloud, make, seed):
    """Throttling, lost answers, errors, late knowledge: one instance, with the addresses that it really has."""
    told = make(read_faults(f"seed:{seed}")).recover()
    assert [launch.address for launch in cloud.launches] == [told["public_host"]]


def test_a_runner_that_forgets_everything_finds_its_instance_again(cloud, make):
    """Killed before it could record: the same token, or the tags, lead to the same instance.

    The values are the same.
    """
    first = make(RigFaults(unknown=2, rules=[FaultRule(call="RunInstances", fault="reset_after", at=(1,))]))
    told = first.recover()
    again = first.recover()
    assert len(cloud.launches) == 1
    assert again == told


def test_the_instance_is_tagged_in_the_launch_itself(cloud, make):
    """No orphan: recovery, account, mode; the customer's e-mail only where the settings want it."""
    make().recover()
    tags = {tag["key"]: tag["value"] for tag in cloud.launches[0].instance.get_tags()}
    assert {k: tags[k] for k in ("lae-recovery", "lae-account", "lae-mode")} == {
        "lae-recovery": "r" * 64,
        "lae-account": "lae-1",
        "lae-mode": "run",
    }
    assert "customer@example.org" not in tags.values()
    make(name_tag="email").recover()
    tags = {tag["key"]: tag["value"] for tag in cloud.launches[0].instance.get_tags()}
    assert tags["Name"] == "customer@example.org"


def test_who_may_not_tag_launches_nothing(cloud, make):
    """EC2 refuses launch and tags together: named with its remedy, nothing is left that nobody would find."""
    first = make(RigFaults(rules=[FaultRule(call="RunInstances", fault="untagged")]))
    failure = first.recover()
    assert failure["kind"] == "ec2_refused"
    assert "not authorized to perform: ec2:CreateTags" in failure["message"]
    assert "let the operator's key do ec2:RunInstances and, for what it launches, ec2:CreateTags" in failure["message"]
    assert cloud.launches == []
    cloud.faults.rules = ()
    assert first.recover()["public_host"] == cloud.launches[0].address


def test_settings_changed_after_an_unseen_launch_make_no_second_instance(cloud, make):
    """Same token, other bytes: the mismatch proves that there is one, and its tags will show it."""
    first = make(
        RigFaults(unknown=3, rules=[FaultRule(call="DescribeInstances", fault="UnauthorizedOperation", at=(2,))])
    )
    assert first.recover()["kind"] == "ec2_refused"
    first.work = replace(first.work, settings=first.settings.changed(ec2={"name_tag": "email"}))
    told = first.recover()
    assert [launch.instance_id for launch in cloud.launches] == [told["instance_id"]]


def user_data_of_yesterday(vault, token):
    """As it was before the login user stood in it; the digest was told by the program of that day."""
    key = derive_host_key(vault, token, "boot")
    indented = key.private.reveal().rstrip("\n").replace("\n", "\n    ")
    text = (
        "#cloud-config\nssh_deletekeys: true\nssh_keys:\n"
        f"  ed25519_private: |\n    {indented}\n  ed25519_public: {key.public}\n"
    )
    assert hashlib.sha256(text.encode()).hexdigest() == YESTERDAY
    return Secret(text)


@pytest.fixture(params=["twin", "ec2"])
def either(request, make):
    """Deploying on either cloud; `hide(questions)`: so many questions find nothing yet of what was launched."""
    if request.param == "ec2":
        cloud, deploying = request.getfixturevalue("cloud"), make()

        def hide(questions):
            (launch,) = cloud.launches
            launch.unknown = questions
            launch.instance.ec2_backend.reservations.pop(launch.reservation.id, None)

        return deploying, hide
    file = request.getfixturevalue("twin_file")

    def hide_in_twin(questions):
        with file.change() as db:
            assert db.execute("UPDATE instances SET hidden = ?", (questions,)).rowcount == 1

    return make(compute=TwinCompute(file)), hide_in_twin


def test_a_launch_that_an_older_version_began_is_gone_on_with(either, vault):
    """Killed after the launch, before it could record.

    EC2 knows that launch by the user data of that version, and the steps go on with its one instance. Which bytes it
    was launched with makes no difference in what they tell.
    """
    deploying, hide = either
    tags = {**tags_of("r" * 64, "lae-1"), "lae-mode": "run", "lae-generation": "1", "lae-attempt": "1"}
    token = client_token("r" * 64, "lae-1", 1)
    yesterday = user_data_of_yesterday(vault, token)
    request = replace(_some_request(deploying), client_token=token, tags=tags, user_data=yesterday)
    begun = deploying.compute.launch(request).instance_id
    hide(1000)
    effect = deploying.perform(DEPLOY, 1, {}, "")
    assert (effect.kind, effect.values.get("instance_id")) == ("", begun)
    hide(1)
    told = deploying.recover()
    assert {key: told[key] for key in effect.values} == effect.values
    assert told["boot_host_key"] == derive_host_key(vault, token, "boot").public
    with pytest.raises(Refusal) as caught:
        deploying.compute.launch(replace(request, user_data=derive_host_key(vault, token, "boot").user_data))
    assert caught.value.kind == "idempotent_mismatch", "today's bytes are others"


def test_a_dead_launch_of_an_older_version_has_a_successor(cloud, make, vault):
    """Its token is spent, which only the bytes of that version bring to light.

    The next generation is launched with today's.
    """
    deploying = make()
    token = client_token("r" * 64, "lae-1", 1)
    tags = {**tags_of("r" * 64, "lae-1"), "lae-mode": "run", "lae-generation": "1", "lae-attempt": "1"}
    known = {"client_token": token, "tags": tags, "user_data": user_data_of_yesterday(vault, token)}
    deploying.compute.terminate(deploying.compute.launch(replace(_some_request(deploying), **known)).instance_id)
    first = cloud.launches[0]
    first.unknown = 1000
    first.instance.ec2_backend.reservations.pop(first.reservation.id, None)
    told = deploying.recover()
    assert (told["generation"], len(living(cloud))) == (2, 1)
    assert "user: {name: ubuntu}" in cloud.launches[1].instance.user_data.decode()


def test_without_capacity_the_next_place_is_tried_and_recorded(cloud, make):
    """Each offer has a token of its own; the ledger says which were tried."""
    places = (Fallback(zone="us-east-1b"), Fallback(size="t3.small", zone="us-east-1c"))
    deploying, tokens = make(RigFaults(no_capacity=["us-east-1a", "t3.micro"]), fallbacks=places), []
    deploying.work = replace(deploying.work, permit_launch=tokens.append)
    told = deploying.recover()
    assert len(set(tokens)) == 3
    assert (told["size"], told["zone"], told["attempt"]) == ("t3.small", "us-east-1c", 3)
    assert [effect.kind for effect in deploying.ledger] == ["capacity", "capacity", "", ""]
    assert cloud.launches[0].instance.instance_type == "t3.small"
    assert deploying.perform(DEPLOY, 1, {}, "").values["client_token"] == told["client_token"]
    assert len(cloud.launches) == 1


def test_no_capacity_anywhere_fails_that_account_with_a_remedy(cloud, make):
    """After the last offer."""
    failure = make(RigFaults(no_capacity=["t3.micro"]), fallbacks=(Fallback(zone="us-east-1b"),)).recover()
    assert failure["kind"] == "no_capacity"
    assert "ec2.fallbacks" in failure["message"]
    assert cloud.launches == []


def test_a_full_quota_says_how_many_fit(make):
    """What is done stays; the kind stops the run."""
    deploying = make(RigFaults(vcpus=2))
    deploying.recover()
    deploying.work = replace(deploying.work, account=replace(deploying.work.account, account_id="lae-2"))
    failure = deploying.recover()
    assert failure["kind"] == "quota"
    assert "1 instances of this recovery fit" in failure["message"]


def test_an_instance_that_dies_before_it_is_ready_has_one_successor(cloud, make):
    """Generation 2 with another token; the old id stays in the ledger."""
    deploying = make(RigFaults(rules=[FaultRule(call="RunInstances", fault="dies", at=(1,))]))
    told = deploying.recover()
    first, second = cloud.launches
    assert (told["instance_id"], told["generation"]) == (second.instance_id, 2)
    assert told["former"] == [first.instance_id]
    assert deploying.ledger[0].values["instance_id"] == first.instance_id
    assert first.token != second.token


def test_instances_that_all_die_end_the_round(cloud, make):
    """Two lives, no more: a bad image would otherwise cost money for ever."""
    assert make(RigFaults(rules=[FaultRule(call="RunInstances", fault="dies")])).recover()["kind"] == "instance_died"
    assert len(cloud.launches) == 2


def test_why_an_instance_ended_is_told_and_twice_the_same_gets_no_third(cloud, make):
    """The reason in EC2's words; the next run launches nothing for it, unless another image or type is named."""
    deploying = make(RigFaults(rules=[FaultRule(call="RunInstances", fault="dies:Client.InternalError", at=(1, 2))]))
    failure = deploying.recover()
    assert failure["kind"] == "instance_died"
    assert "terminated (Client.InternalError: as the plan of faults wants it)" in failure["message"]
    failure = deploying.recover()
    assert (failure["kind"], len(cloud.launches)) == ("dies_alike", 2)
    assert all(launch.instance_id in failure["message"] for launch in cloud.launches)
    deploying.work = replace(deploying.work, settings=deploying.work.settings.changed(ec2={"size": "t3.small"}))
    told = deploying.recover()
    assert (told["generation"], len(cloud.launches)) == (3, 3)


@pytest.mark.parametrize(
    "reasons", [("Client.InternalError", "Server.InternalError"), ("Client.UserInitiatedShutdown",) * 2]
)
def test_different_reasons_or_somebody_s_doing_get_another(cloud, make, reasons):
    """Two deaths that have nothing in common, or that a human wanted."""
    rules = [FaultRule(call="RunInstances", fault=f"dies:{code}", at=(n,)) for n, code in enumerate(reasons, 1)]
    deploying = make(RigFaults(rules=rules))
    assert deploying.recover()["kind"] == "instance_died"
    assert deploying.recover()["generation"] == 3
    assert len(cloud.launches) == 3


def test_a_successor_waits_for_the_death(cloud, make):
    """While the old one is shutting down it may still hold the bucket."""
    deploying = make()
    deploying.recover()
    cloud.launches[0].instance._state.name = "shutting-down"
    deploying.work = replace(deploying.work, waiting=lambda what, seconds: die(cloud))
    assert deploying.recover()["generation"] == 2


def die(cloud):
    """The end, at last: not before somebody waited for it."""
    if cloud.launches[0].state == "shutting-down":
        assert len(cloud.launches) == 1
        cloud.launches[0].instance._state.name = "terminated"


def test_a_death_that_ec2_has_forgotten_still_counts(cloud, make):
    """EC2 shows the dead for an hour, but keeps their tokens.

    IdempotentInstanceTerminated leads to the next generation.
    """
    deploying = make()
    deploying.recover()
    deploying.compute.terminate(cloud.launches[0].instance_id)
    cloud.launches[0].unknown = 1000
    backend = cloud.launches[0].instance.ec2_backend
    del backend.reservations[cloud.launches[0].reservation.id]
    assert deploying.recover()["generation"] == 2


def test_two_living_instances_stop_the_account(cloud, make):
    """Somebody launched by hand, with our tags: a human decides."""
    deploying = make()
    deploying.recover()
    twin = {"client_token": "other", "tags": {"lae-recovery": "r" * 64, "lae-account": "lae-1"}}
    launched = deploying.compute.launch(replace(_some_request(deploying), **twin))
    failure = deploying.recover()
    assert failure["kind"] == "doubled"
    assert launched.instance_id in failure["message"]


def test_a_living_instance_of_another_recovery_keeps_the_launch_in(cloud, make):
    """A mended manifest is another recovery: its server on the same bucket would be the second.

    Once it is gone all is well.
    """
    deploying = make()
    served = deploying.recover()["instance_id"]
    deploying.work = replace(deploying.work, recovery_id="s" * 64)
    failure = deploying.recover()
    assert failure["kind"] == "recovered_before"
    assert served in failure["message"]
    assert "r" * 64 in failure["message"]
    assert len(cloud.launches) == 1
    deploying.compute.terminate(served)
    assert deploying.recover()["generation"] == 1
    assert len(living(cloud)) == 1


def test_a_stopped_instance_is_not_waited_for(cloud, make):
    """It gets no addresses, and the failure says what to do."""
    deploying = make()
    deploying.recover()
    cloud.launches[0].instance._state.name = "stopped"
    waited = []
    deploying.work = replace(deploying.work, waiting=lambda what, seconds: waited.append(what))
    assert deploying.recover()["kind"] == "instance_stopped"
    assert len(waited) <= 1, "what was seen before it stopped may be told once more"


def _some_request(deploying):
    from laerecover.instances.offers import offers

    return offers(deploying.settings, deploying.work.account)[0]


def test_an_instance_that_stays_unknown_is_given_up_after_a_minute(make):
    """Retried for a minute at least, then a clear failure."""
    deploying = make(RigFaults(unknown=1000))
    deploying.perform(DEPLOY, 1, {}, "")
    known = {DEPLOY: deploying.ledger[0].values}
    begun = deploying.work.world.clock.monotonic()
    assert deploying.perform(WAIT, 1, known, "").kind == "not_found"
    assert deploying.work.world.clock.monotonic() - begun >= 60
