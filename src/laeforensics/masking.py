"""Text of the evidence as people may see it: control characters escaped, what looks like a secret masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from laeforensics.facts import Residue
from laerecover.manifest import Secret

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LIKE_A_SECRET = re.compile(
    r"(?:secret_?key|usertoken|token) = .*|(?<== )['\"].*|[A-Za-z0-9+/={}]{24,}|pb://\S+|-----BEGIN.*"
)


def plain(text: str) -> str:
    """Text as it may stand on a terminal: control and formatting characters written as escapes."""
    return "".join(
        c if unicodedata.category(c) not in _UNPRINTABLE else c.encode("unicode_escape").decode() for c in text
    )


def short(text: str) -> str:
    """Text in which every word of more than 24 letters, digits and dashes is shortened in its middle, for a narrow terminal."""
    return _LONG_WORD.sub(lambda m: f"{m[0][:16]}…{m[0][-6:]}", text)


_LONG_WORD = re.compile(r"[A-Za-z0-9-]{25,}")


def excerpt(text: str) -> str:
    """The beginning of a line that nobody understood: escaped, with whatever looks like a secret masked."""
    return plain(_LIKE_A_SECRET.sub(lambda m: repr(Secret(m[0])), text.rstrip("\n")))


_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9a-f]{8,}|[0-9]+|[A-Za-z0-9+/=]{16,}")


def residue_kinds(residue: Iterable[Residue]) -> list[dict[str, Any]]:
    """Residue by template: the line with what varies replaced by …, how often, in how many files, and where first."""
    kinds: dict[str, list[Residue]] = {}
    for piece in residue:
        kinds.setdefault(excerpt(_VARIABLE.sub("…", piece.excerpt))[:100], []).append(piece)
    rows = [
        {
            "template": template_,
            "lines": len(found),
            "bytes": sum(r.end - r.start for r in found),
            "files": len({r.evidence for r in found}),
            "first": f"{found[0].evidence}:{found[0].line}",
        }
        for template_, found in kinds.items()
    ]
    return sorted(rows, key=lambda row: (-row["lines"], row["template"]))
