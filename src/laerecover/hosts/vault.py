"""Secrets at rest in the state folder: one sealed file per account, under the manifest's key."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Secret
from laerecover.writing import write_atomically

_NONCE = 12


class Vault:
    """AES-256-GCM under a key derived from the manifest's key file; each text is bound to its name."""

    def __init__(self, folder: Path, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._folder = folder
        self._key = key
        self._cipher = AESGCM(self.derive("vault"))

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Bytes that only the holder of the key file can know, the same ones every time (HKDF-SHA256)."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"lae-recovery {purpose}".encode()).derive(
            self._key
        )

    def seal(self, name: str, secret: Secret) -> bytes:
        """The secret's text, sealed; `name` must be given again to open it."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret.reveal().encode("utf-8", "surrogatepass"), name.encode())

    def open(self, name: str, sealed: bytes) -> Secret:
        """Raises LaeRecoverError if the bytes were changed, moved or sealed under another key."""
        from cryptography.exceptions import InvalidTag

        try:
            text = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise LaeRecoverError(
                "a sealed secret cannot be opened",
                where=str(self._folder),
                next_step="use the key file that this state was begun with",
            ) from None
        return Secret(text.decode("utf-8", "surrogatepass"))

    def save(self, account_id: str, secrets: Mapping[str, Secret]) -> None:
        """Add these secrets to what is kept of the account; on disk before this returns."""
        kept = {**self.load(account_id), **secrets}
        body = Secret(json.dumps({name: secret.reveal() for name, secret in sorted(kept.items())}))
        path = self._path(account_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, self.seal(f"account {account_id}", body))

    def load(self, account_id: str) -> dict[str, Secret]:
        """What is kept of the account; empty if nothing is."""
        try:
            sealed = self._path(account_id).read_bytes()
        except FileNotFoundError:
            return {}
        body = json.loads(self.open(f"account {account_id}", sealed).reveal())
        return {name: Secret(text) for name, text in body.items()}

    def _path(self, account_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(account_id.encode()).hexdigest()[:32]}.sealed"
