"""EC2's key pair beside the private key that is to open what was launched with it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laerecover.adapters.aws import make_client
from laerecover.ports.own_side import Seen
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.settings import Settings

_HASHES = {16: "md5", 20: "sha1", 32: "sha256"}
"""Octets of a fingerprint -> how it was made.

EC2's are MD5 of an imported RSA key's public half, SHA-1 of the private half of one that EC2 has made, SHA-256 of an
Ed25519 key; other clouds hash other forms of a key, so that any form will do.
"""
_HEX = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2})+")


def try_key_pair(settings: Settings) -> Seen:
    """Whether the admin's key is the key pair's by its fingerprint; said to be unproved where nobody can tell."""
    from botocore.exceptions import BotoCoreError, ClientError

    name, path = settings.config.admin_keypair_name, settings.config.admin_privkey_path
    filters = [{"Name": "key-name", "Values": [name]}]
    try:
        answer: list[Any] = make_client(settings, "ec2").describe_key_pairs(Filters=filters)["KeyPairs"]
    except (ClientError, BotoCoreError, ValueError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        return _seen(name, f"unproved: {clean(code or type(error).__name__)}")
    found = [each for each in answer if each.get("KeyName") == name]  # A filter's `*` stands for others, too.
    if not found:
        return _seen(name, "unproved: EC2 has no such key pair")
    return compared(name, path, str(found[0].get("KeyFingerprint", "")))


def compared(name: str, path: Path, told: str) -> Seen:
    """The key in that file beside what is `told` as the key pair's fingerprint."""
    octets, forms = _octets(told), list(_forms(path))
    if octets is None or not forms:
        why = "the admin's key cannot be read" if not forms else "EC2 tells no fingerprint of it that is known here"
        return _seen(name, f"unproved: {why}")
    kind = _HASHES[len(octets)]
    own = [hashlib.new(kind, form, usedforsecurity=False).digest() for form in forms]
    if octets in own:
        return _seen(name, f"that of the admin's key: {clean(told)}")
    ours = own[1] if kind == "sha1" else own[2] if kind == "sha256" else own[0]
    remedy = "name this key pair's own private half in admin_privkey_path, or the key pair whose half it is"
    return _seen(name, f"it has {clean(told)}, and {path} has {_written(ours, told)}: not one key", remedy)


def _seen(name: str, said: str, remedy: str = "") -> Seen:
    where = f"admin_keypair_name: {clean(name)}"
    return Seen(what="key pair", where=where, said=said, remedy=remedy, blocks=bool(remedy))


def _octets(told: str) -> bytes | None:
    """Of a fingerprint as it is written; None if it is none of a length that is known."""
    try:
        text = told.removeprefix("SHA256:").rstrip("=")
        octets = (
            bytes.fromhex(told.replace(":", ""))
            if _HEX.fullmatch(told)
            else base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        )
    except ValueError:
        return None
    return octets if len(octets) in _HASHES else None


def _written(octets: bytes, told: str) -> str:
    """In the manner of the one that was told."""
    return octets.hex(":") if _HEX.fullmatch(told) else base64.b64encode(octets).decode("ascii")


def _forms(path: Path) -> Iterator[bytes]:
    """What is hashed of a key: its public half, its private one, and the public one as OpenSSH has it; nothing of one
    that cannot be read.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
        load_ssh_private_key,
    )

    try:
        content = path.read_bytes()
        load: Any = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
        key = load(content, password=None)
        public = key.public_key()
        ssh = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        forms = (
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            base64.b64decode(ssh.split()[1]),
        )
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return
    yield from forms
