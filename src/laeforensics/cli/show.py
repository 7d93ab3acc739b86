"""`show`: the evidence itself, line by line, with secrets masked."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from laeforensics.cli import _refusals, _shell
from laeforensics.cli._options import CaseOptions, of_a_case

_PLACE = re.compile(r"(?P<file>.*?)(?::(?P<first>[0-9]+)(?:-(?P<last>[0-9]+))?(?: \[[0-9]+:[0-9]+\).*)?)?", re.DOTALL)


@of_a_case("case_folder", "jobs", "as_json")
def show(
    options: CaseOptions,
    place: Annotated[
        str, typer.Argument(metavar="FILE:LINE", help="a place, as `explain` tells it; or FILE:FIRST-LAST")
    ],
    context: Annotated[int, typer.Option(min=0, help="so many lines before and behind")] = 3,
) -> None:
    """Show lines of the evidence as they stand there; a secret is its fingerprint. FILE may be the end of a name."""
    from laeforensics.facts.masking import plain
    from laeforensics.present.lines import lines

    match = _PLACE.fullmatch(place)
    assert match is not None  # noqa: S101  whatever is no line is a part of the name
    judgement = _shell.open_case(options).judgement
    file = _file([file.name for file, _ in judgement.reading.files], match["file"])
    first = int(match["first"]) if match["first"] else 1
    last = int(match["last"] or first) if match["first"] else 1 << 30
    told = lines(judgement, file, range(max(1, first - context), last + context + 1))
    asked = {number: text for number, text in told.items() if match["first"] is None or first <= number <= last}
    if not asked:
        every = lines(judgement, file, range(1, 1 << 30))
        last = max((number for number, text in every.items() if text), default=0)
        step = f"its last line is {last}: {_shell.commands(options).show(f'{file}:{last}')}"
        step = step if last else "laeforensics custody EVIDENCE --check tells whether it is what it was"
        _refusals.stop(f"there is no line {first} that can be shown", file, step)
    if options.as_json:
        rows = [{"line": number, "asked": number in asked, "text": text} for number, text in told.items()]
        print(json.dumps({"file": file, "lines": rows}, indent=1))
        return
    print(plain(file))
    for number, text in told.items():
        print(f"{'>' if number in asked and match['first'] else ' '} {number:>{len(str(max(told)))}}  {text}".rstrip())


def _file(names: Sequence[str], wanted: str) -> str:
    """The file of that name, or the only one whose name ends like that. Ends with EXIT_EVIDENCE if there is none."""
    found = [name for name in names if name == wanted] or [name for name in names if name.endswith(f"/{wanted}")]
    found = found or [name for name in names if wanted and name.rpartition("/")[2].startswith(wanted)]
    if len(found) != 1:
        near = found[:3] or difflib.get_close_matches(wanted, names, n=3)
        next_step = f"did you mean {', '.join(near)}?" if near else "laeforensics custody EVIDENCE lists the files"
        _refusals.stop(f"{len(found) or 'no'} files of that name", wanted, next_step)
    return found[0]
