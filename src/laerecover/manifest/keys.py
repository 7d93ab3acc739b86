"""The manifest's key, in a file of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from pathlib import Path

from laerecover.manifest.errors import KeyFileRefused
from laerecover.manifest.secret import Secret

_KEY_BYTES = 32


def default_key_file() -> Path:
    """`manifest.key` in the user's configuration folder (XDG_CONFIG_HOME, else ~/.config)."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "lae-recovery" / "manifest.key"


def read_key(key_file: Path, *, manifest: Path) -> bytes:
    """The 32 bytes of the key file.

    Raises KeyFileRefused: no such file, not 32 bytes, readable by others, or lying beside the manifest.
    """
    where = str(key_file)
    if key_file.resolve().parent == manifest.resolve().parent:
        raise KeyFileRefused(
            "the key lies beside the manifest",
            where=where,
            next_step="move it to another folder and pass --key-file; nothing was started",
        )
    try:
        found = key_file.stat()
        key = key_file.read_bytes()
    except OSError as error:
        raise KeyFileRefused(
            f"the key file cannot be read: {error.strerror}",
            where=where,
            next_step="pass --key-file with the file that `laeforensics audit` named; nothing was started",
        ) from None
    if len(key) != _KEY_BYTES:
        raise KeyFileRefused(
            f"the key file holds {len(key)} bytes, not {_KEY_BYTES}",
            where=where,
            next_step="pass --key-file with the right file",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        mine = found.st_uid == os.getuid()
        after = (
            f"chmod 600 {shlex.quote(where)}" if mine else "it is another user's: pass --key-file with your own copy"
        )
        raise KeyFileRefused("the key file is open to others", where=where, next_step=f"{after}; nothing was started")
    return key


def key_fingerprint(key_file: Path, *, manifest: Path) -> str:
    """Eight digits by which people compare keys, by telephone even, without showing one. Raises KeyFileRefused."""
    return Secret(read_key(key_file, manifest=manifest).hex()).fingerprint


def make_key(key_file: Path, *, manifest: Path) -> bytes:
    """The key in `key_file`, which is drawn and written (mode 0600) if there is none yet."""
    if key_file.resolve().parent == manifest.resolve().parent or key_file.exists():
        return read_key(key_file, manifest=manifest)
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(key_file, manifest=manifest)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
