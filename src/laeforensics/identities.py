"""A node's identity: does the certificate hash to the TubID, does the private key fit the certificate?"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from laeforensics.facts import BROKEN_KEY, CERTIFIED, OWN, PAIRED, REMOTE, Fact

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers

PROVED, STATED, BROKEN, ABSENT = "PROVED", "STATED", "BROKEN", "ABSENT"

_BEGIN, _END = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----"


def tub_id_of_pem(pem: str) -> str | None:
    """The TubID of the first certificate in `pem`: base32 (lower case, no padding) of the SHA-1 of its DER bytes."""
    body = pem.partition(_BEGIN)[2].partition(_END)[0]
    try:
        der = base64.b64decode(body.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not der:
        return None
    return base64.b32encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode().lower()


def tub_id_of_furl(furl: str) -> str:
    """The TubID in `pb://TUBID@LOCATION/SWISSNUM`."""
    return furl.removeprefix("pb://").partition("@")[0]


def swissnum_of_furl(furl: str) -> str:
    """The swissnum in `pb://TUBID@LOCATION/SWISSNUM`."""
    return furl.rpartition("/")[2]


@lru_cache(maxsize=4096)
def key_fits(pem: str) -> bool:
    """True if `pem` holds a certificate and the RSA private key that belongs to it, whole.

    RSA of 1024 bits and MD5 or SHA-1 signatures are normal for 2012; the signature of the certificate is not judged.
    The key's numbers are checked against each other here: that finds a damaged key, for a four-hundredth of the price of
    the library's own check, which also proves the primes.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        public = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
        text = pem[pem.index(_END) + len(_END) :].encode("ascii")
        key = load_pem_private_key(text, password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey) or not isinstance(public, rsa.RSAPublicKey):
            return False
        numbers = key.private_numbers()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return numbers.public_numbers == public.public_numbers() and _is_whole(numbers)


def _is_whole(numbers: RSAPrivateNumbers) -> bool:
    p, q, d = numbers.p, numbers.q, numbers.d
    return (
        p > 1
        and q > 1
        and p * q == numbers.public_numbers.n
        and d % (p - 1) == numbers.dmp1
        and d % (q - 1) == numbers.dmq1
        and numbers.iqmp * q % p == 1
        and d * numbers.public_numbers.e % (p - 1) == 1
        and d * numbers.public_numbers.e % (q - 1) == 1
    )


def judge(pem: str | None, tub_ids: set[str]) -> str:
    """PROVED, STATED, BROKEN or ABSENT for one node: its node.pem, against the TubIDs that name the node.

    Several different TubIDs prove the key if its certificate is one of them: a replacement server printed the furl
    of a throw-away identity although the old keys were restored.
    """
    if pem is None:
        return ABSENT
    tub_id = tub_id_of_pem(pem)
    if tub_id is None or not key_fits(pem):
        return BROKEN
    if not tub_ids:
        return STATED
    return PROVED if tub_id in tub_ids else BROKEN


def certify(facts: list[Fact]) -> None:
    """Raise relayed identities that prove themselves, in place.

    The introducer's node.pem counts as the program's own word if its certificate hashes to the TubID of a furl that
    the program printed; so does a node id that equals that TubID. The storage server's TubID is printed by nobody but
    the host, so its node.pem and its node id vouch for each other: believed while nothing better speaks.
    """
    printed = {tub_id_of_furl(f.value) for f in facts if f.field == "introducer_furl" and f.channel == OWN}
    stated = {f.value for f in facts if f.field == "server_nodeid" and f.channel == REMOTE}
    vouched: set[str] = set()
    for position, fact in enumerate(facts):
        if fact.channel != REMOTE:
            continue
        channel = None
        if fact.field == "introducer_nodeid" and fact.value in printed:
            channel = CERTIFIED
        elif fact.field == "introducer_node_pem" and tub_id_of_pem(fact.value) in printed:
            channel = CERTIFIED if key_fits(fact.value) else BROKEN_KEY
        elif fact.field == "server_node_pem" and {tub_id_of_pem(fact.value)} == stated:
            channel = PAIRED if key_fits(fact.value) else BROKEN_KEY
            vouched |= stated
        if channel is not None:
            facts[position] = fact._replace(channel=channel)
    for position, fact in enumerate(facts):
        if fact.field == "server_nodeid" and fact.channel == REMOTE and fact.value in vouched:
            facts[position] = fact._replace(channel=PAIRED)
