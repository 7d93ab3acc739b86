"""One exam for compute: the twin's, and EC2 as the rig's cloud plays it, on loopback."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from laerecover.adapters.ec2 import Ec2Compute
from laerecover.manifest import Secret
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.ingress import sources
from laerecover.ports.refusals import NotFound, Refusal, Transient
from laerecover.rehearsal.rig.ec2_refusals import backend_of
from laerecover.rehearsal.rig.faults import FaultRule, RigFaults, read_faults
from laerecover.rehearsal.rig.proxy import IMAGE
from laerecover.rehearsal.twin import world
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.settings import drill_settings

REQUEST = LaunchRequest(
    client_token="t" * 64,
    tags={"lae-recovery": "r1", "lae-account": "lae-1", "lae-generation": "1"},
    ami_image_id=IMAGE,
    instance_size="t3.micro",
    admin_keypair_name="admin",
    security_group="CustomerDefault",
    user_data=Secret("#cloud-config\n"),
)
OTHER_BYTES = [{"user_data": Secret("other")}, {"instance_size": "t3.small"}, {"tags": {**REQUEST.tags, "x": "y"}}]


def described(compute, instance_id, polls=20):
    """The instance, asked as often as it takes to run."""
    for _ in range(polls):
        try:
            found = compute.describe(instance_id)
        except NotFound:
            continue
        if found.state == "running":
            return found
    raise AssertionError("it never ran")


class Clock:
    """Time that passes by sleeping only, and remembers every sleep."""

    def __init__(self):
        self.time, self.slept, self.lock = 1000.0, [], threading.Lock()

    def monotonic(self):
        """Seconds."""
        return self.time

    def sleep(self, seconds):
        """At once."""
        with self.lock:
            self.slept.append(seconds)
            self.time += seconds

    def now(self):
        """The same, as a time of day."""
        return datetime.fromtimestamp(self.time, UTC)


class ComputeExam:
    """What every Compute does. `play` makes one in which this goes wrong."""

    def test_a_launched_instance_comes_to_run_with_both_addresses(self, compute):
        """Polled often enough an instance runs, with public and private host."""
        found = described(compute, compute.launch(REQUEST).instance_id)
        assert found.public_host.startswith("203.0.113.")
        assert found.private_host.endswith(".ec2.internal")
        assert found.launch_time.endswith("Z")
        assert not found.dead

    def test_an_instance_shows_no_address_before_it_runs(self, compute):
        """Pending is pending: no address to connect to."""
        launched = compute.launch(REQUEST)
        assert (launched.state, launched.public_host) == ("pending", None)

    def test_an_instance_is_found_by_its_tags_alone(self, compute):
        """All tags must agree; nobody else's instance is found."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        compute.launch(replace(REQUEST, client_token="u" * 64, tags={**REQUEST.tags, "lae-account": "lae-2"}))
        found = compute.find({"lae-recovery": "r1", "lae-account": "lae-1"})
        assert [i.instance_id for i in found] == [instance_id]
        assert found[0].tags["lae-generation"] == "1"
        assert compute.find({"lae-recovery": "another"}) == []

    def test_an_unknown_instance_is_not_found(self, compute):
        """What the cloud does not know is NotFound, not an empty answer; it spoils no answer about others."""
        with pytest.raises(NotFound):
            compute.describe("i-00000000000000000")
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        assert set(compute.known(["i-00000000000000000", instance_id])) == {instance_id}

    def test_an_ended_instance_is_dead_and_still_found(self, compute):
        """A terminated instance counts as a generation, and its client token is spent."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        compute.terminate(instance_id)
        assert compute.describe(instance_id).state == "terminated"
        assert [i.dead for i in compute.find(REQUEST.tags)] == [True]
        with pytest.raises(Refusal) as caught:
            compute.launch(REQUEST)
        assert caught.value.kind == "token_spent"

    def test_a_tag_may_be_added_later(self, compute):
        """It is found by it, keeps the others, and the launch asked again is still the same launch."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        for _ in range(2):
            compute.tag(instance_id, {"lae-recovered": "2026-11-22T18:00:00+00:00"})
        found = compute.find({"lae-recovered": "2026-11-22T18:00:00+00:00", "lae-account": "lae-1"})
        assert [i.instance_id for i in found] == [instance_id]
        assert compute.launch(REQUEST).instance_id == instance_id

    def test_the_same_token_is_the_same_instance(self, compute):
        """A repeated launch launches nothing, however many ask at once."""
        with ThreadPoolExecutor(4) as several:
            ids = {i.instance_id for i in several.map(compute.launch, [REQUEST] * 4)}
        described(compute, next(iter(ids)))
        assert len(compute.find({"lae-recovery": "r1"})) == len(ids) == 1

    @pytest.mark.parametrize("change", OTHER_BYTES, ids=["user data", "size", "tags"])
    def test_the_same_token_with_other_bytes_is_refused(self, compute, change):
        """IdempotentParameterMismatch: hence host keys are derived, not drawn."""
        compute.launch(REQUEST)
        with pytest.raises(Refusal) as caught:
            compute.launch(replace(REQUEST, **change))
        assert caught.value.kind == "idempotent_mismatch"

    def test_an_answer_may_be_lost_after_the_launch(self, lossy):
        """A lost connection says nothing: the instance is there all the same, once."""
        with pytest.raises(Transient):
            lossy.launch(REQUEST)
        with pytest.raises(Transient):
            lossy.launch(REQUEST)
        assert len(self.launched()) == 1

    def test_the_console_of_a_running_instance_can_be_read(self, compute):
        """It names what failed when a host never comes back."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        assert instance_id in compute.console(instance_id)

    def test_instances_are_found_by_the_values_of_a_tag(self, compute):
        """Whichever of the values it is, in whatever letters; no `*` or `?` of a hostile address stands for others."""
        ids = {}
        for value in ("lae-1", "lae-2", "a*z@example.org", "abz@example.org", "Strasse@example.org "):
            tags = {"Bucket": value, "Name": "not this one"}
            launched = compute.launch(replace(REQUEST, client_token=value.ljust(64, "t")[:64], tags=tags))
            ids[described(compute, launched.instance_id).instance_id] = value
        compute.terminate(next(iter(ids)))

        def found(*values):
            return sorted(ids[i.instance_id] for i in compute.tagged("Bucket", values))

        assert found("lae-1", "lae-2", "lae-3") == ["lae-1", "lae-2"], "the dead one, too"
        assert found("a*z@example.org") == ["a*z@example.org"]
        assert found("a?z@example.org", "lae-?", "", "x" * 1000, "lae-1\x00", "\ud800") == []
        assert compute.tagged("Name", ["lae-1"]) == []
        assert found(" LAE-1") == ["lae-1"], "typed by hand"
        assert found("A*Z@Example.org\n", "straße@example.org") == ["Strasse@example.org ", "a*z@example.org"]

    @pytest.mark.parametrize(
        "rules",
        [[(22, 22, "0.0.0.0/0"), (12345, 12346, "198.51.100.0/24"), (12345, 12345, "203.0.113.0/24")], []],
        ids=["several", "none"],
    )
    def test_a_security_group_tells_whom_it_lets_in(self, compute, rules):
        """Ports and ranges, as they are now."""
        assert sources(compute.ingress(REQUEST), 12346) == ("0.0.0.0/0",)
        self.let_in(rules)
        told = compute.ingress(REQUEST)
        assert sorted((rule.first, rule.last, rule.source) for rule in told) == sorted(rules)

    def test_what_is_there_lacks_nothing(self, compute):
        """A launch that would succeed has nothing to complain about, and makes nothing."""
        assert list(compute.lacks(REQUEST)) == []
        assert self.launched() == []


class TestTwinCompute(ComputeExam):
    """The twin's compute."""

    @pytest.fixture
    def compute(self, twin_file):
        """A twin without mishaps."""
        self.file = twin_file
        return TwinCompute(twin_file)

    @pytest.fixture
    def lossy(self, tmp_path):
        """A twin that loses every answer."""
        faults = world.TwinFaults(connection_lost=1.0, throttled=0, slowness=0)
        self.file = world.TwinFile(tmp_path / "lossy.sqlite", seed=1, pace=0.001, faults=faults)
        return TwinCompute(self.file)

    def let_in(self, rules):
        """Whom the group lets in from now on."""
        self.file.let_in(rules)

    def launched(self):
        """All that were ever launched."""
        with self.file.change() as db:
            return [row["instance_id"] for row in db.execute("SELECT instance_id FROM instances")]


