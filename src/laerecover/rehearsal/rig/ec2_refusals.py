"""What EC2 refuses though moto would not: unknown images, types, keys, groups, subnets, zones."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from laerecover.ports.ingress import Ingress

OPERATOR = "123456789012"
GONE_TYPES = ("t1.micro", "m1.small")
XML = [("Content-Type", "text/xml")]

Answer = tuple[int, list[tuple[str, str]], bytes]
Form = dict[str, str]


class Refused(Exception):
    """EC2 answers with this code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def answer(self) -> Answer:
        error = f"<Error><Code>{escape(self.code)}</Code><Message>{escape(str(self))}</Message></Error>"
        text = f"<Response><Errors>{error}</Errors><RequestID>rig</RequestID></Response>"
        return self.status, XML, text.encode()


def vcpus(instance_type: str) -> int:
    """How many virtual processors the type has."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return int(INSTANCE_TYPES[instance_type]["VCpuInfo"]["DefaultVCpus"])


def backend_of(region: str) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[OPERATOR][region]


def zone_of(backend: Any, form: Form) -> str:
    if subnet := form.get("SubnetId"):
        return str(backend.get_subnet(subnet).availability_zone)
    return form.get("Placement.AvailabilityZone") or f"{backend.region_name}a"


def rules_of(instance: Any) -> list[Ingress]:
    """What the instance's security groups let in over TCP, together."""
    found = []
    for rule in (each for group in instance.security_groups for each in group.ingress_rules):
        source = (rule.ip_range or {}).get("CidrIp")
        everything = str(rule.ip_protocol) == "-1"
        if source and (everything or str(rule.ip_protocol) in ("tcp", "6")):
            first, last = (0, 65535) if everything else (int(rule.from_port), int(rule.to_port))
            found.append(Ingress(first=first, last=last, source=source))
    return found


def refuse_unknown(backend: Any, form: Form) -> None:
    """moto takes any image, type and key, and breaks on an unknown group: EC2 refuses them with these codes."""
    image, size, key = form.get("ImageId", ""), form.get("InstanceType", ""), form.get("KeyName", "")
    subnet, zone = form.get("SubnetId"), form.get("Placement.AvailabilityZone")
    if not re.fullmatch(r"ami-([0-9a-f]{8}|[0-9a-f]{17})", image):
        raise Refused(400, "InvalidAMIID.Malformed", f'Invalid id: "{image}"')
    if not backend.describe_images(filters={"image-id": [image]}):
        raise Refused(400, "InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    if not backend.describe_instance_types(filters={"instance-type": [size]}) or size in GONE_TYPES:
        raise Refused(400, "InvalidParameterValue", f"Invalid value '{size}' for InstanceType.")
    if key not in backend.key_pairs:
        raise Refused(400, "InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    if subnet and subnet not in {s.id for s in backend.describe_subnets()}:
        raise Refused(400, "InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
    if zone and zone not in {z.name for z in backend.describe_availability_zones()}:
        raise Refused(400, "InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    groups = {k: v for k, v in form.items() if k.startswith("SecurityGroup")}
    if subnet and any(k.startswith("SecurityGroup.") for k in groups):
        raise Refused(
            400, "InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet"
        )
    for group in groups.values():
        if backend.get_security_group_by_name_or_id(group) is None:
            raise Refused(400, "InvalidGroup.NotFound", f"The security group '{group}' does not exist")
