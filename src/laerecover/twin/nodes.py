"""What a Tahoe-LAFS node does with its identity when it starts."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from laerecover.identity import parse_furl, tub_id_of
from laerecover.manifest import Secret
from laerecover.ports import Refusal


def start_node(service: str, folder: str, held: Mapping[str, Secret]) -> tuple[str, dict[str, Secret]]:
    """The node's TubID, and the files it makes because they are missing.

    As real ones: node.pem alone keeps the TubID but draws a new swissnum; a furl that does not fit ends the start
    (WrongTubIdError); a storage node needs its tahoe.cfg, its furl and its S3 secret.
    """
    if f"{folder}/tahoe.cfg" not in held:
        raise Refusal(f"{service}: no tahoe.cfg", kind="service_failed")
    made: dict[str, Secret] = {}
    pem = held.get(f"{folder}/private/node.pem")
    if pem is None:
        pem = made[f"{folder}/private/node.pem"] = new_node_pem()
    tub_id = tub_id_of(pem)
    if service == "introducer":
        furl_file = f"{folder}/private/introducer.furl"
        if furl_file not in held:
            made[furl_file] = _new_furl(tub_id)
        elif parse_furl(held[furl_file]).tub_id != tub_id:
            raise Refusal("introducer: WrongTubIdError", kind="service_failed")
    elif "introducer.furl = pb://" not in held[f"{folder}/tahoe.cfg"].reveal():
        raise Refusal(f"{service}: no introducer.furl", kind="service_failed")
    elif f"{folder}/private/s3secret" not in held:
        raise Refusal(f"{service}: no s3secret", kind="service_failed")
    return tub_id, made


def _new_furl(tub_id: str) -> Secret:
    swissnum = base64.b32encode(os.urandom(20)).decode("ascii").lower()
    return Secret(f"pb://{tub_id}@127.0.0.1:12345/{swissnum}")


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
