"""Text of the evidence as people may see it: control characters escaped, what looks like a secret masked."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable

from laerecover.manifest import Secret

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LIKE_A_SECRET = re.compile(
    r"(?:secret_?key|usertoken|token) = .*|(?<== )['\"].*|[A-Za-z0-9+/={}]{24,}|pb://\S+|-----BEGIN.*"
)


def plain(text: str) -> str:
    """Text as it may stand on a terminal: control and formatting characters written as escapes."""
    if text.isprintable():  # nearly every text is; and the look at each character is slow
        return text
    return "".join(
        c if unicodedata.category(c) not in _UNPRINTABLE else c.encode("unicode_escape").decode() for c in text
    )


def command(words: Iterable[str]) -> str:
    """A command line that can be copied as it is printed: bash reads every word of it as it is meant."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    shown = plain(word)
    if shown == word:
        return shlex.quote(word)
    escaped = plain(word.replace("\\", "\\\\").replace("'", "\\'"))
    return f"$'{_UPPER_HALF.sub(_AS_CHARACTER, escaped)}'"


_UPPER_HALF, _AS_CHARACTER = re.compile(r"(?<!\\)((?:\\\\)*)\\x([89a-f][0-9a-f])"), r"\1\\u00\2"
"""Behind \\x bash reads a byte, where a character is meant."""


def short(text: str) -> str:
    """Text for a narrow terminal: each word of more than 24 letters, digits and dashes is shortened in its middle."""
    return _LONG_WORD.sub(lambda m: f"{m[0][:16]}…{m[0][-6:]}", text)


_LONG_WORD = re.compile(r"[A-Za-z0-9-]{25,}")


def excerpt(text: str) -> str:
    """The beginning of a line that nobody understood: escaped, with whatever looks like a secret masked."""
    return plain(_LIKE_A_SECRET.sub(lambda m: repr(Secret(m[0])), text.rstrip("\n")))
