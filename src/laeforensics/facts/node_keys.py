"""The keys of a node: what its furl tells of them, whether the private key fits the certificate."""

from __future__ import annotations

import warnings
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers


_BEGIN, _END = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----"


def tub_id_of_furl(furl: str) -> str:
    """The TubID in `pb://TUBID@LOCATION/SWISSNUM`."""
    return furl.removeprefix("pb://").partition("@")[0]


def swissnum_of_furl(furl: str) -> str:
    """The swissnum in `pb://TUBID@LOCATION/SWISSNUM`."""
    return furl.rpartition("/")[2]


def furl_at(furl: str, address: str) -> str:
    """The node's furl at another address, with the port of its first hint."""
    location = furl.partition("@")[2].rpartition("/")[0].partition(",")[0]
    return f"pb://{tub_id_of_furl(furl)}@{address}:{location.rpartition(':')[2]}/{swissnum_of_furl(furl)}"


def host_of_furl(furl: str) -> str:
    """The first host in `pb://TUBID@HOST:PORT,HOST:PORT/SWISSNUM`."""
    return furl.partition("@")[2].rpartition("/")[0].partition(",")[0].rpartition(":")[0]


def port_of_furl(furl: str) -> str:
    """The first port in `pb://TUBID@HOST:PORT,HOST:PORT/SWISSNUM`."""
    return furl.partition("@")[2].rpartition("/")[0].partition(",")[0].rpartition(":")[2]


@lru_cache(maxsize=4096)
def key_fits(pem: str) -> bool:
    """True if `pem` holds a certificate and the RSA private key that belongs to it, whole.

    RSA of 1024 bits and MD5 or SHA-1 signatures are normal for 2012; the signature of the certificate is not judged.
    The key's numbers are checked against each other here: that finds a damaged key, for a four-hundredth of the price
    of the library's own check, which also proves the primes.
    """
    x509, rsa, load_pem_private_key = _library()
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
    # The library's refusals have no common base (InvalidVersion is an Exception), and grow in number.
    except Exception:  # noqa: BLE001  as said above
        return False


@cache
def _library() -> tuple[Any, Any, Any]:
    """What reads certificates and keys: loaded when the first is read, and looked for once."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return x509, rsa, load_pem_private_key


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
