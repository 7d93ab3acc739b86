"""Why a manifest is refused: each error says what, where and what next."""

from __future__ import annotations


class OperatorError(Exception):
    """Something that cannot be done; `what`, `where` and `next_step` say so in words for an operator."""

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{what} · {where} · {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step


class ManifestError(OperatorError):
    """A manifest that cannot be trusted; nothing was started.

    ManifestError
     ├─ ManifestUnreadable   no such file, cut, changed bytes, wrong key
     ├─ ManifestInvalid      wrong version, missing column, duplicate account, impossible value
     └─ KeyFileRefused       no key file, loose permissions, key beside the manifest
    """


class ManifestUnreadable(ManifestError):
    """The file cannot be read as an encrypted manifest."""


class ManifestInvalid(ManifestError):
    """The file is a manifest, but a row or a column of it cannot be right."""


class KeyFileRefused(ManifestError):
    """The key file is missing or not kept safely."""
