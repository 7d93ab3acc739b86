"""Node identities of Tahoe-LAFS: TubIDs, furls, and what is restored of them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from laerecover.manifest import Account, Secret

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
    """The TubID that a node.pem gives: base32 of the SHA-1 of its certificate in DER. Raises ValueError."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    body = node_pem.reveal().partition(begin)[2].partition(end)[0]
    if not body.strip():
        raise ValueError("that node.pem holds no certificate")
    der = base64.b64decode("".join(body.split()), validate=True)
    return base64.b32encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode("ascii").rstrip("=").lower()


def restored_introducer(account: Account) -> tuple[Secret | None, Secret | None]:
    """node.pem and furl of the introducer that may be restored: never a BROKEN key, never a furl that does not fit."""
    if account.introducer_identity not in RESTORED or account.introducer_node_pem is None:
        return None, None
    furl = account.introducer_furl
    if furl is not None and parse_furl(furl).tub_id != tub_id_of(account.introducer_node_pem):
        return account.introducer_node_pem, None
    return account.introducer_node_pem, furl


def restored_storage(account: Account) -> tuple[Secret | None, Secret | None]:
    """node.pem and node.privkey of the storage node that may be restored."""
    if account.storage_identity not in RESTORED or account.server_node_pem is None:
        return None, None
    return account.server_node_pem, account.server_node_privkey
