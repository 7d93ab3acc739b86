"""What `plan --check` asks, of the rig's cloud and its buckets on loopback."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

import pytest

from laerecover.adapters.aws import client_with
from laerecover.cli._planned import show_checks
from laerecover.cli._worlds import EveryWorld
from laerecover.credentials import CHANGED
from laerecover.hosts.recipes.named import recipe_named
from laerecover.instances.offers import offers
from laerecover.manifest import Secret
from laerecover.planning.buckets import BUCKET_SERVED, DATA_UNREACHABLE, BucketCheck, in_buckets
from laerecover.planning.check import KnownAccounts, check, old_servers
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.rig.faults import FaultRule, RigFaults
from laerecover.sections import Fallback
from ready_cloud import INDEX, SHARE, ReadyCloud, account


def test_where_everything_is_there_nothing_is_found(cloud):
    """Image, key pair, group, quota, and every bucket by its own keys and tokens."""
    ready, accounts = ReadyCloud(cloud, vcpus=8), [account(n) for n in range(3)]
    ready.fill(*accounts)
    assert ready.found(*accounts) == []


def test_what_is_missing_is_found_all_at_once(cloud):
    """Each with its remedy, and once, however many accounts want it."""
    ready, accounts = ReadyCloud(cloud, vcpus=8), [account(n) for n in range(2)]
    ready.fill(*accounts)
    missing = ready.found(
        *accounts,
        ec2={"image": "ami-00000000", "security_group": "none"},
        config={"admin_keypair_name": "nobody's"},
    )
    assert missing == [("image", None, True), ("key pair", None, True), ("security group", None, True)]


def test_who_may_not_tag_is_told_so_before_anything_is_launched(cloud):
    """The dry run asks for launch and tags together, whatever else is missing."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one)
    cloud.faults.rules = [FaultRule(call="RunInstances:dry", fault="untagged")]
    assert ready.found(one) == [("permission", None, True)]
    assert ready.found(one, ec2={"image": "ami-00000000"}) == [("image", None, True), ("permission", None, True)]


def test_types_of_2012_must_be_mapped(cloud):
    """An image and a type that are gone are found through each account's own history; a mapping mends it."""
    ready = ReadyCloud(cloud)
    one = account(0, ami_image_id="ami-11111111", instance_size="t1.micro")
    ready.fill(one)
    assert ready.found(one) == [("image", None, True), ("size", None, True)]
    maps = {"images": {"ami-11111111": ready.settings.ec2.image}, "sizes": {"t1.micro": "t3.micro"}}
    assert ready.found(one, ec2=maps) == []


def test_fallbacks_are_tried_too(cloud):
    """A place that does not exist would be no help when it is needed."""
    ready = ReadyCloud(cloud)
    one = account(0)
    ready.fill(one)
    assert ready.found(one, ec2={"fallbacks": (Fallback(zone="us-east-1b"), Fallback(size="t3.small"))}) == []
    assert ready.found(one, ec2={"fallbacks": (Fallback(zone="us-east-1z"),)}) == [("size", None, True)]


def test_the_wrong_account_and_wrong_keys_stop_the_run(cloud):
    """Old servers would seem gone, seen from somebody else's account."""
    ready = ReadyCloud(cloud)
    assert ready.found(ec2={"account": None}) == [("identity", None, False)]
    assert ready.found(ec2={"account": "210987654321"}) == [("identity", None, True)]
    assert ready.found(config={"ec2_access_key_id": "STRANGER"}) == [("cloud", None, True)]


def test_a_cloud_out_of_reach_is_a_finding(cloud):
    """With what to do next, and no traceback."""
    assert ReadyCloud(cloud).found(ec2={"endpoint": "http://127.0.0.1:9"}) == [("cloud", None, True)]


