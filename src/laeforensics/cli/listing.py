"""`list`: the accounts for which something holds, one a line."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._lines import tell
from laeforensics.cli._options import CaseOptions, Where, of_a_case

if TYPE_CHECKING:
    from laeforensics.accounts.account import CaseAccount
    from laeforensics.present.commands import CommandLines

_COLUMNS = ("account_id", "customer_email", "verdict", "grade", "server", "blocking")


@of_a_case("case_folder", "inventory", "product_tokens", "closed", "jobs", "as_json")
def list_accounts(
    options: CaseOptions,
    where: Where = None,
    verdict: Annotated[str | None, typer.Option(help="the same as --where verdict=…")] = None,
    missing: Annotated[str | None, typer.Option(metavar="FIELD", help="the same as --where missing=…")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="for a spreadsheet: csv on stdout")] = False,
) -> None:
    """List accounts and attempts, problems first: id, short name, verdict, what stands in the way."""
    from laeforensics.audit.selection import picked
    from laeforensics.facts.masking import plain
    from laeforensics.present import words

    asked = {"verdict": verdict, "missing": missing}
    conditions = [*(where or ()), *(f"{name}={value}" for name, value in asked.items() if value is not None)]
    accounts = _shell.open_case(options).judgement.accounts
    found = words.ordered(picked(accounts, conditions))
    if options.as_json:
        print(json.dumps(list(map(_cells, found)), indent=1))
    elif as_csv:
        print(_csv(found), end="")
    else:
        width = max((len(a.account_id) for a in found), default=0)
        for a in found:
            verdict_, short = _cells(a)["verdict"], words.short_name(a)
            # On a terminal the short name will do, for every verb takes it. Piped, the id comes first.
            name = "" if sys.stdout.isatty() else f"{plain(a.account_id):<{width}}  "
            tell(f"{name}{verdict_:<11}  {short}  {'; '.join(words.reasons(a))}".rstrip())
    print(f"{len(found)} of {len(accounts)} accounts and attempts", file=sys.stderr)
    if not options.as_json and not as_csv:
        for line in _decisions(found, conditions, _shell.commands(options)):
            tell(line, sys.stderr)


def _decisions(accounts: list[CaseAccount], conditions: list[str], commands: CommandLines) -> Iterator[str]:
    """Of each field in which these accounts are contested the command that decides it, of one or of all at once; of
    those whom no command should decide, what would tell.
    """
    from laeforensics.audit.preference import best_rule, untold
    from laeforensics.audit.questions import asked
    from laeforensics.present import words

    fields: dict[str, list[CaseAccount]] = {}
    for account in accounts:
        for name in asked(account):
            fields.setdefault(name, []).append(account)
    for name, them in sorted(fields.items(), key=lambda item: (-len(item[1]), item[0])):
        by_why: dict[str | None, list[CaseAccount]] = {}
        for account in them:
            by_why.setdefault(untold(account, name), []).append(account)
        these = by_why.pop(None, [])
        for why, others in by_why.items():
            yield f"{name} of {words.counted(len(others), 'account')}: {why}"
            yield f"why: {commands.explain(others[0].account_id, name)}"
        if len(these) == 1:
            yield f"why: {commands.explain(these[0].account_id, name)}"
            yield f"decide: {commands.decide(these[0].account_id, name, 'N')}"
        elif these:
            more = [c for c in conditions if not c.startswith("contested=")]
            yield f"decide: {commands.decide_all(name, best_rule(these, name) or 'FILE:LINE', *more)}"


def _cells(account: CaseAccount) -> dict[str, object]:
    from laeforensics.audit import rules

    grade = rules.grade(account)
    values = (
        account.account_id,
        account.values.get("customer_email"),
        rules.verdict(account).name,
        grade.name if grade else None,
        None if account.is_attempt else account.server,
        list(rules.blocking(account)),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _csv(accounts: list[CaseAccount]) -> str:
    """Cells that a spreadsheet would calculate begin with an apostrophe."""
    from laeforensics.facts.masking import plain
    from laeforensics.present import words

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for account in accounts:
        cells = (" ".join(v) if isinstance(v, list) else str(v or "") for v in _cells(account).values())
        writer.writerow(words.cell(plain(cell)) for cell in cells)
    return text.getvalue()
