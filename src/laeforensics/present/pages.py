"""The audit as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.export import tables
from laeforensics.present._templates import template
from laeforensics.present.cards import summary
from laeforensics.present.explanations import explain

if TYPE_CHECKING:
    from jinja2.environment import TemplateStream


def page(judgement: Judgement) -> str:
    """The whole audit as one HTML page: no script, nothing from elsewhere."""
    return "".join(_page(judgement))


def write_page(judgement: Judgement, path: Path) -> None:
    """Write the page piece by piece: of thousands of accounts it is large, and so are their explanations.

    Raises OSError.
    """
    _page(judgement).dump(str(path), encoding="utf-8", errors="backslashreplace")


def _page(judgement: Judgement) -> TemplateStream:
    return template("audit.html").stream(
        s=summary(judgement),
        meanings={r.name: r.meaning for r in (*rules.VERDICTS, *rules.GRADES)},
        rows=tables.audit_rows(judgement),
        explanations=map(explain, judgement.accounts),
        findings=tables.finding_rows(judgement),
    )
