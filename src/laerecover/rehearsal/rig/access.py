"""Who may do what in the rig's cloud: signatures (AWS version 4) are checked, buckets belong to keys."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from urllib.parse import parse_qsl, quote

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key: `buckets` None is the operator's, who may do everything; `token` must come along if it is set.

    `objects_from`: the range of addresses that alone gets at objects, as a bucket's policy may say; lists are for all.
    """

    secret: str
    buckets: frozenset[str] | None = None
    token: str | None = None
    objects_from: str | None = None


@dataclass
class Access:
    """Without any key known, everybody may do everything."""

    keys: dict[str, Key] = field(default_factory=dict)

    def refuse(self, environ: Mapping[str, Any], bucket: str, payload: bytes | None) -> tuple[int, str] | None:
        """The status and code to answer with, or None if the caller may. `bucket` is empty for all but S3.

        `payload`: the body if it is at hand; S3's own digest of it is believed.
        """
        if not self.keys:
            return None
        signed = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        s3 = signed is not None and signed[4] == "s3"
        if signed is None:
            return 403, "AccessDenied"
        key = self.keys.get(signed[1])
        if key is None:
            return (403, "InvalidAccessKeyId") if s3 else (401, "AuthFailure")
        if not hmac.compare_digest(_signature(environ, key.secret, signed, payload), signed[6]):
            return (403, "SignatureDoesNotMatch") if s3 else (401, "AuthFailure")
        if key.token is not None and environ.get("HTTP_X_AMZ_SECURITY_TOKEN") != key.token:
            return 403, "InvalidToken"
        if key.buckets is not None and (not s3 or bucket not in key.buckets):
            return 403, "AccessDenied" if s3 else "UnauthorizedOperation"
        if key.objects_from is not None and environ.get("PATH_INFO", "").strip("/").partition("/")[2]:
            caller = IPv4Address(environ["REMOTE_ADDR"])
            return None if caller in IPv4Network(key.objects_from) else (403, "AccessDenied")
        return None


def _signature(environ: Mapping[str, Any], secret: str, signed: re.Match[str], payload: bytes | None) -> str:
    """What the signature must be, as AWS describes version 4."""
    _, day, region, service, names, _ = signed.groups()
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, keep_blank_values=True))
    digest = environ.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(payload or b"").hexdigest()
    headers = "".join(f"{name}:{_header(environ, name)}\n" for name in names.split(";"))
    request = [environ["REQUEST_METHOD"], path, "&".join(f"{k}={v}" for k, v in pairs), headers, names, digest]
    scope = f"{day}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256("\n".join(request).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", environ.get("HTTP_X_AMZ_DATE", ""), scope, hashed])
    key = b"AWS4" + secret.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _header(environ: Mapping[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    value = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", "")
    return " ".join(str(value).split())