def test_who_waits_for_a_throttling_cloud_is_told_so(cloud, capsys):
    """On the shell's stderr, by whichever command asks: EC2 for what is there, S3 for a listing."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one)
    world = EveryWorld().cloud(ready.settings, threading.Event()).world
    times = {"DescribeImages": range(1, 4), "s3:GET": range(1, 10)}  # boto3 asks S3 thrice before it says so
    cloud.faults = RigFaults(rules=[FaultRule(call=c, fault="throttle", at=tuple(at)) for c, at in times.items()])
    assert world.compute.lacks(offers(ready.settings, one)[0]) == []
    assert list(world.store.listing(one))
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" since ")[0] for line in told] == [
        f"{which} has had enough of questions" for which in ("EC2", "S3")
    ]


def test_the_quota_is_compared_with_the_accounts(cloud):
    """Too few is said before; none at all stops the run."""
    ready, accounts = ReadyCloud(cloud, vcpus=4), [account(n) for n in range(3)]
    ready.fill(*accounts)
    assert ready.found(*accounts) == [("quota", None, False)]
    assert ready.found(*accounts[:2], replace(accounts[2], user_access_key_id="NOBODY")) == [
        (DATA_UNREACHABLE, "lae-2", True)
    ]
    cloud.faults.vcpus = 1
    assert ready.found(*accounts) == [("quota", None, True)]


def test_what_another_recovery_serves_is_found_in_one_answer(cloud):
    """Instance, recovery and remedy are named, for that account alone.

    It wants no room in the quota, nor does a drill count.
    """
    ready, accounts = ReadyCloud(cloud, vcpus=8), [account(n) for n in range(3)]
    ready.fill(*accounts)
    world = ready.world()
    first = offers(ready.settings, accounts[0])[0]
    for number, mode in ((0, "run"), (1, "drill")):
        tags = {"lae-recovery": "r0", "lae-account": f"lae-{number}", "lae-mode": mode}
        launched = world.compute.launch(replace(first, client_token=str(number) * 64, tags=tags))
        while launched.instance_id not in world.compute.known([launched.instance_id]):
            pass
    served = next(launch.instance_id for launch in cloud.launches if launch.token.startswith("0"))
    assert [f.what for f in check(accounts, ready.settings, world, recovery_id="r0")] == []
    asked = [cloud.faults.calls["DescribeInstances"]]
    for several in (accounts, accounts[:1]):
        (found,) = check(several, ready.settings, world, recovery_id="r1")
        asked.append(cloud.faults.calls["DescribeInstances"])
    assert asked[1] - asked[0] <= 4, "of the instances, of each tag of 2012, of the quota: however many accounts"
    assert (found.what, found.account_id, found.blocks) == ("recovered_before", "lae-0", True)
    assert served in found.message
    assert "r0" in found.message
    assert "laerecover adopt MANIFEST --recovery r0" in found.remedy


EVERYBODY, OFFICE = "0.0.0.0/0", "198.51.100.0/24"
HALVES = [str(half) for half in IPv4Network(EVERYBODY).subnets()]
SSH = (22, 22, EVERYBODY)


@pytest.mark.parametrize(
    ("rules", "customers_from", "said"),
    [
        ([SSH], None, ["nobody in at 12345 and 12346: every customer", True]),
        ([SSH, (12345, 12345, EVERYBODY)], None, ["nobody in at 12346: every customer", True]),
        ([SSH, (12345, 12346, OFFICE)], None, [f"12345 and 12346 from {OFFICE} only: a customer elsewhere", True]),
        ([SSH, (12345, 12346, HALVES[0])], None, [f"from {HALVES[0]} only", True]),
        ([SSH, *((12345, 12346, half) for half in HALVES)], None, []),
        ([SSH, (12000, 13000, OFFICE)], OFFICE, []),
        ([SSH, (12000, 13000, OFFICE)], "203.0.113.0/24", [f"12345 and 12346 from {OFFICE}", True]),
        ([(12345, 12346, EVERYBODY)], None, ["nobody in at 22: no server could be installed", True]),
        ([(22, 22, OFFICE), (12345, 12346, EVERYBODY)], None, [f"lets in 22 from {OFFICE} only", False]),
    ],
    ids=["22 alone", "one port", "an office", "a half", "both halves", "theirs", "others", "no ssh", "our ssh"],
)
def test_a_group_that_keeps_customers_out_is_found(cloud, rules, customers_from, said):
    """A server that installs well and that no customer can reach would be told to all of them.

    What a narrower range means.
    """
    ready, accounts = ReadyCloud(cloud), [account(n) for n in range(2)]
    ready.fill(*accounts)
    cloud.let_in(rules)
    world = ready.world(**({} if customers_from is None else {"ec2": {"customers_from": (customers_from,)}}))
    found = check(accounts, ready.settings, world, recovery_id="r1")
    assert [(f.what, f.account_id) for f in found] == [("security group", None)] * bool(said)
    for finding in found:
        assert said[0] in finding.message
        assert finding.blocks == said[1]
        assert finding.remedy


def test_each_group_is_asked_once(cloud):
    """Of fallbacks to another subnet it may be another group of that name; accounts do not matter."""
    ready, accounts = ReadyCloud(cloud), [account(n) for n in range(9)]
    ready.fill(*accounts)
    assert ready.found(*accounts, ec2={"fallbacks": (Fallback(subnet=ready.subnet), Fallback(zone="us-east-1b"))}) == []
    before = cloud.faults.calls["DescribeSecurityGroups"]
    check(accounts[:1], ready.settings, ready.world(), recovery_id="r1")
    of_one = cloud.faults.calls["DescribeSecurityGroups"] - before
    check(accounts, ready.settings, ready.world(), recovery_id="r1")
    assert cloud.faults.calls["DescribeSecurityGroups"] - before == 2 * of_one


def by_hand(ready, **tags):
    """The id of an instance that somebody launched with these tags."""
    compute = ready.world().compute
    first = offers(ready.settings, account(0))[0]
    token = "-".join(tags.values())[:64]
    launched = compute.launch(replace(first, client_token=token, tags=tags)).instance_id
    while launched not in compute.known([launched]):
        pass
    return launched


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"Bucket": "lae-1"}, ["lae-1"]),
        ({"Name": "customer1@example.org"}, ["lae-1"]),
        ({"Bucket": "lae-1", "Name": "customer1@example.org"}, ["lae-1"]),
        ({"Bucket": "lae-0", "Name": "customer1@example.org"}, ["lae-0"]),
        ({"Bucket": "another's", "Name": "customer1@example.org"}, ["lae-1"]),
        ({"Name": "shared@example.org"}, ["lae-2", "lae-3"]),
        ({"Bucket": "lae-2", "Name": "shared@example.org"}, ["lae-2"]),
        ({"Bucket": "lae-9", "Name": "shared@example.org"}, []),
        ({"Bucket": "LAE-1", "Name": "somebody@example.org"}, ["lae-1"]),
        ({"Name": " Customer1@Example.ORG\t"}, ["lae-1"]),
        ({"Name": "customer10@example.org"}, []),
        ({"Name": "customer1@example.org", "lae-recovery": "r1", "lae-account": "lae-1", "lae-mode": "run"}, []),
    ],
)
def test_a_server_that_somebody_rebuilt_is_found_by_the_tags_of_2012(cloud, tags, found):
    """By bucket or address; one that names the bucket of a customer's other account is not this one's, nor is our
    own.
    """
    ready, accounts = ReadyCloud(cloud), [account(n) for n in range(2)]
    accounts += [account(n, customer_email="shared@example.org") for n in (2, 3)]
    served = by_hand(ready, **tags)
    left_out = account(9, customer_email="shared@example.org")

    def findings(**more):
        known = KnownAccounts(everyone=[*accounts, left_out], begun=["lae-1"], **more)
        return check(accounts, ready.settings, replace(ready.world(), store=None), recovery_id="r1", known=known)

    assert [(f.what, f.account_id, f.instances, f.blocks) for f in findings()] == [
        ("rebuilt", account_id, (served,), True) for account_id in found
    ]
    for finding in findings():
        assert f"{served} (" in finding.message
        assert f"--accept ACCOUNT={served} --because" in finding.remedy
    accepted = {account_id: frozenset({served}) for account_id in found}
    assert findings(decided=accepted) == [], "a human has decided about this very instance"
    assert len(findings(decided={name: frozenset({"i-other"}) for name in found})) == len(found)
    ready.world().compute.terminate(served)
    assert findings() == [], "the dead do not count"


@pytest.mark.parametrize(
    "changes",
    [
        {"user_secret_key": Secret("canary-wrong")},
        {"user_access_key_id": "NOBODY"},
        {"bucket_name": "lae-1"},
        {"user_token": None},
        {"user_access_key_id": None},
    ],
    ids=["wrong secret", "unknown key", "somebody else's bucket", "token missing", "no key"],
)
def test_data_that_its_own_keys_do_not_open_is_unreachable(cloud, changes):
    """That account is not launched; the others are."""
    ready, accounts = ReadyCloud(cloud), [account(n) for n in range(2)]
    ready.fill(*accounts)
    assert ready.found(replace(accounts[0], **changes), accounts[1]) == [(DATA_UNREACHABLE, "lae-0", True)]


def test_a_key_of_the_changed_credentials_is_mended_there(cloud):
    """It stands in no evidence: whoever is sent to look there looks in vain."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one)
    wrong = replace(one, user_access_key_id="AKIARENEWED", decisions=(f"{CHANGED}access key AKIARENEWED; said by ann",))
    (found,) = check([wrong], ready.settings, ready.world(), recovery_id="r1")
    assert (found.what, found.account_id) == (DATA_UNREACHABLE, "lae-0")
    assert "InvalidAccessKeyId" in found.message
    assert found.remedy.startswith("its keys are those of files.credentials: mend that entry (access key AKIARENEWED;")


