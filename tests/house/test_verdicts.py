"""docs/verdicts.md says what the code says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from laeforensics.audit.rules import GRADES, VERDICTS
from laeforensics.facts.findings import BLOCKING, CODES, NOTE, WARNING
from laeforensics.facts.reasons import ASSURES, DENIES, LESSENS, RAISES, REASONS, UNSURE
from laeforensics.parsing.stages import STAGES
from laerecover import manifest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdicts.md"
UPDATE = "LAE_UPDATE_DOCS"
SO = {DENIES: "is no voice", UNSURE: "asserts nothing by itself", LESSENS: "counts for less"}
SO |= {ASSURES: "is sure all the same", RAISES: "counts for more"}
# Codes that are promised, but that no module gives yet. One may be struck off, none may be added.
NEVER_GIVEN = []


def rows(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    cells = [head, tuple("---" for _ in head), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def page() -> str:
    """The whole page."""
    order = (BLOCKING, WARNING, NOTE)
    reasons = [(f"`{code}`", SO[one.weight], one.means, one.remedy) for code, one in sorted(REASONS.items())]
    codes = sorted(CODES.items(), key=lambda item: (order.index(item[1][0]), item[0]))
    parts = [
        "# Verdicts, grades, findings, stages",
        f"Written from the code, and held to it by a test. "
        f"To write it again: `{UPDATE}=1 pytest tests/house/test_verdicts.py`.",
        "## Verdicts",
        "Each account and each attempt gets the first verdict that holds.",
        rows(("verdict", "it means", "what next"), [(f"`{r.name}`", r.meaning, r.remedy) for r in VERDICTS]),
        "## Grades",
        "What a recovery costs the customer: the first grade that holds. An attempt has none.",
        rows(
            ("grade", "it means", "what would make it better"), [(f"`{r.name}`", r.meaning, r.remedy) for r in GRADES]
        ),
        "## Findings",
        "A *blocking* finding needs a decision or a mended file, a *warning* a look, a *note* nothing.",
        rows(("code", "severity", "what next"), [(f"`{code}`", sev, remedy) for code, (sev, remedy) in codes]),
        "## Reasons",
        "Why a witness counts for less, or for more, than it came: `laeforensics explain` tells the words, the table "
        "`case.doubts` the code as well, both with the places that speak for it.",
        rows(("reason", "the witness", "because", "what next"), reasons),
        "## Stages",
        "How far a signup came, in the order in which the stages are reached; `recorded` ends a re-record run alone.",
        "\n".join(f"{number}. `{stage}`" for number, stage in enumerate(STAGES, 1)),
    ]
    return "\n\n".join(parts) + "\n"


def test_the_page_is_what_the_code_says():
    """Every verdict, grade, finding code, reason and stage stands on the page with the code's own words."""
    if os.environ.get(UPDATE):
        PAGE.write_text(page(), "utf-8")
    assert PAGE.read_text("utf-8") == page(), (
        f"docs/verdicts.md is stale: {UPDATE}=1 pytest {__file__}, then look at it"
    )


def test_the_contract_knows_the_same_verdicts_and_grades():
    """What the audit can say and what the manifest can hold are the same names."""
    assert {rule.name for rule in VERDICTS} == set(manifest.VERDICTS)
    assert {rule.name for rule in GRADES} == set(manifest.GRADES)


def test_every_code_is_given_by_some_module():
    """A finding that no module can give has no place in the table, but for the listed ones."""
    source = Path(__file__).resolve().parents[2] / "src" / "laeforensics"
    told = "\n".join(path.read_text("utf-8") for path in source.rglob("*.py") if path.name != "findings.py")
    silent = sorted(code for code in CODES if f'"{code}"' not in told)
    assert sorted(set(silent) - set(NEVER_GIVEN)) == [], "give it, or strike it off CODES"
    assert sorted(set(NEVER_GIVEN) - set(silent)) == [], "better than before: strike these off NEVER_GIVEN"


def test_every_reason_is_given_by_some_module():
    """A reason that no module gives has no place in the table."""
    source = Path(__file__).resolve().parents[2] / "src" / "laeforensics"
    told = "\n".join(path.read_text("utf-8") for path in source.rglob("*.py") if path.name != "reasons.py")
    assert sorted(code for code in REASONS if f'"{code}"' not in told) == [], "give it, or strike it off REASONS"