class TestEc2(ComputeExam):
    """boto3 against the rig's cloud."""

    @pytest.fixture
    def play(self, cloud):
        """An EC2 with the operator's key pair and group, in which these things go wrong.

        Its clock never really waits.
        """
        self.cloud, self.clock, self.heard = cloud, Clock(), []

        def make(**faults):
            cloud.reset(RigFaults(**faults))
            cloud.prepare(key_name="admin", public_key=cloud.public_key)
            return Ec2Compute(drill_settings(Path()).changed(ec2={"endpoint": cloud.endpoint}), self.clock, self._hear)

        return make

    def _hear(self, said):
        self.heard.append((self.clock.time, said))

    @pytest.fixture
    def compute(self, play):
        """Nothing goes wrong, but nothing is at once either."""
        return play(unknown=1, pending=2)

    @pytest.fixture
    def lossy(self, play):
        """Every launch's answer is lost."""
        return play(rules=[FaultRule(call="RunInstances", fault="reset_after")])

    def let_in(self, rules):
        """Whom the group lets in from now on."""
        self.cloud.let_in(rules)

    def launched(self):
        """All that were ever launched."""
        return [launch.instance_id for launch in self.cloud.launches]

    def test_many_values_of_a_tag_are_asked_in_few_questions(self, play):
        """200 a question, and every page of the answer."""
        compute = play(pending=0)
        for number in range(102):
            tags = {"instance": {"Bucket": f"lae-{number:03}"}}
            backend_of("us-east-1").run_instances(IMAGE, 1, "", [], is_instance_type_default=True, tags=tags)
        found = compute.tagged("Bucket", [f"lae-{number:03}" for number in range(401)])
        assert len({instance.instance_id for instance in found}) == 102
        assert self.cloud.faults.calls["DescribeInstances"] == 3 + 1, "three questions, one of them with a second page"

    def test_a_hostile_value_asks_for_nobody_elses_instances(self, compute):
        """What EC2 would read as `any` goes there escaped: the answer is not everything that the account has."""
        asked = []
        compute._client.meta.events.register(
            "provide-client-params.ec2.DescribeInstances", lambda params, **_: asked.append(params["Filters"])
        )
        assert compute.tagged("Name", ["a*?\\@example.org"]) == []
        assert asked == [[{"Name": "tag:Name", "Values": ["*?\\*\\?\\\\@???????.???*"]}]]

    def test_the_rules_are_those_of_the_group_that_a_launch_would_use(self, compute):
        """Of two groups of one name: the one in the default network, or in the subnet's; by id, that very one."""
        client, (_, home) = compute._client, self.cloud.prepare(key_name="admin", public_key=self.cloud.public_key)
        vpc = client.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        away = client.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        other = client.create_security_group(GroupName="CustomerDefault", Description="another", VpcId=vpc)["GroupId"]
        rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "198.51.100.0/24"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        client.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
        for wanted in (REQUEST, replace(REQUEST, subnet=home)):
            assert sources(compute.ingress(wanted), 12345) == ("0.0.0.0/0",)
        for wanted in (replace(REQUEST, subnet=away), replace(REQUEST, security_group=other)):
            assert [(r.first, r.last, r.source) for r in compute.ingress(wanted)] == [(0, 65535, "198.51.100.0/24")]
        assert compute.ingress(replace(REQUEST, security_group="nosuch")) is None

    def test_what_lets_no_customer_in_is_no_rule(self, compute):
        """UDP, another group's members, addresses of version 6.

        A customer comes by TCP to a public address of version 4.
        """
        client = compute._client
        self.cloud.let_in([])
        (told,) = client.describe_security_groups(GroupNames=["CustomerDefault"])["SecurityGroups"]
        permissions = [
            {"IpProtocol": "udp", "FromPort": 12345, "ToPort": 12345, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": told["GroupId"]}]},
            {"IpProtocol": "tcp", "FromPort": 12345, "ToPort": 12345, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        ]
        client.authorize_security_group_ingress(GroupId=told["GroupId"], IpPermissions=permissions)
        assert compute.ingress(REQUEST) == []

    def test_imdsv2_is_required(self, compute):
        """The user data holds a host key: nobody on the host reads it with a bare GET."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        answer = compute._client.describe_instances(InstanceIds=[instance_id])
        assert answer["Reservations"][0]["Instances"][0]["MetadataOptions"]["HttpTokens"] == "required"

    def test_no_address_that_belongs_to_others_is_ever_told(self, compute):
        """The public addresses that moto makes up reach nobody, in no answer."""
        ids = [compute.launch(replace(REQUEST, client_token=f"{n}" * 64)).instance_id for n in range(3)]
        assert len({described(compute, i).public_host for i in ids}) == 3
        for page in (compute._client.describe_instances(), compute._client.describe_network_interfaces()):
            assert "54.214." not in str(page)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"ami_image_id": "ami-00000000"}, "InvalidAMIID.NotFound"),
            ({"instance_size": "t1.micro"}, "InvalidParameterValue"),
            ({"admin_keypair_name": "nobody's"}, "InvalidKeyPair.NotFound"),
            ({"security_group": "sg-00000000"}, "InvalidGroup.NotFound"),
            ({"security_group": "nosuch"}, "InvalidGroup.NotFound"),
            ({"security_group": "sg-1", "subnet": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
            ({"zone": "us-east-1z"}, "InvalidParameterValue"),
        ],
    )
    def test_what_does_not_exist_is_refused_and_lacking(self, compute, change, code):
        """Images and types of 2012 above all: a refusal names EC2's code, and the check says it before."""
        wanted = replace(REQUEST, **change)
        assert compute.lacks(wanted) != []
        with pytest.raises(Refusal, match=code):
            compute.launch(wanted)
        assert self.launched() == []

    def test_a_group_goes_by_its_id_beside_a_subnet(self, compute):
        """EC2 refuses the name of 2012 together with a subnet; the id is looked up."""
        _, subnet = self.cloud.prepare(key_name="admin", public_key=self.cloud.public_key)
        assert described(compute, compute.launch(replace(REQUEST, subnet=subnet)).instance_id).public_host

    def test_a_subnet_without_public_addresses_is_lacking(self, compute):
        """Nobody could reach a server there."""
        _, subnet = self.cloud.prepare(key_name="admin", public_key=self.cloud.public_key)
        compute._client.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False})
        assert [lack.what for lack in compute.lacks(replace(REQUEST, subnet=subnet))] == ["subnet"]

    def test_one_throttled_answer_slows_everybody(self, play):
        """The call is made again at a slower pace, which all share; nobody fails of it."""
        compute = play(rules=[FaultRule(call="RunInstances", fault="throttle", at=(1, 2, 3))])
        compute.launch(REQUEST)
        assert self.clock.slept[:3] == [0.5, 1.0, 2.0]
        waits = len(self.clock.slept)
        compute.find(REQUEST.tags)
        assert len(self.clock.slept) == waits + 1

    def test_long_throttling_is_told_within_seconds_and_then_by_the_minute(self, play):
        """What is waited for, in EC2's words, and since when; a short one is told to nobody."""
        compute = play(rules=[FaultRule(call="RunInstances", fault="throttle", at=(1, *range(20, 33)))])
        for number in range(18):
            compute.launch(replace(REQUEST, client_token=f"{number:064}"))
        assert (self.heard, self.clock.slept[0]) == ([], 0.5)
        begun = self.clock.time
        compute.launch(REQUEST)
        times = [at - begun for at, _ in self.heard]
        assert times[0] < 4
        assert len(times) > 2
        assert all(40 <= later - sooner <= 60 for sooner, later in pairwise(times))
        since = datetime.fromtimestamp(begun, UTC).astimezone()
        for _, said in self.heard:
            assert f"EC2 has had enough of questions since {since:%H:%M:%S} (RunInstances: RequestLimitExc" in said
        assert self.heard[-1][1].endswith("asked again in 20 s; nothing is lost by it")

    def test_a_cloud_that_only_throttles_is_transient_in_the_end(self, play):
        """Whoever asked may ask again later."""
        compute = play(rules=[FaultRule(call="DescribeInstances", fault="throttle")])
        with pytest.raises(Transient) as caught:
            compute.describe("i-1")
        assert caught.value.kind == "throttled"

    @pytest.mark.parametrize(
        ("faults", "kind"), [({"vcpus": 3}, "quota"), ({"no_capacity": ["t3.micro@us-east-1a"]}, "capacity")]
    )
    def test_what_does_not_fit_is_told_apart(self, play, faults, kind):
        """A full zone wants another offer, a full quota wants the run to stop."""
        compute = play(**faults)
        with pytest.raises(Refusal) as caught:
            for n in range(3):
                compute.launch(replace(REQUEST, client_token=f"{n}" * 64))
        assert caught.value.kind == kind
        assert len(self.launched()) == (1 if kind == "quota" else 0)
        if kind == "capacity":
            assert compute.launch(replace(REQUEST, zone="us-east-1b")).instance_id

    def test_the_quota_tells_how_many_fit(self, play):
        """By vCPUs, less what runs; None where the cloud does not tell."""
        compute = play(vcpus=9)
        assert compute.room("t3.micro") == 4
        compute.launch(REQUEST)
        assert compute.room("t3.micro") == 3
        assert play().room("t3.micro") is None

    def test_all_who_wait_share_one_question(self, play):
        """Within the poll's interval one DescribeInstances tells of all pending instances."""
        compute = play(pending=0)
        ids = [compute.launch(replace(REQUEST, client_token=f"{n:064}")).instance_id for n in range(25)]
        self.clock.time += 15
        with ThreadPoolExecutor(25) as several:
            found = list(several.map(lambda instance_id: compute.describe(instance_id, fresh=10.0), ids))
        assert all(instance.public_host for instance in found)
        assert self.cloud.faults.calls["DescribeInstances"] == 1

    def test_an_instance_may_die_before_it_runs(self, play):
        """It never shows an address."""
        compute = play(rules=[FaultRule(call="RunInstances", fault="dies")])
        instance_id = compute.launch(REQUEST).instance_id
        states = [compute.describe(instance_id) for _ in range(3)]
        assert states[-1].dead
        assert not any(state.public_host for state in states)

    def test_a_console_may_be_late(self, play):
        """Empty is no error."""
        compute = play(console=1)
        instance_id = compute.launch(REQUEST).instance_id
        assert compute.console(instance_id) == ""
        assert compute.console(instance_id) != ""

    def test_an_error_of_the_cloud_itself_is_transient(self, play):
        """InternalError says nothing about the effect."""
        with pytest.raises(Transient):
            play(rules=[FaultRule(call="RunInstances", fault="error")]).launch(REQUEST)

    def test_a_stranger_is_refused(self, compute):
        """A wrong secret key is EC2's AuthFailure, not a crash; the right one gets in."""
        self.cloud.allow("DRILL", "another")
        with pytest.raises(Refusal, match="AuthFailure"):
            compute.find({})
        self.cloud.allow("DRILL", "drill")
        assert compute.find({}) == []
        assert compute.identity() == "123456789012"

    def test_an_unreachable_endpoint_is_transient(self):
        """Nobody there says nothing about the effect."""
        nobody = Ec2Compute(drill_settings(Path()).changed(ec2={"endpoint": "http://127.0.0.1:9"}), Clock())
        with pytest.raises(Transient):
            nobody.describe("i-1")


class TestFaults:
    """Plans of faults."""

    def test_a_plan_names_calls_by_their_number(self):
        """Rules as JSON; what stands in no plan does not happen."""
        plan = read_faults('{"rules": [{"call": "RunInstances", "fault": "capacity", "at": [2]}], "vcpus": 8}')
        assert [plan.strike("RunInstances") for _ in range(3)] == [None, "capacity", None]
        assert (plan.vcpus, plan.strike("DescribeInstances")) == (8, None)

    def test_a_seed_throws_the_same_dice_again(self):
        """Two runs with one seed meet the same faults, another seed meets others."""

        def story(seed):
            faults = read_faults(f"seed:{seed}")
            return [faults.strike("RunInstances") for _ in range(60)], [faults.waits(n) for n in range(9)]

        assert story(42) == story(42) != story(43)
        assert set(story(42)[0]) > {None, "throttle"}

    def test_a_misspelt_plan_is_refused(self):
        """A rehearsal without its faults would prove nothing."""
        with pytest.raises(ValueError, match="rule"):
            read_faults('{"rule": []}')
