"""A value that may be used but never shown."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn

_SALT = b"lae-recovery fingerprint v1"


class Secret:
    """A secret text (a key, a token, a furl, a private key in PEM).

    It cannot print, format, pickle, copy or JSON itself: whatever shows a `Secret` shows its fingerprint,
    eight hexadecimal digits, by which two values can be compared across places and days.
    Only `reveal()` gives the text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError("a Secret holds text")
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it only where the value is used."""
        return self._text

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of a salted hash: equal texts, equal fingerprints."""
        return hashlib.blake2b(self._text.encode("utf-8", "surrogatepass"), digest_size=4, key=_SALT).hexdigest()

    def __repr__(self) -> str:
        return f"‹secret {self.fingerprint}›"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __len__(self) -> int:
        return len(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is never pickled or copied to disk; pass reveal() to the one who uses it")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
