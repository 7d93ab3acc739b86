"""Text of the evidence as people may see it: control characters escaped, what looks like a secret masked."""

from __future__ import annotations

import re
import unicodedata

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


def short(text: str) -> str:
    """Text for a narrow terminal: each word of more than 24 letters, digits and dashes is shortened in its middle."""
    return _LONG_WORD.sub(lambda m: f"{m[0][:16]}…{m[0][-6:]}", text)


_LONG_WORD = re.compile(r"[A-Za-z0-9-]{25,}")


def excerpt(text: str) -> str:
    """The beginning of a line that nobody understood: escaped, with whatever looks like a secret masked."""
    return plain(_LIKE_A_SECRET.sub(lambda m: repr(Secret(m[0])), text.rstrip("\n")))
