"""The audit as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from laeforensics.audit import rules
from laeforensics.present._templates import template
from laeforensics.present.cards import summary
from laeforensics.present.explanations import explain

if TYPE_CHECKING:
    from jinja2.environment import TemplateStream

    from laeforensics.case import Case


def page(case: Case) -> str:
    """The whole audit as one HTML page: no script, nothing from elsewhere."""
    return "".join(_page(case))


def write_page(case: Case, path: Path) -> None:
    """Write the page piece by piece: of thousands of accounts it is large, and so are their explanations. Raises OSError."""
    _page(case).dump(str(path), encoding="utf-8", errors="backslashreplace")


def _page(case: Case) -> TemplateStream:
    return template("audit.html").stream(
        s=summary(case),
        meanings={r.name: r.meaning for r in (*rules.VERDICTS, *rules.GRADES)},
        rows=case.audit_rows(),
        explanations=map(explain, case.accounts),
        findings=case.finding_rows(),
    )
