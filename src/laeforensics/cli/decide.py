"""`decide`: a human says which witness of a contested field is right, or that an unread file is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _journal, _refusals, _shell
from laeforensics.cli._options import EVIDENCE, KEY_HELP, CaseFolder, CaseOptions, ProductTokens, Quiet, Where

if TYPE_CHECKING:
    from laeforensics.case import Case


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
        str | None, typer.Option("--set-aside", metavar="FILE", help="an unread file in which nothing is needed")
    ] = None,
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
        bool, typer.Option("--undo", help="take back what was decided: of KEY FIELD, of FILE, or --where decided=FIELD")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --where: record what is shown without it")] = False,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
    quiet: Quiet = False,
) -> None:
    """Decide a contested field: which witness is right, who says so, why.
    Kept in the case folder, carried into the manifest.

    With --where contested=FIELD --prefer RULE in all accounts at once; shown first, recorded with --yes.

    Or set an unread file aside, with its digest: it blocks no account until it changes.

    With --undo what was decided is taken back, as easily: of one field, of a file, or of all --where decided=FIELD."""
    from laeforensics.evidence import custody
    from laeforensics.facts.masking import plain

    roots = list(evidence or ())
    if not roots:  # one word or two: the first is the evidence
        given = [word for word in (key, field) if word is not None]
        roots, key, field = [Path(word) for word in given[:1]], next(iter(given[1:]), None), None
    if aside is not None or where:  # what stands last is no KEY and no FIELD then
        roots += [Path(word) for word in (key, field) if word is not None]
        key = field = None
    options = CaseOptions(evidence=roots, case_folder=case_folder, product_tokens=product_tokens)
    if undo and (witness or prefer):
        _refusals.stop("a decision and its undoing at once", "--undo, --witness, --prefer", "give one of them")
    witness = 0 if undo and not where and aside is None else witness
    if where:
        is_undone = undo or (witness == 0 and prefer is None)
        _refuse_half_of_many(roots, where, prefer, because, others=(aside, witness), is_undone=is_undone)
    else:
        words = {"EVIDENCE": roots or None, "KEY": key, "FIELD": field, "--witness": witness}
        _refuse_half(roots, aside, words, because)
    if options.case_folder is not None:
        custody.refuse_inside(options.case_folder, options.evidence)
    who = who or _shell.user_name()
    case = _shell.open_case(options)
    if yes or not where:
        _journal.enter_begin(case.folder)
    try:
        if where:
            many = _undo_many if is_undone else _decide_many
            told = many(case, where, prefer or "", who=who, because=because or "", is_recorded=yes)
        elif aside is not None:
            told = "\n".join(case.set_aside(aside, who=who, because=because or "", is_undone=undo))
        else:
            told = case.decide(key or "", field or "", witness=witness or 0, who=who, because=because or "")
    except OSError as error:
        _refusals.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    out = _shell.people(options, quiet=quiet)
    print("\n".join(map(plain, told.split("\n"))), file=out)
    if where and not yes:
        print("nothing is recorded yet\nnext: the same command with --yes", file=out)
    else:
        print(f"kept in {case.folder}\nnext: {_shell.audit_again(options, case.folder)}", file=out)


def _decide_many(case: Case, where: list[str], prefer: str, *, who: str, because: str, is_recorded: bool) -> str:
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
            _refusals.stop("no account is picked", " ".join(where), "laeforensics list EVIDENCE --verdict CONTESTED")
        what = f"no account is picked; of {decided} {field} is decided already"
        _refusals.stop(what, " ".join(where), f"laeforensics list EVIDENCE --where decided={field} tells which")
    numbers = {a.account_id: preference.preferred(a, field, prefer) for a in accounts}
    if not any(numbers.values()):
        what = f"{prefer} picks a witness of {field} in none of {len(accounts)} accounts"
        step = (
            "look at one of them with `explain`; --prefer takes a place that it shows, FILE:LINE, for all who share it"
        )
        _refusals.stop(what, " ".join(where), step)
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
        for account in accounts:
            number = numbers[account.account_id]
            if number is not None:
                why = f"{because} (--prefer {prefer})"
                judgement.decide(account, decisions.Choice(field=field, witness=number, who=who, because=why))
    picked = sum(number is not None for number in numbers.values())
    undo = [f"to take it back: --where decided={field} --undo --because WHY --yes"] if is_recorded else []
    return "\n".join([*lines, f"{picked} of {len(accounts)} accounts, {field}, says {who}: {because}", *undo])


def _undo_many(case: Case, where: list[str], _: str, *, who: str, because: str, is_recorded: bool) -> str:
    """Take back what was decided of the field that the conditions name in every account that they pick.

    Ends with EXIT_EVIDENCE if nothing was decided. Raises DecisionError, UnknownKey, OSError.
    """
    from laeforensics.audit import decisions, selection
    from laeforensics.present import words

    field = next(c.partition("=")[2].strip() for c in where if c.startswith("decided="))
    accounts = selection.picked(case.judgement.accounts, where)
    if not accounts:
        step = "`laeforensics list EVIDENCE --where 'decided!='` shows where something is"
        _refusals.stop(f"nothing is decided of {field}", " ".join(where), step)
    lines = []
    for account in accounts:
        former = next((d for d in account.decisions if d.startswith(f"{field}: ")), field)
        lines.append(f"{'undone  ' if is_recorded else 'would be undone'}  {account.account_id}  {former}")
    if is_recorded:
        for account in accounts:
            choice = decisions.Choice(field=field, witness=0, who=who, because=because)
            case.judgement.decide(account, choice)
    many = words.counted(len(accounts), "account")
    return "\n".join([*lines, f"{many}, {field}, contested again, says {who}: {because}"])


def _refuse_half_of_many(
    roots: list[Path],
    where: list[str],
    prefer: str | None,
    because: str | None,
    *,
    others: tuple[object, object],
    is_undone: bool,
) -> None:
    """End with EXIT_EVIDENCE unless a decision about many is said whole, and nothing else."""
    asked = "decided" if is_undone else "contested"
    rule = "--undo" if is_undone else "--prefer RULE"
    usage = f"laeforensics decide EVIDENCE --where {asked}=FIELD {rule} --because WHY"
    if any(other is not None and not (is_undone and other == 0) for other in others):
        _refusals.stop("two decisions at once", "--where, --witness, --set-aside", "give one of them")
    named = [c for c in where if c.startswith(f"{asked}=") and c.partition("=")[2].strip("* ")]
    missing = {"EVIDENCE": not roots, f"--where {asked}=FIELD": len(named) != 1}
    missing["--prefer, or --undo,"] = not prefer and not is_undone
    lacking = [word for word, is_missing in missing.items() if is_missing]
    if lacking or because is None:
        _refusals.stop(f"{', '.join(lacking) or 'a reason'} is missing", " ".join(where), usage)


def _refuse_half(roots: list[Path], aside: str | None, words: Mapping[str, object], because: str | None) -> None:
    """End with EXIT_EVIDENCE unless one decision is said, and said whole."""
    where = " ".join(map(str, roots)) or "decide"
    if aside is not None and words["--witness"] is not None:
        _refusals.stop("two decisions at once", "--witness, --set-aside", "give one of them")
    missing = [word for word, value in words.items() if value is None and (aside is None or word == "EVIDENCE")]
    if missing:
        usage = (
            "decide EVIDENCE KEY FIELD --witness N --because WHY"
            if aside is None
            else "decide EVIDENCE --set-aside FILE"
        )
        _refusals.stop(f"{', '.join(missing)} is missing", where, f"laeforensics {usage}")
    if because is None:
        _refusals.stop("a decision needs a reason", where, "say it for those who read it later: --because WHY")
