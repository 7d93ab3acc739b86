"""`explain`: why we believe what we say of one account."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _refusals, _shell
from laeforensics.cli._lines import tell
from laeforensics.cli._options import CaseOptions, Key, of_a_case

if TYPE_CHECKING:
    from laeforensics.case import Case
    from laeforensics.present.commands import CommandLines


@of_a_case("case_folder", "product_tokens", "closed", "jobs", "as_json")
def explain(
    options: CaseOptions,
    key: Key,
    field: Annotated[str | None, typer.Option(help="only this field")] = None,
) -> None:
    """Why we believe what we say of one account: every field, every witness with its place."""
    from dataclasses import asdict, replace

    from laeforensics.present.explanations import EXPLAINED_FIELDS

    if field is not None and field not in EXPLAINED_FIELDS:
        near = difflib.get_close_matches(field, EXPLAINED_FIELDS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        _refusals.stop(f"no field {field!r}", "--field", f"{meant}choose one of {', '.join(EXPLAINED_FIELDS)}")
    case = _shell.open_case(options)
    explanation = case.explain(key)
    if field is not None:
        explanation = replace(explanation, fields=tuple(f for f in explanation.fields if f.name == field))
    out = _shell.people(options)
    tell(explanation, out)
    for line in _what_to_type(case, explanation.account_id, field, _shell.commands(options)):
        tell(line, out)
    if options.as_json:
        print(json.dumps(asdict(explanation), indent=1))


def _what_to_type(case: Case, account_id: str, field: str | None, commands: CommandLines) -> Iterator[str]:
    """Of each contested field the command that decides it, and which witness is rather to be believed, or what would
    tell; of an unfinished signup the command that lets it be finished.
    """
    from laeforensics.audit import rules
    from laeforensics.audit.lookup import account_of
    from laeforensics.audit.preference import hint, untold
    from laeforensics.audit.questions import asked, is_one_voice

    account = account_of(case.judgement.accounts, account_id, where=account_id)
    for name in asked(account):
        if field in (None, name):
            found, why = hint(account, name), untold(account, name)
            yield ""
            if why is not None:
                yield f"{name}: {why}"
                if is_one_voice(account, name):
                    yield f"if you know it: {commands.decide(account.account_id, name, 1)}"
                continue
            yield f"decide: {commands.decide(account.account_id, name, found[0] if found else 'N')}"
            yield f"  hint: witness {found[0]}: {found[1]}" if found else "  hint: nothing speaks for one of them"
    if field is None and rules.verdict(account).name == rules.UNFINISHED:
        yield ""
        yield f"if the customer says yes: {commands.finish(account.account_id)}"
