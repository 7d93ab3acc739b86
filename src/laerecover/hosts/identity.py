"""Node identities of Tahoe-LAFS: TubIDs, furls, and what is restored of them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from laerecover.manifest import Account, Secret, is_node_privkey, tub_id_of_pem
from laerecover.text import is_one_line

RESTORED = ("PROVED", "STATED")
INTRODUCER_PORT = 12345
STORAGE_PORT = 12346


@dataclass(frozen=True, slots=True, kw_only=True)
class Furl:
    """pb://TUBID@LOCATION/SWISSNUM; the swissnum is the capability."""

    tub_id: str
    location: str
    swissnum: Secret

    def at(self, public_host: str) -> Secret:
        """The same capability, reached at another address (the introducer's port of 2012)."""
        return Secret(f"pb://{self.tub_id}@{public_host}:{INTRODUCER_PORT}/{self.swissnum.reveal()}")

    def same_capability(self, other: Furl) -> bool:
        """Whether TubID and swissnum agree; the location may differ."""
        return self.tub_id == other.tub_id and self.swissnum == other.swissnum


def parse_furl(furl: Secret) -> Furl:
    """Raises ValueError, without the furl in its text."""
    text = furl.reveal().strip()
    tub_id, at, rest = text.removeprefix("pb://").partition("@")
    location, slash, swissnum = rest.rpartition("/")
    if not (text.startswith("pb://") and at and slash and tub_id and location and swissnum):
        raise ValueError("that is no furl")
    return Furl(tub_id=tub_id.lower(), location=location, swissnum=Secret(swissnum))


def tub_id_of(node_pem: Secret) -> str:
    """The TubID that a node.pem gives. Raises ValueError."""
    found = tub_id_of_pem(node_pem.reveal())
    if found is None:
        raise ValueError("that node.pem holds no certificate")
    return found


def restored_introducer(account: Account) -> tuple[Secret | None, Secret | None]:
    """node.pem and furl of the introducer that may be restored: never a BROKEN key, never a furl that does not fit."""
    if account.introducer_identity not in RESTORED or account.introducer_node_pem is None:
        return None, None
    furl = account.introducer_furl
    if furl is not None and parse_furl(furl).tub_id != tub_id_of(account.introducer_node_pem):
        return account.introducer_node_pem, None
    return account.introducer_node_pem, furl


def restored_storage(account: Account) -> tuple[Secret | None, Secret | None]:
    """node.pem and node.privkey of the storage node that may be restored: never a privkey with which no node starts."""
    if account.storage_identity not in RESTORED or account.server_node_pem is None:
        return None, None
    return account.server_node_pem, _startable(account.server_node_privkey)


def _startable(privkey: Secret | None) -> Secret | None:
    return privkey if privkey is not None and is_node_privkey(privkey.reveal()) else None


def unfit(account: Account) -> str:
    """Which of the values that would be restored cannot be right, so that nothing is launched for it; "" if all can."""
    try:
        introducer, furl = restored_introducer(account)
    except ValueError:
        return "introducer_node_pem or introducer_furl"
    storage, _ = restored_storage(account)
    for name, pem in (("introducer_node_pem", introducer), ("server_node_pem", storage)):
        try:
            if pem is not None:
                tub_id_of(pem)
                _is_weak(pem)
        except Exception:  # noqa: BLE001  hostile text: whatever its parser says, it is no certificate
            return name
    if furl is not None and not re.fullmatch(r"[!-~]+", furl.reveal().strip()):
        return "introducer_furl"
    return ""


