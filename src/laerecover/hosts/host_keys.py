"""Host keys that are known before the host exists."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

from laerecover.hosts.vault import Vault
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal

_KIND = b"ssh-ed25519"
HOST_KEY_FILE = "/etc/ssh/ssh_host_ed25519_key"
"""Where sshd looks for the private half; cloud-init puts the boot key there."""
HOST_KEY_PUBLIC = f"{HOST_KEY_FILE}.pub"
"""The public half, which sshd compares at every connection, and ssh-keygen shows to whoever looks."""
LOGIN = "ubuntu"
"""Whom the operator's key logs in as. Not every image has that user: the user data has cloud-init make it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """`public` is what is pinned (`ssh-ed25519 AAAA…`); `private` is OpenSSH's own format."""

    public: str
    private: Secret

    @property
    def user_data(self) -> Secret:
        """What cloud-init (0.7.5 or newer) reads at first boot: LOGIN is the default user, with the key pair's key and the
        sudo of the image's own; the host answers with this key and no other."""
        return Secret(f"#cloud-config\nuser: {{name: {LOGIN}}}\n{self._keys_alone}")

    @property
    def former_user_data(self) -> Secret:
        """What was sent before the login user stood in it, to the byte: EC2 knows a launch that was begun then by it."""
        return Secret(f"#cloud-config\n{self._keys_alone}")

    @property
    def _keys_alone(self) -> str:
        indented = self.private.reveal().rstrip("\n").replace("\n", "\n    ")
        return (
            f"ssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n    {indented}\n  ed25519_public: {self.public}\n"
        )


Which = Literal["boot", "final"]
"""`boot` travels in the user data, which others can read; `final` replaces it before anything secret is sent."""


def derive_host_key(vault: Vault, client_token: str, which: Which = "final") -> HostKey:
    """One of the two host keys of a launch: the same bytes every time, check-ints too, so that a resumed launch is the same request.

    A library's export draws the check-ints at random, and OpenSSH does not take PKCS8: hence the writing by hand
    (OpenSSH's PROTOCOL.key).
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    material = vault.derive(f"{which} host key {client_token}", 36)
    seed, check = material[:32], material[32:]
    point = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    blob = _string(_KIND) + _string(point)
    body = check + check + _string(_KIND) + _string(point) + _string(seed + point) + _string(b"")
    body += bytes(range(1, 1 + -len(body) % 8))
    whole = (
        b"openssh-key-v1\0" + _string(b"none") * 2 + _string(b"") + struct.pack(">I", 1) + _string(blob) + _string(body)
    )
    text = base64.b64encode(whole).decode("ascii")
    lines = [text[i : i + 70] for i in range(0, len(text), 70)]
    armour = "OPENSSH PRIVATE KEY-----"
    private = "\n".join([f"-----BEGIN {armour}", *lines, f"-----END {armour}", ""])
    return HostKey(public=f"{_KIND.decode()} {base64.b64encode(blob).decode('ascii')}", private=Secret(private))


def public_of(private: Secret) -> str:
    """The public half, as it is pinned, of a private key in OpenSSH's format. Raises ValueError if it is none."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    public = load_ssh_private_key(private.reveal().encode(), password=None).public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def fingerprint(public: str) -> str:
    """`SHA256:…` of a public key as it is pinned, as ssh-keygen and the instance's console print it."""
    try:
        blob = base64.b64decode(public.split()[1], validate=True)
    except (IndexError, ValueError):
        return "(no key)"
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def foreign_key(where: str, *, pinned: str, answered: str) -> Refusal:
    """A host has answered with another public key than the one that is pinned."""
    return Refusal(
        f"{where} answers with another host key ({fingerprint(answered)}) than the one it was given ({fingerprint(pinned)}): "
        "somebody may be in between (MITM); nothing was sent to it. Look at the instance's console before anything else",
        kind="host_key",
    )


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
