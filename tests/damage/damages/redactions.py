"""Values blacked out by somebody before the evidence was handed on: none of what stands there now is a value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from damages.classes import damage
from damages.hurting import Hurt
from damages.witnesses import Witness

Blacking = Callable[[bytes], bytes]
KEYS = ("user_access_key_id", "user_secret_key")
TOKENS = ("user_token", "product_token")
# What every manual of the provider of the storage shows.
EXAMPLE = {
    "user_access_key_id": b"AKIAIOSFODNN7EXAMPLE",
    "user_secret_key": b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}


def _all_of(letter: bytes) -> Blacking:
    return lambda value: letter * len(value)


def _middle(letter: bytes) -> Blacking:
    return lambda value: value[:4] + letter * (len(value) - 8) + value[-4:]


def _dots(value: bytes) -> bytes:
    return value[:4] + "…".encode() + value[-4:]


def _token(value: bytes) -> bytes:
    return value[: value.index(b"}") + 1] + b"X" * (len(value) - value.index(b"}") - 1)


def _word(text: bytes) -> Blacking:
    return lambda value: text


def _black(hurt: Hurt, where: str, fields: tuple[str, ...], how: Callable[[Witness], Blacking]) -> None:
    kinds = {"log": ("log", "relayed"), "secrets": ("secrets",), "everywhere": ("log", "relayed", "secrets")}[where]
    files = hurt.written.files
    for path in sorted({w.path for w in hurt.written.witnesses if w.kind in kinds}):
        told = [w for w in hurt.written.of_file(path) if w.field in fields and w.kind in kinds and not _whole(w)]
        if told:
            edits = {(w.start, w.end, how(w)(files[path][w.start : w.end])) for w in told}
            hurt.edit(path, *edits, effect="gone")


def _whole(witness: Witness) -> bool:
    """True if only the whole output is known to tell it (in a log whose every byte has a mark of its own)."""
    return witness.end - witness.start > len(witness.value.encode()) + 200


def _register(name: str, where: str, fields: tuple[str, ...], blacking: Blacking, how: str) -> None:
    place = {"log": "all logs", "secrets": "all secrets files", "everywhere": "all logs and secrets files"}[where]
    alone = {"log": "logs", "secrets": "secrets"}.get(where)

    @damage(name, f"blacked out in {place} ({how}): {', '.join(fields)}", alone=alone)
    def make(hurt: Hurt) -> None:
        _black(hurt, where, fields, lambda w: blacking)


_register("log-redacted-secret-x", "log", ("user_secret_key",), _all_of(b"X"), "an X for each character")
_register("log-redacted-keys-middle", "log", KEYS, _middle(b"x"), "four characters left at either end")
_register("log-redacted-keys-dots", "log", KEYS, _dots, "three dots for the middle")
_register("log-redacted-word", "log", (*KEYS, *TOKENS), _word(b"[REDACTED]"), "[REDACTED]")
_register("log-redacted-stars", "log", (*KEYS, *TOKENS), _word(b"***"), "***")
_register("log-redacted-tokens", "log", TOKENS, _token, "an X for each character behind the braces")
_register("secrets-redacted-secret-x", "secrets", ("user_secret_key",), _all_of(b"X"), "an X for each character")
_register("redacted-everywhere-x", "everywhere", KEYS, _all_of(b"X"), "an X for each character")


def _digest(value: bytes) -> bytes:
    return hashlib.sha1(value).hexdigest().encode()


def _filler(value: bytes) -> bytes:
    return (value[:4] + b"Dummy" * len(value))[: len(value)]


_register("log-redacted-secret-digest", "log", ("user_secret_key",), _digest, "its digest in its place")
_register("secrets-redacted-secret-digest", "secrets", ("user_secret_key",), _digest, "its digest in its place")
_register("log-redacted-keys-filler", "log", KEYS, lambda v: _filler(v).upper(), "a word fills the place")


@damage(
    "log-example-keys",
    "the keys of the provider's manual stand in the place of the customers', in all logs",
    alone="logs",
)
def example_keys(hurt: Hurt) -> None:
    _black(hurt, "log", KEYS, lambda w: _word(EXAMPLE[w.field]))


@damage("log-redacted-email", "the local part of every address in the logs is blacked out")
def log_email(hurt: Hurt) -> None:
    _black(hurt, "log", ("customer_email",), lambda w: lambda value: re.sub(rb"^[^@]*", b"xxxxx", value))


@damage("log-email-as-in-archives", "addresses in the logs have three letters and dots, as archives of mails show them")
def email_as_in_archives(hurt: Hurt) -> None:
    short = re.compile(rb"^([^@]{1,3})[^@]*")
    _black(hurt, "log", ("customer_email",), lambda w: lambda value: short.sub(rb"\1...", value))
