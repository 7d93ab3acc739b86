"""laeforensics: from the evidence that signups left behind to audited accounts.

import laeforensics as lf
case = lf.open_case("evidence/")
case.audit                 # one row per account
case.explain("ann@example.org")
case.export("manifest.parquet")

Everything that a script or a notebook needs is a name of this package; what lies in its rooms may move.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laeforensics.audit.rules import GRADES, VERDICTS
    from laeforensics.case import Case, open_case
    from laeforensics.errors import (
        ClosedListError,
        CustodyError,
        DecisionError,
        EvidenceError,
        ExtractionError,
        ForensicsError,
        InventoryError,
        StatementError,
        UnknownKey,
    )
    from laeforensics.evidence.names import start_of
    from laeforensics.facts.fields import SIGNUP_FIELDS
    from laeforensics.facts.findings import CODES
    from laeforensics.facts.masking import plain
    from laeforensics.parsing.stages import STAGES

__all__ = [
    "CODES",
    "GRADES",
    "SIGNUP_FIELDS",
    "STAGES",
    "VERDICTS",
    "Case",
    "ClosedListError",
    "CustodyError",
    "DecisionError",
    "EvidenceError",
    "ExtractionError",
    "ForensicsError",
    "InventoryError",
    "StatementError",
    "UnknownKey",
    "open_case",
    "plain",
    "start_of",
]

# Where each name lives, if not among the errors. Imported when first asked for: parser and tables take their time.
_HOMES = {
    "CODES": "facts.findings",
    "Case": "case",
    "GRADES": "audit.rules",
    "SIGNUP_FIELDS": "facts.fields",
    "STAGES": "parsing.stages",
    "VERDICTS": "audit.rules",
    "open_case": "case",
    "plain": "facts.masking",
    "start_of": "evidence.names",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'laeforensics' has no attribute {name!r}")
    return getattr(import_module(f"laeforensics.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
