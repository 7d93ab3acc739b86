"""Look into the damage table.

`python tests/damage list`, `table`, `show CLASS --seed 3`, `measure CLASS --first 100`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "fixtures")]

from damages import CLASSES, FULL, written  # noqa: E402  its folder is put on the path first
from damages.measuring import Judge, Reading, Wrong, lay, look, measure  # noqa: E402
from damages.table import BAD, COLUMNS, not_set_aside, read, total  # noqa: E402  its folder is put on the path first
from damages.two_truths import Other  # noqa: E402  its folder is put on the path first


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0, or 2 when a class is not known."""
    parser = argparse.ArgumentParser(prog="python tests/damage", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the classes of damage")
    verbs.add_parser("table", help="the committed figures over all folders, worst first, with their sums")
    for verb, text in (
        ("show", "what one class of damage does, account by account"),
        ("measure", "figures of any folders"),
    ):
        each = verbs.add_parser(verb, help=text)
        each.add_argument("name", metavar="CLASS", nargs="?" if verb == "measure" else None)
        each.add_argument("--first", type=int, default=0, help="the first folder's number (the table's are 0 to 24)")
        each.add_argument("--folders", type=int, default=len(FULL), help="how many folders")
        if verb == "show":
            each.add_argument("--seed", type=int, help="one folder's number, instead of --first and --folders")
            each.add_argument("--output", type=Path, help="write the folders below this one, and keep them")
            each.add_argument("--all", action="store_true", help="tell wrong values of single logs, too")
    chosen = parser.parse_args(arguments)
    if getattr(chosen, "name", None) not in (None, *CLASSES):
        parser.error(f"no class of damage {chosen.name}; `list` tells them")
    {"list": _list, "table": _table, "show": _show, "measure": _measure}[chosen.verb](chosen)
    return 0


def _list(chosen: argparse.Namespace) -> None:
    for each in CLASSES.values():
        alone = f" [every second folder: {each.alone} alone]" if each.alone else ""
        print(f"{each.family:<11} {each.name:<34} {each.what}{alone}")


def _line(name: str, figures: dict[str, int]) -> str:
    return f"{name:<34}" + "".join(f"{figures[column]:>{max(6, len(column) + 2)}}" for column in COLUMNS)


def _head() -> str:
    return f"{'':<34}" + "".join(f"{column:>{max(6, len(column) + 2)}}" for column in COLUMNS)


def _table(chosen: argparse.Namespace) -> None:
    rows = read()
    full = {name: figures for (name, scale), figures in rows.items() if scale == "full"}
    print(_head())
    for name in sorted(
        full, key=lambda n: [-full[n][c] for c in ("wrong_told", "wrong_recoverable", "given_up", "wrong")]
    ):
        print(_line(name, full[name]))
    for words, scale in (("all, over all folders", "full"), ("all, over a tenth", "tenth")):
        figures = total(rows, scale)
        print(_line(words, figures))
        print(f"{words}: {figures['given_up']} given up, of which {not_set_aside(figures)} are not set aside")


def _measure(chosen: argparse.Namespace) -> None:
    print(_head())
    sums = dict.fromkeys(COLUMNS, 0)
    for name in [chosen.name] if chosen.name else CLASSES:
        figures = measure(name, tuple(range(chosen.first, chosen.first + chosen.folders)))
        sums = {column: sums[column] + figures[column] for column in COLUMNS}
        print(_line(name, figures), flush=True)
    print(_line("all", sums))


def _show(chosen: argparse.Namespace) -> None:
    first, folders = (chosen.first, chosen.folders) if chosen.seed is None else (chosen.seed, 1)
    print(f"{chosen.name}: {CLASSES[chosen.name].what}")
    top = chosen.output or Path(tempfile.mkdtemp(prefix="damage-"))
    for number in range(first, first + folders):
        place = top / f"{chosen.name}-{number}"
        lay(written(number).files, place / "sound")
        reading, judge = look(chosen.name, number, place / "evidence")
        told = _told(reading, judge, chosen.all)
        figures = reading.figures(judge.written, judge.damaged)
        counts = ", ".join(f"{column} {figures[column]}" for column in (*BAD, "kept") if figures[column])
        print(f"\n--seed {number}: {place}/evidence, as it was: {place}/sound\n  {counts}")
        print("\n".join(f"  {line}" for line in told))


def _told(reading: Reading, judge: Judge, logs: bool) -> list[str]:
    """Every figure of one folder with its accounts.

    Then which witnesses of these accounts the damage touched, and how.
    """
    named = {**reading.raised, **reading.grades_raised, **reading.lowered, **reading.given_up}
    lines = [f"CRASH {reading.crash}"] if reading.crash else []
    lines += [_wrong(each) for each in reading.wrong if logs or not each.of_log]
    lines += [f"RAISED {account}: {told}" for account, told in {**reading.raised, **reading.grades_raised}.items()]
    lines += [f"GHOST {account}" for account in reading.ghosts]
    lines += [
        f"GIVEN UP {account}: {told}{_aside(reading.set_aside.get(account))}"
        for account, told in reading.given_up.items()
    ]
    lines += [
        f"lowered {account}: {told}" for account, told in reading.lowered.items() if account not in reading.given_up
    ]
    concerned = {each.account for each in reading.wrong} | set(named)
    files = judge.damaged.files
    lines += [
        f"lost: {path}"
        for path in sorted({w.path for w in judge.damaged.touched if w.account in concerned} - set(files))
    ]
    for witness, effect in sorted(judge.damaged.touched.items()):
        if witness.account in concerned and witness.path in files:
            where = f"{witness.path}:{witness.start}-{witness.end}"
            lines.append(f"touched, {effect}: {witness.field} of {witness.account[-8:]} in {where} ({witness.kind})")
    for new, old in sorted(judge.damaged.origins.items()):
        lines.append(f"the log at {new} is that of {old}")
    return lines


def _aside(other: Other | None) -> str:
    return f"; set aside: {other.field} {_short(other.value)} leaves the same bytes" if other else ""


def _wrong(each: Wrong) -> str:
    true = " or ".join(map(_short, sorted(each.true))) or "none"
    told = f"; told untouched in {each.elsewhere.path}:{each.elsewhere.start}" if each.elsewhere else ""
    what = "in the log" if each.of_log else each.verdict
    return f"WRONG {each.account} ({what}): {each.field} = {_short(each.asserted)}, truth {true}{told}"


def _short(value: str) -> str:
    return repr(value if len(value) <= 70 else f"{value[:34]}..{value[-34:]}")


if __name__ == "__main__":
    raise SystemExit(main())
