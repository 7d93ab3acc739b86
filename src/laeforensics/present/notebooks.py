"""What a notebook shows of a case: tables that sort themselves, pictures that answer to the mouse, drawn offline.

Needs the extra [notebooks]. Hostile text is escaped, secrets are fingerprints.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from laeforensics.accounts.account import CaseAccount
from laeforensics.accounts.outcome import outcome
from laeforensics.audit import comparison, rules
from laeforensics.audit.judgement import Judgement
from laeforensics.audit.lookup import account_of
from laeforensics.audit.preference import hint
from laeforensics.audit.questions import asked
from laeforensics.evidence.names import start_of
from laeforensics.export import tables
from laeforensics.export.manifest import manifest_account
from laeforensics.facts.masking import excerpt, plain
from laeforensics.parsing.stages import STAGES, furthest
from laeforensics.present import lines, words
from laeforensics.present._templates import template, verbatim
from laeforensics.present.explanations import EXPLAINED_FIELDS, explain, heard
from laeforensics.present.timeline import customers_timeline

OUTCOMES = {"complete": words.COLOURS[rules.RECOVERABLE], "cut": words.COLOURS[rules.INCOMPLETE]}
OUTCOMES |= {"failed": words.COLOURS[rules.CONTESTED], "log lost": words.COLOURS[rules.CLOSED]}


class Judged(Protocol):
    """What is needed of a case here: `laeforensics.Case` is one."""

    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Shown:
    """HTML that a notebook displays."""

    body: str

    def _repr_html_(self) -> str:
        return self.body

    def __repr__(self) -> str:
        return "a table or picture: look at it in a notebook"


def ready() -> None:
    """Lay into the notebook what its tables need, once: nothing is fetched from elsewhere."""
    from itables import init_notebook_mode

    init_notebook_mode(all_interactive=False, connected=False)


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], caption: str = "") -> Shown:
    """Rows as a table that can be sorted, searched, leafed through."""
    import pandas as pd
    from itables import to_html_datatable

    cells = [[_cell(row[name]) for name in columns] for row in rows]
    frame = pd.DataFrame(cells, columns=[name.replace("_", " ") for name in columns], dtype=object)
    told = to_html_datatable(
        frame,
        caption=caption or None,
        connected=False,
        showIndex=False,
        maxBytes=0,
        classes="display compact",
        columnDefs=[{"className": "dt-left", "targets": "_all"}],
        display_logo_when_loading=False,
        text_in_header_can_be_selected=False,  # a click there sorts
        layout={"topStart": "search", "topEnd": "pageLength"},
    )
    return Shown(told)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    told = ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    return plain(told)


# -- the audit ---------------------------------------------------------------------------------------------


def verdicts(case: Judged) -> Shown:
    """How many accounts have which verdict; of the recoverable ones, which grade."""
    counted: Counter[tuple[str, str]] = Counter()
    for account in case.judgement.accounts:
        verdict, grade = rules.verdict(account).name, rules.grade(account)
        counted[verdict, words.words(grade.name if grade and verdict == rules.RECOVERABLE else verdict)] += 1
    data = [{"verdict": v, "kind": k, "accounts": n} for (v, k), n in counted.items()]
    kinds = {words.words(n): c for n, c in {**words.COLOURS, **words.GRADE_COLOURS}.items()}
    return _picture(
        data,
        "bar",
        height=150,
        y={"field": "verdict", "type": "nominal", "sort": list(words.LOOKED_AT), "title": None},
        x={"field": "accounts", "type": "quantitative", "title": "accounts and attempts", "axis": {"tickMinStep": 1}},
        color=_colour("kind", kinds),
        tooltip=[{"field": name} for name in ("verdict", "kind", "accounts")],
    )


def accounts(case: Judged) -> Shown:
    """Every account and attempt, problems first."""
    found = ({**_row(a), "account": words.short_name(a)} for a in words.ordered(case.judgement.accounts))
    return table(
        found, ("account", "verdict", "what_stands_in_the_way", "the_customer_notices", "server", "account_id")
    )


def _row(account: CaseAccount) -> dict[str, Any]:
    grade = rules.grade(account)
    return {
        "account_id": account.account_id,
        "verdict": rules.verdict(account).name,
        "what_stands_in_the_way": "; ".join(words.reasons(account)),
        "the_customer_notices": words.words(grade.name) if grade else "",
        "server": "" if account.is_attempt else words.words(account.server),
    }


def wanted(case: Judged) -> Shown:
    """What would help most."""
    found = (
        {"what_would_help": m.evidence, "it": m.effect, "accounts": len(m.accounts), "by_giving": m.fields}
        for m in case.judgement.mends
    )
    return table(found, ("what_would_help", "it", "accounts", "by_giving"))


def findings(case: Judged) -> Shown:
    """What a human should know, by code, most severe first."""
    rows = (
        {"code": c, "severity": f[0].severity, "times": len(f), "for_example": f[0].message, "what_next": f[0].remedy}
        for c, f in words.by_code(case.judgement.findings)
    )
    return table(rows, ("severity", "code", "times", "for_example", "what_next"))


def signups(case: Judged) -> Shown:
    """When each run began, how far it came, how it ended."""
    found = []
    for signup in case.judgement.joined:
        start, stage = start_of(signup.name), furthest(signup.stages)
        if start and stage:
            how = outcome(signup, case.judgement.roles[signup.name])
            told = {"began": start[0], "stage": words.words(stage), "outcome": how, "log": plain(signup.name)}
            found.append({**told, "failure": excerpt(signup.failure)[:200] if signup.failure else ""})
    order = [words.words(stage) for stage in reversed(STAGES)]
    return _picture(
        found,
        {"type": "point", "filled": True, "size": 70},
        height=340,
        x={"field": "began", "type": "temporal", "title": None},
        y={"field": "stage", "type": "nominal", "sort": order, "title": None, "scale": {"domain": order}},
        color=_colour("outcome", OUTCOMES),
        tooltip=[{"field": name} for name in ("log", "began", "stage", "outcome", "failure")],
    )


def residue(case: Judged) -> Shown:
    """Lines that no grammar claimed, alike ones together: the residue."""
    found = tables.RESIDUE_KINDS.rows(case.judgement)
    return table(found, ("template", "lines", "files", "first"))


# -- one account -------------------------------------------------------------------------------------------


def pick(case: Judged, key: str | None = None) -> str:
    """The id of the account that a key names; without one the first problem, or the first account of all."""
    if key:
        return account_of(case.judgement.accounts, key, where=str(case.judgement.root)).account_id
    return next((a.account_id for a in words.ordered(case.judgement.accounts)), "")


def timeline(case: Judged, account_id: str) -> Shown:
    """What happened to an account, in the order of time."""
    return table(_happened(case, account_id), ("time", "what", "detail", "place"))


def _happened(case: Judged, account_id: str) -> list[Mapping[str, Any]]:
    return [row for account in _named(case, account_id) for row in customers_timeline(case.judgement, account)]


def story(case: Judged, account_id: str) -> Shown:
    """The same as a picture."""
    return _picture(
        [dict(row) for row in _happened(case, account_id) if row["time"]],
        {"type": "point", "filled": True, "size": 90, "color": words.COLOURS[rules.UNFINISHED]},
        height=170,
        x={"field": "time", "type": "temporal", "title": None},
        y={"field": "what", "type": "nominal", "sort": None, "title": None},
        tooltip=[{"field": name} for name in ("time", "what", "detail", "place")],
    )


def witnesses(case: Judged, account_id: str) -> Shown:
    """Every field with its witnesses, each beside its line of the evidence, in which secrets are masked."""
    body = ""
    for account in _named(case, account_id):
        places = {f.locator for name in EXPLAINED_FIELDS for f in heard(account, name)}
        raw = {str(place): told for place, told in lines.excerpts(case.judgement, places).items()}
        body = template("why.html").render(e=explain(account), raw=raw, times=(), todo=(), heading="h4")
    return _framed(f"<style>{verbatim('page.css')[0]}</style><div class='why'>{body}</div>", 520)


def choice(case: Judged, account_id: str) -> Shown:
    """The contested fields of an account, the witness that is rather to be believed, and why."""
    rows = []
    for account in _named(case, account_id):
        for name in asked(account):
            number, why = hint(account, name) or (None, "nothing speaks for one of them")
            rows.append({"contested": name, "rather_witness": number, "because": why})
    return table(rows, ("contested", "rather_witness", "because"))


def audited(case: Judged) -> list[dict[str, Any]]:
    """The accounts as an audit table has them, to be compared later."""
    kept = ("account_id", "customer_email", "verdict", "grade", "missing", "blocking", "decisions", "provenance")
    rows = []
    for account in case.judgement.accounts:
        told = manifest_account(account)
        rows.append({name: getattr(told, name) for name in kept} | {"provenance": dict(told.provenance)})
    return rows


def difference(before: list[dict[str, Any]], case: Judged) -> Shown:
    """What changed since."""
    told = "\n".join(map(plain, str(comparison.compare(before, audited(case))).split("\n")))
    return Shown(f"<pre>{html.escape(told)}</pre>")


def _named(case: Judged, account_id: str) -> list[CaseAccount]:
    return [a for a in case.judgement.accounts if a.account_id == account_id]


# -- pictures ----------------------------------------------------------------------------------------------


def _colour(name: str, colours: Mapping[str, str]) -> dict[str, Any]:
    scale = {"domain": list(colours), "range": list(colours.values())}
    return {"field": name, "type": "nominal", "title": None, "scale": scale}


def _picture(data: list[dict[str, Any]], mark: str | dict[str, Any], *, height: int, **encoding: Any) -> Shown:
    import altair as alt

    if not data:
        return Shown("<p>Nothing to draw.</p>")
    told = {"mark": mark, "encoding": encoding, "width": 620, "height": height, "data": {"values": data}}
    return _framed(
        alt.Chart.from_dict(told).to_html(inline=True, embed_options={"renderer": "svg", "actions": False}),
        height + 110,
    )


def _framed(page: str, height: int) -> Shown:
    """A page within the page: its styles and scripts are its own."""
    return Shown(
        f'<iframe srcdoc="{html.escape(page, quote=True)}" title="of this case" '
        f'style="width:100%;height:{height}px;border:0;background:#fff"></iframe>'
    )
