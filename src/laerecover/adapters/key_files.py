"""A private key's file, tried before anybody is asked to log in with it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

from laerecover.hosts.host_keys import fingerprint
from laerecover.ports.own_side import Seen
from laerecover.text import clean, reason_of, shell_word

_PUBLIC = (b"ssh-", b"ecdsa-", b"sk-", b"---- BEGIN SSH2 PUBLIC KEY", b"-----BEGIN PUBLIC KEY")
_PUTTY = b"PuTTY-User-Key-File"


def try_key(path: Path, what: str, *, pair: str = "") -> Seen:
    """Whether it can be used without anybody typing; `pair`: the public half that it should have, if that is known."""
    said, remedy = _trouble(path)
    if not remedy:
        public, said, remedy = _loaded(path)
        if not remedy and pair.split()[:2] != public.split()[:2] and pair:
            said = f"it is no half of the public key beside it: {fingerprint(public)}, not {fingerprint(pair)}"
            remedy = "name the two halves of one key"
        said, remedy = (said, remedy) if remedy else _certificate(path, f"{public.split()[0]} {fingerprint(public)}")
    blocks = bool(remedy)
    if not blocks and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        said, remedy = f"{said}, but it is open to others ({mode:04o})", f"chmod 600 {shell_word(str(path))}"
    return Seen(what=what, where=str(path), said=said, remedy=remedy, blocks=blocks)


def _trouble(path: Path) -> tuple[str, str]:
    """What is seen without reading it as a key: what was found, and what to do."""
    try:
        content = path.read_bytes()[:65536]
    except OSError as error:
        return f"it cannot be read: {error.strerror}", "put it there, readable for whoever runs laerecover"
    if not content.strip():
        return "the file is empty", "put the private key there, or name the file that holds it"
    if content.startswith(_PUTTY):
        return (
            "PuTTY's own format",
            f"puttygen {shell_word(str(path))} -O private-openssh -o OTHER, and name OTHER in its place",
        )
    if content.lstrip().startswith(_PUBLIC):
        return "the public half of a key", "name the private half, the file without .pub, in its place"
    return "", ""


def _loaded(path: Path) -> tuple[str, str, str]:
    """The public half; else what was found, and what to do."""
    import paramiko

    try:
        key = paramiko.PKey.from_path(path)
    except (paramiko.PasswordRequiredException, TypeError):
        what, copied = "it has a passphrase, and nobody is there to type it", shell_word(str(path))
        remedy = f"make a copy without one: cp {copied} COPY; ssh-keygen -p -N '' -f COPY; name COPY in its place"
        return "", what, remedy
    except (ValueError, OSError, paramiko.SSHException, paramiko.UnknownKeyType) as error:
        return "", f"no private key that can be read: {reason_of(error)}", "name OpenSSH's private key in its place"
    # A certificate that lies beside it is taken for the key itself: `_certificate` looks at that.
    return f"{key.get_name()} {key.get_base64()}", "", ""


def _certificate(path: Path, said: str) -> tuple[str, str]:
    """Of a certificate beside the key, which is offered in its place."""
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

    beside = path.with_name(f"{path.name}-cert.pub")
    if not beside.exists():
        return said, ""
    remedy = f"move {beside} away, or have it renewed"
    try:
        certificate = load_ssh_public_identity(beside.read_bytes())
    except (ValueError, OSError) as error:
        return f"{said}; {clean(beside.name)} beside it is no certificate: {reason_of(error)}", remedy
    if not isinstance(certificate, SSHCertificate):
        return f"{said}; {clean(beside.name)} beside it is no certificate", remedy
    now = datetime.now(UTC).timestamp()
    if not certificate.valid_after <= now <= certificate.valid_before:
        last = datetime.fromtimestamp(min(certificate.valid_before, 253402300799), UTC).isoformat()
        return f"{said}; the certificate {clean(beside.name)} beside it is not valid now, but until {last}", remedy
    return f"{said}, with the certificate {clean(beside.name)}", ""
