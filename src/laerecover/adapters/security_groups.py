"""Security groups of EC2: which one a launch would use, what it lets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from laerecover.ports.compute import LaunchRequest
from laerecover.ports.ingress import Ingress


def called(client: Any, name: str, *more: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The groups of that id or name, as DescribeSecurityGroups tells them; `more` filters."""
    by = "group-id" if name.startswith("sg-") else "group-name"
    return list(client.describe_security_groups(Filters=[{"Name": by, "Values": [name]}, *more])["SecurityGroups"])


def network(client: Any, subnet: str | None) -> Sequence[str]:
    """The VPC of the subnet, else the default one; nothing if there is none."""
    if subnet is None:
        by_default = [{"Name": "is-default", "Values": ["true"]}]
        return [str(row["VpcId"]) for row in client.describe_vpcs(Filters=by_default)["Vpcs"]]
    by_id = [{"Name": "subnet-id", "Values": [subnet]}]
    return [str(row["VpcId"]) for row in client.describe_subnets(Filters=by_id)["Subnets"]]


def in_network(client: Any, name: str, subnet: str | None) -> Sequence[Mapping[str, Any]]:
    """The groups of that name in the network where the launch goes: within one, names are unique."""
    return called(client, name, {"Name": "vpc-id", "Values": list(network(client, subnet)) or ["none"]})


def ingress(client: Any, request: LaunchRequest) -> Sequence[Ingress] | None:
    """See Compute.ingress. The network is asked for only where the name does not say which group is meant."""
    name, subnet = request.security_group, request.subnet
    groups = called(client, name)
    if not name.startswith("sg-") and (len(groups) > 1 or (groups and subnet)):
        groups = in_network(client, name, subnet)
    return [rule for permission in groups[0]["IpPermissions"] for rule in _rules(permission)] if groups else None


def _rules(permission: Mapping[str, Any]) -> Iterator[Ingress]:
    """Those of one IpPermission, as far as they are about TCP from addresses of version 4."""
    protocol = str(permission.get("IpProtocol"))
    if protocol not in ("tcp", "6", "-1"):
        return
    first, last = (0, 65535) if protocol == "-1" else (int(permission["FromPort"]), int(permission["ToPort"]))
    ranges = [row.get("CidrIp") for row in permission.get("IpRanges", [])]
    lists = [row.get("PrefixListId") for row in permission.get("PrefixListIds", [])]
    for source in (*ranges, *lists):
        if source:
            yield Ingress(first=first, last=last, source=str(source))
