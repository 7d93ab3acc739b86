"""Addresses of services, as settings name them."""

from __future__ import annotations

import re

_ENDPOINT = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")
"""Without scheme boto3 would stop at it, in words of its own; a name and a password in it would be shown."""


NO_ENDPOINT = "is no address of a service: write it as https://HOST or https://HOST:PORT"


def is_endpoint(value: object) -> bool:
    """Whether it is scheme and host, with port and path perhaps."""
    return isinstance(value, str) and _ENDPOINT.fullmatch(value) is not None


def region_of(private_host: str | None) -> str | None:
    """The region that a private DNS name of EC2 tells: `ip-10-1-2-3.REGION.compute.internal`, us-east-1's own forms."""
    parts = (private_host or "").split(".")[1:]
    if parts in (["ec2", "internal"], ["compute-1", "internal"]):
        return "us-east-1"
    return parts[0] if parts[1:] == ["compute", "internal"] else None
