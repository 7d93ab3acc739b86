"""Hostile text made fit to be shown."""

from __future__ import annotations

import errno
import os
import re
import shlex
import unicodedata
from collections.abc import Iterable

_NEVER = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SHOWN = 500
_LONGEST = 40
_REASON = re.compile(r"[A-Z0-9_]{1,80}")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")
_PARTS = re.compile(r"[,:;.]? \(|[,:;.] ")
"""Where a part of a sentence ends."""
_SEED = re.compile(r"lae-[^-]+-(.{6})")


def clean(text: object, *, limit: int = _SHOWN) -> str:
    """`text` on one line: control, format (bidi, zero-width) and surrogate characters become `·`, cut at `limit`."""
    shown = "".join("·" if unicodedata.category(c) in _NEVER else c for c in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def shell_word(word: str) -> str:
    """A word for a shell, on one line whatever stands in it: pasted, it is the very same word."""
    if clean(word, limit=len(word) or 1) == word:
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    if clean(character) == character:
        return f"\\{character}" if character in "\\'" else character
    how = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", how))


def shell_line(words: Iterable[str]) -> str:
    """A command to be pasted."""
    return " ".join(map(shell_word, words))


def reason_of(error: BaseException) -> str:
    """Why it failed, in words of the system or of the error's kind: its own text may quote what nobody is to see."""
    import socket  # Whoever has no such error to tell pays nothing for it.

    if isinstance(error, socket.gaierror):
        return (error.strerror or "no such name").lower()
    reason = getattr(error, "reason", None)
    if isinstance(error, OSError) and isinstance(reason, str) and _REASON.fullmatch(reason):  # OpenSSL's
        return reason.replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    several = getattr(error, "errors", None)
    if isinstance(several, dict) and several:  # paramiko's, of each address that was tried
        return reason_of(next(iter(several.values())))
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, EOFError):
        return "it was closed at the other end"
    return _WORDS.sub(" ", type(error).__name__).lower()


def is_one_line(value: str) -> bool:
    """Whether it is the same one line in a configuration file: nothing invisible, no space at its edges."""
    return value.isprintable() and value == value.strip()


def clean_end(text: str, *, limit: int = _SHOWN) -> str:
    """The last `limit` characters of `text`, made fit as by `clean`; lines are parted by ` | `."""
    lines = (clean(line.strip(), limit=limit) for line in text[-2 * limit :].split("\n"))
    return " | ".join(line for line in lines if line)[-limit:]


def counted(number: int, noun: str) -> str:
    """`1 account`, `3 accounts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`hh:mm:ss`."""
    whole = int(max(0.0, seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def spent(seconds: float) -> str:
    """A length of time as people say it: `0.8 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60:02d} s" if whole % 60 else "")
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


def short_name(account_id: str, customer: str) -> str:
    """An account for people, as the audit calls it: its customer, and six characters of its seed."""
    seed = _SEED.match(account_id)
    return f"{clipped(clean(customer))} {clean(seed[1] if seed else account_id[-6:])}"


def shortened(text: str, longest: int) -> str:
    """The beginning of a sentence: it ends with one of its parts if that leaves half of it, else between two words.

    A word is cut only where not even the first one has room.
    """
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    parts = [found.start() for found in _PARTS.finditer(head) if found.start() >= longest // 2]
    words = [found.start() for found in re.finditer(" ", head)]
    return f"{head[: (parts or words or [longest - 2])[-1]]} …"


def clipped(text: str, *, longest: int = _LONGEST) -> str:
    """Text for a cell: what is longer than any address is shortened in its middle."""
    if len(text) <= longest:
        return text
    end = (longest - 1) * 11 // 39
    return f"{text[: longest - 1 - end]}…{text[-end:]}"
