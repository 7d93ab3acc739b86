"""`decide`: a human says which witness is right, that a signup should be finished, or a file is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _journal, _refusals, _shell
from laeforensics.cli._lines import missing_of
from laeforensics.cli._options import EVIDENCE, KEY_HELP, CaseFolder, CaseOptions, ProductTokens, Quiet, Where

if TYPE_CHECKING:
    from laeforensics.case import Case
    from laeforensics.present.commands import CommandLines


def decide(
    evidence: Annotated[list[Path] | None, EVIDENCE] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help=KEY_HELP)] = None,
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="the contested field")] = None,
    witness: Annotated[
        int | None,
        typer.Option(help="the number that `explain` shows before the right witness; 0 withdraws a decision"),
    ] = None,
    because: Annotated[str | None, typer.Option(help="why")] = None,
    who: Annotated[str | None, typer.Option(help="who decides; default: you")] = None,
    aside: Annotated[
        str | None,
        typer.Option(
            "--set-aside", metavar="FILE", help="an unread file in which nothing is needed, or all of a kind: '*.swp'"
        ),
    ] = None,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="the customer of this UNFINISHED account says: the signup should be finished"),
    ] = False,
    where: Where = None,
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="with --where: the right witness is the account's `own`, the one of `most` files, "
            "that of the file whose name begins so, or that at the place FILE:LINE",
        ),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help="take back what was decided: of KEY FIELD, of KEY --finish, of FILE, or --where decided=FIELD",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --where: record what is shown without it")] = False,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
    quiet: Quiet = False,
) -> None:
    """Decide a contested field: which witness is right, who says so, why.
    Kept in the case folder, carried into the manifest.

    With --where contested=FIELD --prefer RULE in all accounts at once; shown first, recorded with --yes.

    Or record with --finish the customer's word that a signup should be finished: then it is recovered as others are.

    Or set an unread file aside, with its digest: it blocks no account until it changes.

    With --undo what was decided is taken back, as easily: of one field, of a file, or of all --where decided=FIELD."""
    from laeforensics.facts.masking import plain
    from laerecover.manifest import FINISH

    given = [*map(str, evidence or ()), *(word for word in (key, field) if word is not None)]
    # The evidence stands first; behind it what this decision is about: KEY and FIELD, KEY, or neither.
    about = 0 if aside is not None or where else 1 if finish else 2
    split = max(1, len(given) - about)
    roots, named = [Path(word) for word in given[:split]], given[split:]
    key, field = named[0] if named else None, FINISH if finish else named[1] if named[1:] else None
    options = CaseOptions(evidence=roots, case_folder=case_folder, product_tokens=product_tokens)
    is_undone = undo or bool(where and witness == 0 and prefer is None)
    chosen = witness is not None and not is_undone
    kinds = {"--where": where, "--set-aside": aside is not None, "--finish": finish, "--witness": chosen}
    _refuse_two(kinds, {"--undo": undo, "--witness": witness, "--prefer": prefer})
    if where:
        _refuse_half_of_many(roots, where, prefer, because, is_undone=is_undone)
    else:
        number = 0 if undo else 1 if finish else witness
        words = {"EVIDENCE": roots or None, "KEY": key, "FIELD": field, "--witness": number}
        _refuse_half(words if aside is None else {"EVIDENCE": roots or None}, because)
    _refusals.refuse_case(options)
    who = who or _shell.user_name()
    case = _shell.open_case(options)
    if yes or not where:
        _journal.enter_begin(case.folder)
    try:
        if where:
            many = _undo_many if is_undone else _decide_many
            lines = _shell.commands(options)
            told = many(case, lines, where, prefer or "", who=who, because=because or "", is_recorded=yes)
        elif aside is not None:
            told = "\n".join(case.set_aside(aside, who=who, because=because or "", is_undone=undo))
        else:
            told = case.decide(key or "", field or "", witness=number or 0, who=who, because=because or "")
    except OSError as error:
        _refusals.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    out = _shell.people(options, quiet=quiet)
    print("\n".join(map(plain, told.split("\n"))), file=out)
    if where and not yes:
        print(f"nothing is recorded yet: only --yes records it\nnext: {_journal.typed_with('--yes')}", file=out)
    else:
        print(f"kept in {case.folder}\nnext: {_shell.audit_again(options, case.folder)}", file=out)


def _decide_many(
    case: Case, typed: CommandLines, where: list[str], prefer: str, *, who: str, because: str, is_recorded: bool
) -> str:
    """Decide the contested field that the conditions name in every account that they pick; told line by line.

    Ends with EXIT_EVIDENCE if the rule picks a witness nowhere. Raises DecisionError, UnknownKey, OSError.
    """
    from laeforensics.audit import decisions, preference, selection

    field = next(c.partition("=")[2].strip() for c in where if c.startswith("contested="))
    judgement = case.judgement
    accounts = selection.picked(judgement.accounts, where)
    if not accounts:
        decided = sum(field in a.decided for a in judgement.accounts)
        if not decided:
            _refusals.stop("no account is picked", " ".join(where), typed.list_accounts("--verdict", "CONTESTED"))
        what = f"no account is picked; of {decided} {field} is decided already"
        _refusals.stop(what, " ".join(where), f"{typed.list_accounts('--where', f'decided={field}')} tells which")
    numbers = {a.account_id: preference.preferred(a, field, prefer) for a in accounts}
    if not any(numbers.values()):
        what = f"{prefer} picks a witness of {field} in none of {len(accounts)} accounts"
        shows = f"{typed.explain(accounts[0].account_id, field)} shows places"
        _refusals.stop(what, " ".join(where), f"{shows}; --prefer takes one, FILE:LINE, for all who share it")
    lines = []
    for account in accounts:
        number = numbers[account.account_id]
        if number is None:
            told = (witness.locator for witness in decisions.witnesses(account, field))
            places = ", ".join(dict.fromkeys(f"{place.evidence}:{place.line}" for place in told))
            lines.append(f"left    {account.account_id}  {prefer} picks none, or several that differ, of {places}")
            continue
        place = decisions.witnesses(account, field)[number - 1].locator
        lines.append(f"{'decided' if is_recorded else 'would be'}  {account.account_id}  witness {number}, {place}")
        if is_recorded:
            why = f"{because} (--prefer {prefer})"
            judgement.decide(account, decisions.Choice(field=field, witness=number, who=who, because=why))
    picked = sum(number is not None for number in numbers.values())
    undo = [f"to take it back: {typed.undo_all(field)}"] if is_recorded else []
    return "\n".join([*lines, f"{picked} of {len(accounts)} accounts, {field}, says {who}: {because}", *undo])


def _undo_many(
    case: Case, typed: CommandLines, where: list[str], _: str, *, who: str, because: str, is_recorded: bool
) -> str:
    """Take back what was decided of the field that the conditions name in every account that they pick.

    Ends with EXIT_EVIDENCE if nothing was decided. Raises DecisionError, UnknownKey, OSError.
    """
    from laeforensics.audit import decisions, selection
    from laeforensics.present import words

    field = next(c.partition("=")[2].strip() for c in where if c.startswith("decided="))
    accounts = selection.picked(case.judgement.accounts, where)
    if not accounts:
        step = f"{typed.list_accounts('--where', 'decided!=')} shows where something is"
        _refusals.stop(f"nothing is decided of {field}", " ".join(where), step)
    lines = []
    for account in accounts:
        former = next((d for d in account.decisions if d.startswith(f"{field}: ")), field)
        lines.append(f"{'undone  ' if is_recorded else 'would be undone'}  {account.account_id}  {former}")
        if is_recorded:
            case.judgement.decide(account, decisions.Choice(field=field, witness=0, who=who, because=because))
    many, undone = words.counted(len(accounts), "account"), "taken back" if is_recorded else "to be taken back"
    return "\n".join([*lines, f"{many}, {field}, {undone}, says {who}: {because}"])


def _refuse_two(kinds: Mapping[str, object], apart: Mapping[str, object]) -> None:
    """End with EXIT_EVIDENCE if more than one thing is decided, or is decided and undone at once."""
    for what, options in (("two decisions at once", kinds), ("a decision and its undoing at once", apart)):
        given = [name for name, value in options.items() if value]
        if len(given) > 1 and (options is kinds or "--undo" in given):
            _refusals.stop(what, ", ".join(given), "give one of them")


def _refuse_half_of_many(
    roots: list[Path], where: list[str], prefer: str | None, because: str | None, *, is_undone: bool
) -> None:
    """End with EXIT_EVIDENCE unless a decision about many is said whole."""
    asked = "decided" if is_undone else "contested"
    named = [c for c in where if c.startswith(f"{asked}=") and c.partition("=")[2].strip("* ")]
    missing = {"EVIDENCE": not roots, f"--where {asked}=FIELD": len(named) != 1}
    missing["--prefer RULE"] = not prefer and not is_undone
    missing["--because WHY"] = because is None
    _stop_for([word for word, is_missing in missing.items() if is_missing], " ".join(where))


def _refuse_half(words: Mapping[str, object], because: str | None) -> None:
    """End with EXIT_EVIDENCE unless one decision is said whole."""
    missing = [f"{word} N" if word == "--witness" else word for word, value in words.items() if value is None]
    roots = words["EVIDENCE"]
    _stop_for(
        [*missing, *(["--because WHY"] if because is None else [])],
        str(roots[0]) if isinstance(roots, list) else "decide",
    )


def _stop_for(missing: list[str], where: str) -> None:
    """End with EXIT_EVIDENCE if something is missing, and say the command that was typed with it."""
    if not missing:
        return
    named = [word.partition(" ")[0] for word in missing if word != "--because WHY"]
    what = missing_of(named or ["a reason"])
    options = [part for word in missing if word.startswith("--") for part in word.split(" ")]
    plain_words = [word for word in missing if not word.startswith("--")]
    _refusals.stop(what, where, _journal.typed_with(*options, words=plain_words))
