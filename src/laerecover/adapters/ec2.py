"""Compute on EC2, by boto3."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from laerecover.adapters import security_groups
from laerecover.adapters.aws import AwsCaller, Pace, make_client, translated
from laerecover.adapters.clock import SystemClock
from laerecover.ports.compute import Instance, Lack, LaunchRequest, folded
from laerecover.ports.hosts import unheard
from laerecover.ports.ingress import Ingress
from laerecover.ports.refusals import NotFound, Refusal
from laerecover.ports.services import Clock
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.settings import Settings

_AT_ONCE = 200
"""DescribeInstances takes that many values in a filter."""
_TAG = 256
"""No tag is longer, in characters."""
_VCPU_QUOTA = "L-1216C47A"
"""Running On-Demand Standard instances, counted in vCPUs."""
_MAP = "name one that exists in ec2.images of the settings (ec2.sizes for types), for the one of 2012"


class Ec2Compute(AwsCaller):
    """One client, one pace and one poll for all threads."""

    def __init__(self, settings: Settings, clock: Clock | None = None, heard: Callable[[str], None] = unheard) -> None:
        self._settings = settings
        self._clock = clock or SystemClock(threading.Event())
        self.pace = Pace(self._clock, "EC2", heard)
        self._client = make_client(settings, "ec2")
        self._polling = threading.Lock()
        self._watched: set[str] = set()
        self._seen: dict[str, tuple[float, Instance | None]] = {}
        self._groups: dict[tuple[str, str], str] = {}

    @translated
    def launch(self, request: LaunchRequest) -> Instance:
        """RunInstances of exactly one, tags in the same call, IMDSv2 only."""
        asked = self._clock.monotonic()
        instance = _instance(self._client.run_instances(**self._wanted(request))["Instances"][0])
        self._watched.add(instance.instance_id)
        self._seen.setdefault(instance.instance_id, (asked, instance))
        return instance

    def describe(self, instance_id: str, *, fresh: float = 0.0) -> Instance:
        """One DescribeInstances tells of all that are being waited for; who comes meanwhile takes its answer."""
        asked = self._clock.monotonic() - fresh
        self._watched.add(instance_id)
        with self._polling:
            if self._seen.get(instance_id, (-1.0, None))[0] <= asked:
                self._watched.add(instance_id)
                self._poll()
            found = self._seen[instance_id][1]
        if found is None:
            raise NotFound(f"EC2 does not know {clean(instance_id)}")
        return found

    def _poll(self) -> None:
        ids, now = sorted(self._watched), self._clock.monotonic()
        known = self.known(ids)
        for instance_id in ids:
            found = known.get(instance_id)
            self._seen[instance_id] = (now, found)
            if found is not None and found.state != "pending":
                self._watched.discard(instance_id)

    @translated
    def find(self, tags: Mapping[str, str]) -> Sequence[Instance]:
        """DescribeInstances by tags, all pages."""
        return list(self._pages([{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(tags.items())]))

    @translated
    def known(self, instance_ids: Sequence[str]) -> Mapping[str, Instance]:
        """DescribeInstances, all pages. By filter: one unknown id among the ids themselves would spoil the answer."""
        return {instance.instance_id: instance for instance in self._filtered("instance-id", instance_ids)}

    @translated
    def tagged(self, key: str, values: Sequence[str]) -> Sequence[Instance]:
        """DescribeInstances, all pages, 200 values a question; what could be no tag of EC2's is not asked for."""
        wanted = {folded(value) for value in values if 0 < len(value.strip()) <= _TAG and value.strip().isprintable()}
        found = self._filtered(f"tag:{key}", sorted({_as_typed(value) for value in wanted}))
        return [i for i in found if folded(i.tags.get(key, "")) in wanted]

    def _filtered(self, name: str, values: Sequence[str]) -> Iterator[Instance]:
        for n in range(0, len(values), _AT_ONCE):
            yield from self._pages([{"Name": name, "Values": list(values[n : n + _AT_ONCE])}])

    def _pages(self, filters: Sequence[Mapping[str, Any]]) -> Iterator[Instance]:
        for page in self._client.get_paginator("describe_instances").paginate(Filters=filters):
            yield from (_instance(i) for reservation in page["Reservations"] for i in reservation["Instances"])

    @translated
    def console(self, instance_id: str) -> str:
        """GetConsoleOutput, which lags behind."""
        return str(self._client.get_console_output(InstanceId=instance_id).get("Output") or "")

    @translated
    def terminate(self, instance_id: str) -> None:
        """TerminateInstances of one."""
        self._client.terminate_instances(InstanceIds=[instance_id])

    @translated
    def tag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """CreateTags, which may be repeated."""
        pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        self._client.create_tags(Resources=[instance_id], Tags=pairs)

    @translated
    def identity(self) -> str:
        """GetCallerIdentity."""
        return str(make_client(self._settings, "sts").get_caller_identity()["Account"])

    def lacks(self, request: LaunchRequest) -> Sequence[Lack]:
        """Each thing by itself, since a dry run names the first trouble only; then the dry run."""
        questions = (self._image, self._size, self._key, self._subnet, self._security_group)
        found = [lack for ask in questions if (lack := ask(request))]
        try:
            self._dry_run(request)
        except Refusal as error:
            if not found:
                found.append(Lack(what="launch", message=str(error), remedy="mend what EC2 names"))
        return found

    @translated
    def _dry_run(self, request: LaunchRequest) -> None:
        from botocore.exceptions import ClientError

        wanted = self._wanted(request)
        del wanted["ClientToken"]
        try:
            self._client.run_instances(**wanted, DryRun=True)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "DryRunOperation":
                raise

    @translated
    def _image(self, request: LaunchRequest) -> Lack | None:
        by_id = [{"Name": "image-id", "Values": [request.ami_image_id]}]
        states = [image.get("State", "available") for image in self._client.describe_images(Filters=by_id)["Images"]]
        if states == ["available"]:
            return None
        return Lack(
            what="image", message=f"{request.ami_image_id} does not exist in {self._settings.ec2.region}", remedy=_MAP
        )

    @translated
    def _size(self, request: LaunchRequest) -> Lack | None:
        by_type = [{"Name": "instance-type", "Values": [request.instance_size]}]
        where: dict[str, Any] = {"LocationType": "region"}
        if request.zone:
            where["LocationType"] = "availability-zone"
            by_type.append({"Name": "location", "Values": [request.zone]})
        if self._client.describe_instance_type_offerings(Filters=by_type, **where)["InstanceTypeOfferings"]:
            return None
        place = request.zone or self._settings.ec2.region
        return Lack(what="size", message=f"{request.instance_size} is not offered in {place}", remedy=_MAP)

    @translated
    def _key(self, request: LaunchRequest) -> Lack | None:
        name = request.admin_keypair_name
        if self._client.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}])["KeyPairs"]:
            return None
        remedy = "import its public half under this name, or mend admin_keypair_name in lae_automation_config.json"
        return Lack(what="key pair", message=f"{name} does not exist in {self._settings.ec2.region}", remedy=remedy)

    @translated
    def _subnet(self, request: LaunchRequest) -> Lack | None:
        if request.subnet is None:
            return None
        by_id = [{"Name": "subnet-id", "Values": [request.subnet]}]
        found = self._client.describe_subnets(Filters=by_id)["Subnets"]
        if found and found[0].get("MapPublicIpOnLaunch"):
            return None
        message = "gives no public addresses" if found else "does not exist"
        remedy = "let it assign public addresses" if found else "mend ec2.subnet in the settings"
        return Lack(what="subnet", message=f"{request.subnet} {message}", remedy=remedy)

    @translated
    def _security_group(self, request: LaunchRequest) -> Lack | None:
        if security_groups.called(self._client, request.security_group):
            return None
        message = f"{request.security_group} does not exist in {self._settings.ec2.region}"
        remedy = "make it, or mend ec2.security_group in the settings"
        return Lack(what="security group", message=message, remedy=remedy)

    @translated
    def ingress(self, request: LaunchRequest) -> Sequence[Ingress] | None:
        """DescribeSecurityGroups."""
        return security_groups.ingress(self._client, request)

    def room(self, instance_size: str) -> int | None:
        """The quota of vCPUs, less what runs now, by what one of these needs."""
        try:
            return self._room(instance_size)
        except Refusal:
            return None

    @translated
    def _room(self, instance_size: str) -> int:
        quota = self._quotas.get_service_quota(ServiceCode="ec2", QuotaCode=_VCPU_QUOTA)["Quota"]["Value"]
        alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        pages = self._client.get_paginator("describe_instances").paginate(Filters=alive)
        types = [i["InstanceType"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
        answer = self._client.describe_instance_types(InstanceTypes=sorted({*types, instance_size}))["InstanceTypes"]
        vcpus = {row["InstanceType"]: int(row["VCpuInfo"]["DefaultVCpus"]) for row in answer}
        return max(0, int(quota) - sum(vcpus[name] for name in types)) // vcpus[instance_size]

    @cached_property
    def _quotas(self) -> Any:
        return make_client(self._settings, "service-quotas")

    def _wanted(self, request: LaunchRequest) -> dict[str, Any]:
        tags = [{"Key": key, "Value": value} for key, value in sorted(request.tags.items())]
        wanted: dict[str, Any] = {
            "ImageId": request.ami_image_id,
            "InstanceType": request.instance_size,
            "KeyName": request.admin_keypair_name,
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": request.client_token,
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
            **self._group(request),
        }
        if request.subnet:
            wanted["SubnetId"] = request.subnet
        if request.zone:
            wanted["Placement"] = {"AvailabilityZone": request.zone}
        if request.user_data is not None:
            wanted["UserData"] = request.user_data.reveal()
        return wanted

    def _group(self, request: LaunchRequest) -> dict[str, list[str]]:
        """EC2 takes the group's name of 2012 in the default network only; beside a subnet it wants the id."""
        name, subnet = request.security_group, request.subnet
        if name.startswith("sg-"):
            return {"SecurityGroupIds": [name]}
        if subnet is None:
            return {"SecurityGroups": [name]}
        if (name, subnet) not in self._groups:
            found = security_groups.in_network(self._client, name, subnet)
            if not found:
                raise Refusal(f"no security group {name} in the network of {subnet}", kind="ec2_refused")
            self._groups[name, subnet] = str(found[0]["GroupId"])
        return {"SecurityGroupIds": [self._groups[name, subnet]]}


def _as_typed(value: str) -> str:
    """A filter for the value in whatever letters and spaces: EC2's own tell capitals apart.

    `*` and `?` stand for others unless they are escaped: a hostile address would ask for everybody's instances.
    """
    escaped = re.sub(r"([*?\\])", r"\\\1", value)
    return f"*{re.sub('[^ -~]+', '*', re.sub('[a-z]', '?', escaped))}*"


def _instance(answer: Mapping[str, Any]) -> Instance:
    return Instance(
        instance_id=str(answer["InstanceId"]),
        state=str(answer["State"]["Name"]),
        launch_time=answer["LaunchTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        public_host=answer.get("PublicIpAddress") or None,
        private_host=answer.get("PrivateDnsName") or None,
        tags={str(tag["Key"]): str(tag["Value"]) for tag in answer.get("Tags", [])},
        reason=_reason(answer),
        image=str(answer.get("ImageId", "")),
        size=str(answer.get("InstanceType", "")),
    )


def _reason(answer: Mapping[str, Any]) -> str:
    told = answer.get("StateReason") or {}
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    return clean(message if message.startswith(code) else f"{code}: {message}".strip(": "))
