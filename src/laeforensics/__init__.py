"""laeforensics: from the evidence that signups left behind to audited accounts.

import laeforensics as lf
case = lf.open_case("evidence/")
case.audit                 # one row per account
case.explain("ann@example.org")
case.export("manifest.parquet")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laeforensics.case import Case, open_case
    from laeforensics.errors import EvidenceError, ForensicsError, UnknownKey

__all__ = ["Case", "EvidenceError", "ForensicsError", "UnknownKey", "open_case"]


def __getattr__(name: str) -> Any:
    # Heavy imports happen where they are used.
    if name in ("Case", "open_case"):
        from laeforensics import case

        return getattr(case, name)
    if name in ("EvidenceError", "ForensicsError", "UnknownKey"):
        from laeforensics import errors

        return getattr(errors, name)
    raise AttributeError(f"module 'laeforensics' has no attribute {name!r}")