def unfit_store(account: Account) -> str:
    """Which of the values that open its bucket fits into no configuration, so that nothing is launched for it; ""."""
    secret = account.user_secret_key
    values = {
        "bucket_name": account.bucket_name,
        "user_access_key_id": account.user_access_key_id,
        "user_secret_key": secret.reveal() if secret is not None else None,
    }
    return next((name for name, value in values.items() if not is_one_line(value or "")), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """What makes the two nodes who they are; all of it is put in place before they start for the first time."""

    introducer_node_pem: Secret
    introducer_furl: Secret
    server_node_pem: Secret
    server_node_privkey: Secret


def node_keys(
    account: Account, kept: Mapping[str, Secret], *, public_host: str, new_identity: bool = False
) -> NodeKeys:
    """Restored where the account's may be, else those `kept` of an earlier attempt, else new ones.

    `kept`: as in the vault (`furl`, `introducer_node_pem`, …). `new_identity`: nothing of the account's is restored,
    nor what was kept of it. The caller saves new keys before it uses them.
    """
    introducer, furl = (None, None) if new_identity else restored_introducer(account)
    storage, privkey = (None, None) if new_identity else restored_storage(account)
    old_tubs = set[str]()
    for old in (account.introducer_node_pem, account.server_node_pem):
        with suppress(ValueError):  # one that is BROKEN may hold anything
            old_tubs |= {tub_id_of(old)} if old is not None else set()

    def kept_pem(name: str) -> Secret | None:
        pem = kept.get(name)
        return None if pem is None or (new_identity and tub_id_of(pem) in old_tubs) else pem

    introducer = introducer or kept_pem("introducer_node_pem") or new_node_pem()
    known = [parse_furl(f) for f in (furl, kept.get("furl")) if f is not None]
    fitting = [f for f in known if f.tub_id == tub_id_of(introducer)]
    new_furl = Furl(tub_id=tub_id_of(introducer), location="", swissnum=Secret(_base32(os.urandom(20))))
    if storage is None and (storage := kept_pem("server_node_pem")) is None:
        storage, kept = new_node_pem(), {}
    return NodeKeys(
        introducer_node_pem=introducer,
        introducer_furl=(fitting or [new_furl])[0].at(public_host),
        server_node_pem=storage,
        server_node_privkey=privkey or _startable(kept.get("server_node_privkey")) or new_node_privkey(),
    )


def every_identity(account: Account, kept: Mapping[str, Secret], keys: NodeKeys) -> frozenset[str]:
    """Each that a recovery has had for the account: the manifest's, those `kept` in its vault, those that come now."""
    known = {
        identity_in(name, secret)
        for name in ("introducer_node_pem", "introducer_furl", "server_node_pem")
        for secret in (getattr(keys, name), getattr(account, name), kept.get(name.replace("introducer_furl", "furl")))
        if secret is not None
    }
    return frozenset(known.union(kept["ours"].reveal().split() if "ours" in kept else ()) - {""})


def identity_in(name: str, secret: Secret) -> str:
    """TubID, or TubID and swissnum, of what the file of that name holds; "" if it cannot be read."""
    try:
        if name != "introducer_furl":
            return tub_id_of(secret)
        furl = parse_furl(secret)
        return f"{furl.tub_id}/{furl.swissnum.reveal()}"
    except ValueError:
        return ""


def new_node_pem() -> Secret:
    """Certificate, then RSA key, as in a node.pem."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "newpb_thingy")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(now + timedelta(days=3650)).sign(key, hashes.SHA256())
    pem = certificate.public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Secret(pem.decode("ascii"))


def new_node_privkey() -> Secret:
    """An Ed25519 seed as in private/node.privkey: it signs the storage node's announcements."""
    return Secret(f"priv-v0-{_base32(os.urandom(32))}\n")


def announced_key(node_privkey: Secret) -> str:
    """`v0-…`, by which a storage node with this node.privkey signs what it announces; "" if none could start."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = node_privkey.reveal().strip()
    if not is_node_privkey(text):
        return ""
    seed = base64.b32decode(text.removeprefix("priv-v0-").upper() + "====")
    return f"v0-{_base32(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())}"


def weak_key(account: Account) -> bool:
    """Whether a node key of the account that is restored is too weak for today's OpenSSL at its default level.

    Then the customer's client needs `CipherString = DEFAULT@SECLEVEL=0` in a file that OPENSSL_CONF names.
    """
    return any(
        pem is not None and _is_weak(pem) for pem in (restored_introducer(account)[0], restored_storage(account)[0])
    )


def any_weak(keys: NodeKeys) -> bool:
    """As weak_key, of the keys that will run."""
    return _is_weak(keys.introducer_node_pem) or _is_weak(keys.server_node_pem)


def _is_weak(node_pem: Secret) -> bool:
    """RSA of less than 2048 bits. Tried: the digest does not matter, MD5 and SHA-1 are served at the default level."""
    from cryptography import x509

    text = node_pem.reveal().encode("ascii", "replace")
    return getattr(x509.load_pem_x509_certificate(text).public_key(), "key_size", 0) < 2048


def _base32(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii").rstrip("=").lower()
