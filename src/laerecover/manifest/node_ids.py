"""What nodes of Tahoe-LAFS are known by: the TubID of a certificate, the key that signs announcements."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_PRIVKEY = re.compile(r"priv-v0-[a-z2-7]{51}[aq]")


def tub_id_of_certificate(der: bytes) -> str:
    """32 characters: base32 in lower case of the SHA-1 of the certificate's DER bytes, as foolscap has it."""
    return base64.b32encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode("ascii").lower()


@lru_cache(maxsize=4096)
def tub_id_of_pem(pem: str) -> str | None:
    """The TubID of the first certificate in `pem`; None if there is none that can be read."""
    body = pem.partition(_BEGIN)[2].partition(_END)[0]
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return tub_id_of_certificate(der) if der else None


def is_node_privkey(text: str) -> bool:
    """True for what private/node.privkey can hold: `priv-v0-` and base32 of exactly 32 bytes.

    52 characters hold four bits more than that, which are zero: the last one is `a` or `q`. Tahoe-LAFS starts no node
    with anything else.
    """
    return _PRIVKEY.fullmatch(text.strip()) is not None