def test_a_policy_may_keep_objects_from_whoever_is_elsewhere(cloud):
    """The rig's: lists are for all, objects for one range of addresses. What verify asks on hosts is tried with it."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one)
    client = client_with(
        "s3",
        region_name="us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id="KEY0",
        aws_secret_access_key="canary-0",
    )

    def read(place):
        cloud.allow("KEY0", "canary-0", bucket="lae-0", objects_from=place)
        assert [row["Key"] for row in client.list_objects_v2(Bucket="lae-0")["Contents"]] == [SHARE]
        return client.get_object(Bucket="lae-0", Key=SHARE)["Body"].read()

    assert read("127.0.0.0/8") == read(None) == b"x"
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        read("203.0.113.0/24")


def test_a_bucket_that_is_gone_is_unreachable(cloud):
    """NoSuchBucket, to keys that would have opened it."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one, keys=())
    assert ready.found(one) == [("bucket", None, False)]
    assert "its bucket is empty" in joined(ready, one)[0][0]
    ready.s3.delete_bucket(Bucket="lae-0")
    assert ready.found(one) == [(DATA_UNREACHABLE, "lae-0", True)]


def test_a_store_that_fails_three_times_is_unreachable_for_now(cloud):
    """One error is asked again."""
    ready, one = ReadyCloud(cloud, rules=[FaultRule(call="s3:GET", fault="reset_before", at=(1,))]), account(0)
    ready.fill(one)
    assert ready.found(one) == []
    cloud.reset(RigFaults(rules=[FaultRule(call="s3:GET", fault="error")]))
    with pytest.raises(Transient):
        list(ready.world().store.listing(one))


