"""The rig's keys: a certificate authority of its own for mail, key pairs for ssh."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from laerecover.rehearsal.rig.tools import do

_DAYS = 30


def make_certificate(folder: Path, address: str, now: datetime) -> None:
    """`ca.pem` for whoever connects, `server.pem` and `server.key` for the server at `address`."""
    authority_key, authority = ec.generate_private_key(ec.SECP256R1()), _name("a rig's own authority")
    server_key = ec.generate_private_key(ec.SECP256R1())
    signing = x509.BasicConstraints(ca=True, path_length=0)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    issued = _begin(authority, authority, authority_key, now).add_extension(signing, critical=True)
    ca = issued.add_extension(usage, critical=True).sign(authority_key, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    server = _begin(_name(address), authority, server_key, now).add_extension(names, critical=False)
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(server.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(key)


def make_ssh_key(path: Path) -> str:
    """A key pair in OpenSSH's format at `path` and `path`.pub; gives the public line."""
    path.unlink(missing_ok=True)
    do(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)])
    return path.with_name(f"{path.name}.pub").read_text().strip()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
    )
