"""`custody`: is the evidence what it was?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _journal, _refusals, _shell
from laeforensics.cli._options import CaseOptions, of_a_case

if TYPE_CHECKING:
    from laeforensics.evidence.custody import Comparison, Entry


@of_a_case("case_folder", "as_json")
def custody(
    options: CaseOptions,
    check: Annotated[
        bool, typer.Option("--check", help="is every file as it was when it was first read? Exits with 1 if not")
    ] = False,
) -> None:
    """When each file was first read, by what, with which hash. Nothing is written."""
    from laeforensics.evidence import custody as register
    from laerecover.manifest import Journal

    folder = options.case_folder or register.default_folder(options.evidence[0])
    entries = register.load(folder)
    gone = next((path for path in options.evidence if not path.exists()), None)
    if gone is not None and (check or not entries):
        known = "; without --check what is in custody is told" if entries else ""
        _refusals.stop("no such folder or archive", str(gone), f"name the evidence that was audited{known}")
    if not entries:
        _refusals.stop(
            "nothing is in custody yet", str(folder / register.FILE), "`laeforensics audit` enters what it reads"
        )
    Journal([], say=_journal.say).check(folder)
    if check:
        _check(options, entries, folder)
    else:
        _list(entries, as_json=options.as_json)


def _list(entries: list[Entry], *, as_json: bool) -> None:
    from dataclasses import asdict

    from laeforensics.facts.masking import plain

    for entry in entries:
        line = f"{entry.sha256}  {entry.first_read}  {entry.program}  {entry.root}/{entry.name}"
        print(json.dumps(asdict(entry)) if as_json else plain(line))


def _check(options: CaseOptions, entries: list[Entry], folder: Path) -> None:
    from laeforensics.evidence import custody as register
    from laeforensics.evidence.find import find
    from laeforensics.evidence.read import contents
    from laeforensics.evidence.recognise import LEFT_OUT
    from laeforensics.facts.masking import plain

    found = [(file, content.sha256) for file, content in contents(find(*options.evidence))]
    compared = register.compare(entries, [(file, sha256) for file, sha256 in found if file.kind != LEFT_OUT])
    out = _shell.people(options)
    if options.as_json:
        print(json.dumps(_as_json(compared), indent=1))
    for _, file, _ in compared.new:
        print(f"new        {plain(file.name)}  (not in custody yet)", file=out)
    if not compared.is_unchanged:
        _shell.report_changes(compared, folder, out)
        raise typer.Exit(_shell.EXIT_CHECK)
    since = min((e.first_read for e in compared.entries), default="now")
    print(f"unchanged  {len(compared.entries)} files since they were first read ({since})", file=out)


def _as_json(compared: Comparison) -> dict[str, object]:
    return {
        "unchanged": compared.is_unchanged,
        "changed": [file.name for _, file, _ in compared.changed],
        "vanished": [entry.name for entry in compared.vanished],
        "new": [file.name for _, file, _ in compared.new],
    }