def joined(ready, *accounts, **more):
    """What a check tells of these accounts' buckets without any of it standing in the way."""
    found = check(accounts, ready.settings, ready.world(), recovery_id="r1", **more)
    return [(each.message, each.blocks) for each in found if each.what == "bucket"]


def test_shares_in_pieces_are_told_with_what_joining_takes(cloud):
    """However many whole shares come first: all pages are looked at, and no bucket is half counted."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one, keys=[*(f"shares/{INDEX}/{n}" for n in range(9)), f"shares/{INDEX}/8.1", "notes.txt"])
    pages = ready.world().store
    pages.page_size = 4
    assert len(list(pages.listing(one))) == 11
    ((said, blocks),) = joined(ready, one)
    assert not blocks
    assert said.startswith("lae-0: 1 shares of 0.0 MB are joined, 8 copied: about 00:00:00, and 0.0 MB more storage")
    assert "versioning is off; as found: 11 objects, 0.0 MB, the newest of 20" in said
    ready.s3.put_bucket_versioning(Bucket="lae-0", VersioningConfiguration={"Status": "Enabled"})
    assert "versioning is on" in joined(ready, one)[0][0]
    mark = {"format": 1, "at": "2026-11-20T10:00:00+00:00", "of": "d" * 64, "joined": 1, "copied": 0, "bytes": 1}
    mark["left_out"] = {f"{INDEX[3:]}/{n}": "gap" for n in range(8)}
    ready.s3.put_object(Bucket="lae-0", Key="recovered/COMPLETE", Body=json.dumps(mark))
    assert ready.found(one) == [(DATA_UNREACHABLE, "lae-0", True)]
    ready.s3.put_object(Bucket="lae-0", Key=f"recovered/shares/{INDEX}/0", Body=b"x")
    said = joined(ready, one)[0][0]
    assert said.startswith("lae-0: its shares were joined before: 1, 0.0 MB; beside them: 11 objects")


@pytest.mark.parametrize("mark", [b"", b"garbage", b"[" * 100_000, b'{"format": 2}', b"x" * 1_001])
def test_a_mark_that_joining_did_not_write_stands_in_the_way(cloud, mark, monkeypatch):
    """Nothing is launched that would serve an empty folder; no more of it is read than could be one."""
    monkeypatch.setattr("laerecover.planning.buckets.LARGEST", 1_000)
    monkeypatch.setattr("laerecover.hosts.bucket_layout.LARGEST", 1_000)
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one, keys=[SHARE, f"shares/{INDEX}/0.1"])
    ready.s3.put_object(Bucket="lae-0", Key="recovered/COMPLETE", Body=mark)
    assert ready.found(one) == [(DATA_UNREACHABLE, "lae-0", True)]


@pytest.mark.parametrize(
    ("keys", "recipe"),
    [
        ([f"shares/{INDEX}/0.1", f"shares/{INDEX}/0.2"], "tahoe"),
        ([SHARE, f"shares/{INDEX}/0.1"], "legacy-2012-s3"),
        ([SHARE, f"shares/{INDEX}/0.1", "recovered/bucket_counter.state"], "tahoe"),
    ],
)
def test_a_bucket_that_cannot_be_served_whole_is_unreachable(cloud, keys, recipe):
    """No share is whole; nobody there can join them; somebody has served what was joined, and its mark is gone."""
    ready, one = ReadyCloud(cloud), account(0)
    ready.fill(one, keys=keys)
    assert ready.found(one, recipe={"name": recipe}) == [(DATA_UNREACHABLE, "lae-0", True)]


def test_who_writes_after_the_disaster_serves_the_bucket(cloud):
    """Nothing is launched then: two servers on one bucket would be the worst. Its own server may have written."""
    ready, accounts = ReadyCloud(cloud), [account(0), account(1)]
    ready.fill(*accounts)
    ready.fill(account(2), keys=())

    def found(when, **more):
        buckets = BucketCheck(disaster_at=when, **more)
        asked = check(accounts, ready.settings, ready.world(), recovery_id="r1", buckets=buckets)
        return [(each.what, each.account_id) for each in asked]

    now = datetime.now(UTC)
    assert found(now + timedelta(hours=1)) == []
    assert found(now - timedelta(hours=1)) == [(BUCKET_SERVED, "lae-0"), (BUCKET_SERVED, "lae-1")]
    assert found(now - timedelta(hours=1), serving=frozenset({"lae-0"})) == [(BUCKET_SERVED, "lae-1")]


class Answers:
    """A store that answers everybody with one refusal of S3's."""

    def __init__(self, code):
        self.code = code

    def listing(self, account):
        raise Refusal(f"the cloud says {self.code}", kind="data_unreachable", code=self.code)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("InvalidAccessKeyId", "look for a later one"),
        ("SignatureDoesNotMatch", "not that of the access key"),
        ("AccessDenied", "s3:ListBucket"),
        ("NoSuchBucket", "recipe.s3_endpoint"),
        ("NotSignedUp", "DevPay"),
        ("InvalidToken", "session_token"),
        ("403", "no S3"),
        ("Whatever", "other evidence"),
    ],
)
def test_each_refusal_has_its_own_remedy_and_is_counted(code, remedy, capsys):
    """Twelve accounts with one cause are one line."""
    found = in_buckets([account(n) for n in range(12)], Answers(code), recipe_named("tahoe"))
    assert {each.message for each in found} == {f"its keys do not open its bucket: {code}"}
    assert all(remedy in each.remedy for each in found)
    show_checks(found)
    said = capsys.readouterr().out
    assert said.count(code) == 1
    assert said.startswith("DATA_UNREACHABLE, 12 accounts: ")


