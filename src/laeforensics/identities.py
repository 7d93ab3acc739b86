"""A node's identity: does the certificate hash to the TubID, does the private key fit the certificate?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from laeforensics.facts import BROKEN_KEY, CERTIFIED, LAST_ASSERTING_STANDING, OWN, PAIRED, REMOTE, TESTIMONY, Fact

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
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later release will refuse
            public = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
        text = pem[pem.index(_END) + len(_END) :].encode("ascii")
        key = load_pem_private_key(text, password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey) or not isinstance(public, rsa.RSAPublicKey):
            return False
        numbers = key.private_numbers()
        return numbers.public_numbers == public.public_numbers() and _is_whole(numbers)
    except Exception:  # noqa: BLE001 - the library's refusals have no common base (InvalidVersion is an Exception), and grow in number
        return False


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


def certify(facts: list[Fact], *, is_restored: bool = False) -> None:
    """Raise relayed identities that prove themselves, in place.

    The introducer's node.pem counts as the program's own word if its certificate hashes to the TubID of a furl that
    the program printed; so does a node id that equals that TubID. Where no furl was printed, and for the storage
    server, whose TubID is printed by nobody but the host, node.pem and node id vouch for each other: believed while
    nothing better speaks. So they do where an old key `is_restored`: replacements printed a throw-away furl before.
    """
    printed = {tub_id_of_furl(f.value) for f in facts if f.field == "introducer_furl" and f.channel == OWN}
    stated = {
        name: {f.value for f in facts if f.field == name and f.channel == REMOTE}
        for name in ("introducer_nodeid", "server_nodeid")
    }
    vouched: set[tuple[str, str]] = set()
    for position, fact in enumerate(facts):
        if fact.channel != REMOTE:
            continue
        channel = None
        if fact.field == "introducer_nodeid" and fact.value in printed:
            channel = CERTIFIED
        elif fact.field in ("introducer_node_pem", "server_node_pem"):
            tub_id = tub_id_of_pem(fact.value)
            node_id = fact.field.replace("node_pem", "nodeid")
            if fact.field == "introducer_node_pem" and tub_id in printed:
                channel = CERTIFIED if key_fits(fact.value) else BROKEN_KEY
            elif fact.field == "introducer_node_pem" and printed and not is_restored:
                pass
            elif tub_id is not None and {tub_id} == stated[node_id]:
                channel = PAIRED if key_fits(fact.value) else BROKEN_KEY
                vouched.add((node_id, tub_id))
        if channel is not None:
            facts[position] = fact._replace(channel=channel)
    private = {f.value for f in facts if f.field == "server_node_privkey" and f.channel == REMOTE}
    if len(private) == 1 and any(name == "server_nodeid" for name, _ in vouched):
        vouched |= {("server_node_privkey", value) for value in private}  # read out of the same node in one breath
    for position, fact in enumerate(facts):
        if fact.channel == REMOTE and (fact.field, fact.value) in vouched:
            facts[position] = fact._replace(channel=PAIRED)


def testify(facts: list[Fact]) -> list[Fact]:
    """Make what a re-record read out of its server its testimony, in place. A damaged key is no voice: these are returned."""
    damaged = []
    for position, fact in enumerate(facts):
        if fact.channel == REMOTE:
            is_broken = fact.field.endswith("_pem") and not key_fits(fact.value)
            facts[position] = fact._replace(channel=BROKEN_KEY if is_broken else TESTIMONY)
            damaged += [fact] if is_broken else []
    return damaged


def external_furl(facts: list[Fact]) -> list[Fact]:
    """The furl that customers were told, out of a re-record's testimony: its internal furl, at its public address.

    No more than one node.pem, internal furl and public address may be told, and the furl's TubID must be that of the node.pem.
    """
    told = {
        name: {f.value: f for f in facts if f.field == name and f.standing <= LAST_ASSERTING_STANDING}
        for name in ("internal_introducer_furl", "introducer_node_pem", "public_host", "introducer_furl")
    }
    internal, pem, host, printed = told.values()
    if printed or not len(internal) == len(pem) == len(host) == 1:
        return []
    (furl, fact), (key,), (address,) = next(iter(internal.items())), pem, host
    if tub_id_of_pem(key) != tub_id_of_furl(furl) or not key_fits(key):
        return []
    location = furl.partition("@")[2].rpartition("/")[0].partition(",")[0]
    value = f"pb://{tub_id_of_furl(furl)}@{address}:{location.rpartition(':')[2]}/{swissnum_of_furl(furl)}"
    return [fact._replace(field="introducer_furl", value=value, rule="internal furl and public address")]
