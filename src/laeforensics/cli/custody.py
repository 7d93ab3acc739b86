"""`custody`: is the evidence what it was?"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseFolder, Evidence, Json


def custody(
    evidence: Evidence,
    check: Annotated[
        bool, typer.Option("--check", help="is every file as it was when it was first read? Exits with 1 if not")
    ] = False,
    case_folder: CaseFolder = None,
    as_json: Json = False,
) -> None:
    """When each file was first read, by what, with which hash. Nothing is written."""
    from dataclasses import asdict

    from laeforensics.case import default_folder
    from laeforensics.evidence import custody as register
    from laeforensics.evidence import find, read, recognise
    from laeforensics.facts import masking

    folder = case_folder or default_folder(evidence[0])
    entries = register.load(folder)
    if not entries:
        _shell.stop(
            "nothing is in custody yet", str(folder / register.FILE), "`laeforensics audit` enters what it reads"
        )
    if not check:
        for entry in entries:
            line = f"{entry.sha256}  {entry.first_read}  {entry.program}  {entry.root}/{entry.name}"
            print(json.dumps(asdict(entry)) if as_json else masking.plain(line))
        return
    told = [(file, content.sha256) for file, content in read.contents(find.find(*evidence))]
    compared = register.compare(entries, [(file, sha) for file, sha in told if file.kind != recognise.LEFT_OUT])
    out = sys.stderr if as_json else sys.stdout
    if as_json:
        names = {"changed": [f.name for _, f, _ in compared.changed], "vanished": [e.name for e in compared.vanished]}
        told_new = [file.name for _, file, _ in compared.new]
        print(json.dumps({"unchanged": compared.is_unchanged, **names, "new": told_new}, indent=1))
    for _, file, _ in compared.new:
        print(f"new        {masking.plain(file.name)}  (not in custody yet)", file=out)
    if not compared.is_unchanged:
        _shell.tell_changes(compared, folder, out)
        raise typer.Exit(_shell.EXIT_CHECK)
    since = min((e.first_read for e in compared.entries), default="now")
    print(f"unchanged  {len(compared.entries)} files since they were first read ({since})", file=out)