def test_a_wrong_clock_is_one_obstacle_for_all():
    """And about no account."""
    found = in_buckets([account(n) for n in range(12)], Answers("RequestTimeTooSkewed"), recipe_named("tahoe"))
    assert [(each.what, each.account_id, each.blocks) for each in found] == [("clock", None, True)]


def test_old_servers_are_told_apart_in_one_answer(cloud):
    """Running, terminated, never heard of, a name that is no instance's, no name, of another region, of one untold."""
    ready = ReadyCloud(cloud, pending=0)
    compute = ready.world().compute
    launch = LaunchRequest(
        client_token="1",
        tags={"x": "y"},
        ami_image_id=ready.settings.ec2.image,
        instance_size="t3.micro",
        admin_keypair_name="drill",
        security_group="CustomerDefault",
    )
    running = compute.launch(launch).instance_id
    ended = compute.launch(replace(launch, client_token="2")).instance_id
    compute.terminate(ended)
    ids = [running, ended, "i-0123abcd", "i-hostile; DROP", None]
    here = {"old_private_host": "ip-10-0-0-1.ec2.internal"}
    accounts = [account(n, old_instance_id=i, **here) for n, i in enumerate(ids)]
    accounts.append(account(5, old_instance_id="i-0123abcd", old_private_host="ip-10-0-0-1.us-west-1.compute.internal"))
    accounts += [account(6, old_instance_id=running), account(7, old_instance_id=ended)]
    answers = old_servers(accounts, compute, region="us-east-1")
    assert list(answers.values()) == ["RUNNING", "GONE", "GONE", *["UNKNOWN"] * 3, "RUNNING", "UNKNOWN"]
    assert cloud.faults.calls["DescribeInstances"] == 1
    elsewhere = old_servers(accounts, compute, region="us-west-1")
    assert list(elsewhere.values()) == ["RUNNING", *["UNKNOWN"] * 4, "GONE", "RUNNING", "UNKNOWN"]


def test_a_bucket_that_moved_is_asked_for_where_it_is(cloud):
    """Whatever endpoint the others have."""
    ready, moved = ReadyCloud(cloud), account(0)
    ready.fill(moved)
    elsewhere = {"recipe": {"s3_endpoint": "http://127.0.0.1:9"}}
    assert ready.found(moved, **elsewhere) == [(DATA_UNREACHABLE, "lae-0", True)]
    assert ready.found(moved, **elsewhere, s3_endpoints={"lae-0": cloud.endpoint}) == []


def test_keys_without_rights_are_no_answer(cloud):
    """Somebody else's keys cannot say that an old server is gone."""
    ready = ReadyCloud(cloud)
    with pytest.raises(Refusal):
        old_servers(
            [account(0, old_instance_id="i-0123abcd")],
            ready.world(config={"ec2_access_key_id": "STRANGER"}).compute,
            region="us-east-1",
        )
