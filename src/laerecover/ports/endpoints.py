"""Addresses of services, as settings name them."""

from __future__ import annotations

import re

_ENDPOINT = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")
"""Without scheme boto3 would stop at it, in words of its own; a name and a password in it would be shown."""


NO_ENDPOINT = "is no address of a service: write it as https://HOST or https://HOST:PORT"


def is_endpoint(value: object) -> bool:
    """Whether it is scheme and host, with port and path perhaps."""
    return isinstance(value, str) and _ENDPOINT.fullmatch(value) is not None
