"""The tables of a case, as pandas holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from laeforensics.accounts.outcome import outcome
from laeforensics.facts.fact import Residue
from laeforensics.facts.fields import SIGNUP_FIELDS, shown
from laeforensics.facts.masking import excerpt
from laeforensics.joining.signups import Signup
from laeforensics.parsing.stages import furthest

if TYPE_CHECKING:
    import pandas as pd

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


COLUMNS = ("log_file", "dialect", "role", "stage", "outcome", *SIGNUP_FIELDS)


def row(signup: Signup, role: str) -> dict[str, Any]:
    """The signup's row: what is missing or not sure is None, secrets are `Secret`."""
    log = signup.log
    values: dict[str, Any] = {
        "log_file": signup.name,
        "dialect": log.dialect if log else None,
        "role": role,
        "stage": furthest(log.stages) if log else None,
        "outcome": outcome(signup, role),
    }
    for name in SIGNUP_FIELDS:
        values[name] = shown(name, signup.values.get(name))
    return values


def table(rows: list[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A DataFrame of dtype object with exactly these columns; None stays None."""
    import pandas as pd  # half a second and forty megabytes: for those alone who want tables

    frame = pd.DataFrame(
        {name: pd.Series([r[name] for r in rows], dtype=object) for name in columns}, columns=list(columns)
    )
    return frame.astype(object)
