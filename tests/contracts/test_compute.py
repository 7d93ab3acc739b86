"""One exam for compute: the twin's, and EC2 as moto's server plays it."""

from __future__ import annotations

import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from laerecover.adapters.ec2 import Ec2Compute
from laerecover.manifest import Secret
from laerecover.ports import LaunchRequest, NotFound, Refusal, Transient
from laerecover.settings import drill_settings
from laerecover.twin.compute import TwinCompute
from laerecover.twin.world import Faults, TwinFile

REQUEST = LaunchRequest(
    client_token="t" * 64,
    tags={"lae-recovery": "r1", "lae-account": "lae-1", "lae-generation": "1"},
    ami_image_id="ami-12c6146b",
    instance_size="t2.micro",
    admin_keypair_name="admin",
    security_group="CustomerDefault",
    user_data=Secret("#cloud-config\n"),
)


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


@pytest.fixture(scope="module")
def endpoint():
    """moto's server on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def ec2(endpoint):
    """The adapter, connected to moto."""
    return Ec2Compute(replace(drill_settings(Path()), endpoint=endpoint))


class ComputeExam:
    """What every Compute does."""

    def test_a_launched_instance_comes_to_run_with_both_addresses(self, compute):
        """Polled often enough an instance runs, with public and private host."""
        found = described(compute, compute.launch(REQUEST).instance_id)
        assert found.public_host
        assert found.private_host
        assert found.launch_time.endswith("Z")
        assert not found.dead

    def test_an_instance_is_found_by_its_tags_alone(self, compute):
        """All tags must agree; nobody else's instance is found."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        compute.launch(replace(REQUEST, client_token="u" * 64, tags={**REQUEST.tags, "lae-account": "lae-2"}))
        found = compute.find({"lae-recovery": "r1", "lae-account": "lae-1"})
        assert [i.instance_id for i in found] == [instance_id]
        assert found[0].tags["lae-generation"] == "1"
        assert compute.find({"lae-recovery": "another"}) == []

    def test_an_unknown_instance_is_not_found(self, compute):
        """What the cloud does not know is NotFound, not an empty answer."""
        with pytest.raises(NotFound):
            compute.describe("i-00000000000000000")

    def test_an_ended_instance_is_dead_and_still_found(self, compute):
        """A terminated instance counts as a generation."""
        instance_id = described(compute, compute.launch(REQUEST).instance_id).instance_id
        self.end(compute, instance_id)
        assert compute.describe(instance_id).dead
        assert [i.dead for i in compute.find(REQUEST.tags)] == [True]


class TestTwinCompute(ComputeExam):
    """The twin's compute."""

    @pytest.fixture
    def compute(self, twin_file):
        """A twin without mishaps."""
        return TwinCompute(twin_file)

    def end(self, compute, instance_id):
        """Terminate it."""
        compute.terminate(instance_id)

    def test_the_same_token_is_the_same_instance(self, compute):
        """As EC2, which moto does not play: a repeated launch launches nothing."""
        assert compute.launch(REQUEST).instance_id == compute.launch(REQUEST).instance_id

    @pytest.mark.parametrize(
        "change", [{"user_data": Secret("other")}, {"ami_image_id": "ami-2"}, {"tags": {**REQUEST.tags, "x": "y"}}]
    )
    def test_the_same_token_with_other_bytes_is_refused(self, compute, change):
        """As EC2: IdempotentParameterMismatch."""
        compute.launch(REQUEST)
        with pytest.raises(Refusal) as caught:
            compute.launch(replace(REQUEST, **change))
        assert caught.value.kind == "idempotent_mismatch"

    def test_an_answer_may_be_lost_after_the_launch(self, tmp_path):
        """A lost connection says nothing: the instance is there all the same, once."""
        file = TwinFile(
            tmp_path / "w.sqlite", seed=1, pace=0.001, faults=Faults(connection_lost=1.0, throttled=0, slowness=0)
        )
        with pytest.raises(Transient):
            TwinCompute(file).launch(REQUEST)
        with pytest.raises(Transient):
            TwinCompute(file).launch(REQUEST)
        with file.change() as db:
            assert db.execute("SELECT count(*) FROM instances").fetchone()[0] == 1


class TestEc2(ComputeExam):
    """boto3 against moto's server on loopback. Its made-up public addresses belong to others: they are never used."""

    @pytest.fixture
    def compute(self, endpoint, ec2):
        """A fresh EC2 with the operator's key pair and group."""
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        ec2._client.create_security_group(GroupName="CustomerDefault", Description="customers")
        ec2._client.create_key_pair(KeyName="admin")
        return ec2

    def end(self, compute, instance_id):
        """Terminate it."""
        compute._client.terminate_instances(InstanceIds=[instance_id])

    def test_imdsv2_is_required(self, compute):
        """The user data holds a host key: nobody on the host reads it with a bare GET."""
        instance_id = compute.launch(REQUEST).instance_id
        answer = compute._client.describe_instances(InstanceIds=[instance_id])
        options = answer["Reservations"][0]["Instances"][0].get("MetadataOptions", {})
        assert options.get("HttpTokens") == "required"

    def test_what_ec2_refuses_is_final_and_told(self, compute):
        """A refusal names EC2's code."""
        with pytest.raises(Refusal, match="InvalidGroup"):
            compute.launch(replace(REQUEST, security_group="sg-nosuch"))

    def test_an_answer_that_is_none_is_transient(self, compute):
        """An error page in place of an answer says nothing about the effect (moto has one for an unknown group)."""
        with pytest.raises(Transient):
            compute.launch(replace(REQUEST, security_group="nosuch"))

    def test_an_unreachable_endpoint_is_transient(self):
        """Nobody there says nothing about the effect."""
        nobody = Ec2Compute(replace(drill_settings(Path()), endpoint="http://127.0.0.1:9"))
        with pytest.raises(Transient):
            nobody.describe("i-1")
