"""Addresses of services, as settings name them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ENDPOINT = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")
"""Without scheme boto3 would stop at it, in words of its own; a name and a password in it would be shown."""


def refused_endpoints(*told: tuple[str, Mapping[str, Any]]) -> Iterator[str]:
    """Of settings by their names, each with its section: what is wrong with those that are no scheme and host, with
    port and path perhaps.
    """
    for name, section in told:
        value = section.get(name.partition(".")[2])
        if value is not None and not (isinstance(value, str) and _ENDPOINT.fullmatch(value)):
            yield f"{name} is no address of a service: write it as https://HOST or https://HOST:PORT"


def region_of(private_host: str | None) -> str | None:
    """The region that a private DNS name of EC2 tells: `ip-10-1-2-3.REGION.compute.internal`, us-east-1's own forms."""
    parts = (private_host or "").split(".")[1:]
    if parts in (["ec2", "internal"], ["compute-1", "internal"]):
        return "us-east-1"
    return parts[0] if parts[1:] == ["compute", "internal"] else None
