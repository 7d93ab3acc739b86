"""The tables of a case: their columns, their rows, the DataFrame that holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import outcome
from laeforensics.audit import calls, doubts, rules
from laeforensics.audit.judgement import Judgement
from laeforensics.doubting.signups import Signup
from laeforensics.export import extraction
from laeforensics.facts.fact import Residue
from laeforensics.facts.fields import SIGNUP_FIELDS, shown
from laeforensics.facts.masking import excerpt, plain
from laeforensics.parsing.stages import furthest

if TYPE_CHECKING:
    import pandas as pd

Cells = Mapping[str, Any]
"""A row: the value of each column."""
_KINDS = ("fact", "announcement", "local", "remote", "failure", "blank", "residue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a case: `rows` makes them in their order, each with a value for every column."""

    columns: tuple[str, ...]
    rows: Callable[[Judgement], Iterable[Cells]]

    def of(self, judgement: Judgement) -> pd.DataFrame:
        """A DataFrame of dtype object with exactly these columns; None stays None."""
        import pandas as pd  # half a second and forty megabytes: for those alone who want tables

        rows = list(self.rows(judgement))
        frame = pd.DataFrame(
            {name: pd.Series([r[name] for r in rows], dtype=object) for name in self.columns},
            columns=list(self.columns),
        )
        return frame.astype(object)


# -- signups, accounts -------------------------------------------------------------------------------------


def _signup(signup: Signup, role: str) -> Cells:
    """What is missing or not sure is None, secrets are `Secret`."""
    log = signup.log
    return {
        "log_file": signup.name,
        "dialect": log.dialect if log else None,
        "role": role,
        "stage": furthest(signup.stages),
        "outcome": outcome(signup, role),
        **_values(signup.values),
    }


def _account(account: CaseAccount) -> Cells:
    grade = rules.grade(account)
    return {
        "account_id": account.account_id,
        "log_file": account.origin.name if account.origin is not None and account.origin.log is not None else None,
        "verdict": rules.verdict(account).name,
        "grade": grade.name if grade else None,
        "server": None if account.is_attempt else account.server,
        "introducer_identity": account.introducer_identity,
        "storage_identity": account.storage_identity,
        "missing": account.missing,
        "blocking": rules.blocking(account),
        "matched_by": account.matched_by,
        "history": account.history,
        **_values(account.values),
    }


def _values(values: Mapping[str, str]) -> Cells:
    return {name: shown(name, values.get(name)) for name in SIGNUP_FIELDS}


# -- findings, facts ---------------------------------------------------------------------------------------


def _findings(judgement: Judgement) -> Iterator[Cells]:
    for found in judgement.findings:
        told = {name: getattr(found, name) for name in FINDINGS.columns}
        places = tuple(str(place) for place in found.locators)
        yield {**told, "message": plain(found.message), "locators": places}


def _mends(judgement: Judgement) -> Iterator[Cells]:
    return ({name: getattr(mend, name) for name in SHOPPING_LIST.columns} for mend in judgement.mends)


# -- what was read, byte by byte ---------------------------------------------------------------------------


def _residue_of(judgement: Judgement) -> Iterator[Residue]:
    return (residue for log in judgement.reading.logs for residue in log.residue)


def _residue(judgement: Judgement) -> Iterator[Cells]:
    return (
        {"evidence": r.evidence, "line": r.line, "start": r.start, "end": r.end, "excerpt": excerpt(r.excerpt)}
        for r in _residue_of(judgement)
    )


_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9a-f]{8,}|[0-9]+|[A-Za-z0-9+/=]{16,}")


def residue_kinds(residue: Iterable[Residue]) -> list[Cells]:
    """Residue by template: the line with what varies replaced by …, how often, in how many files, and where first."""
    kinds: dict[str, list[Residue]] = {}
    for stretch in residue:
        kinds.setdefault(excerpt(_VARIABLE.sub("…", stretch.excerpt))[:100], []).append(stretch)
    rows = [
        {
            "template": template,
            "lines": len(found),
            "bytes": sum(r.end - r.start for r in found),
            "files": len({r.evidence for r in found}),
            "first": f"{found[0].evidence}:{found[0].line}",
        }
        for template, found in kinds.items()
    ]
    return sorted(rows, key=lambda row: (-row["lines"], row["template"]))


def _coverage(judgement: Judgement) -> Iterator[Cells]:
    for log in judgement.reading.logs:
        sizes = {kind: log.sizes[kind] for kind in _KINDS}
        yield {"log_file": log.evidence, "dialect": log.dialect, "bytes": log.size, **sizes}


# -- the tables --------------------------------------------------------------------------------------------

SIGNUPS = Table(
    columns=("log_file", "dialect", "role", "stage", "outcome", *SIGNUP_FIELDS),
    rows=lambda judgement: (_signup(s, judgement.roles[s.name]) for s in judgement.joined),
)
AUDIT = Table(
    columns=(
        "account_id",
        "log_file",
        "verdict",
        "grade",
        "server",
        "introducer_identity",
        "storage_identity",
        "missing",
        "blocking",
        "matched_by",
        "history",
        *SIGNUP_FIELDS,
    ),
    rows=lambda judgement: map(_account, judgement.accounts),
)
CALLS = Table(
    columns=("account_id", "function", "callable", "blocked_by"), rows=lambda judgement: calls.rows(judgement.accounts)
)
DOUBTS = Table(columns=doubts.COLUMNS, rows=lambda judgement: doubts.rows(judgement.accounts))
FINDINGS = Table(columns=("code", "severity", "signup", "field", "message", "remedy", "locators"), rows=_findings)
FACTS = Table(
    columns=extraction.COLUMNS, rows=lambda judgement: extraction.rows(judgement.signups, judgement.reading.files)
)
SHOPPING_LIST = Table(columns=("evidence", "effect", "fields", "accounts"), rows=_mends)
RESIDUE = Table(columns=("evidence", "line", "start", "end", "excerpt"), rows=_residue)
RESIDUE_KINDS = Table(
    columns=("template", "lines", "bytes", "files", "first"),
    rows=lambda judgement: residue_kinds(_residue_of(judgement)),
)
COVERAGE = Table(columns=("log_file", "dialect", "bytes", *_KINDS), rows=_coverage)
