"""`attest`: is an audit what its statement says?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseOptions, of_a_case


@of_a_case("case_folder", "inventory", "product_tokens", "closed", "jobs", "as_json")
def attest(
    options: CaseOptions,
    check: Annotated[Path, typer.Option("--check", metavar="STATEMENT", help="the statement.json of an audit")],
) -> None:
    """Repeat an audit, and say what differs from its statement. Nothing is written. Exits with 1 if something differs.

    The statement itself is signed by `ssh-keygen -Y sign`, and stamped by `openssl ts`: docs/attest.md."""
    from laeforensics.export.statement import differences, read_statement, statement
    from laeforensics.facts.masking import plain

    stated = read_statement(check)
    case = _shell.open_case(options)
    today = statement(case.judgement, _shell.side_files(options, case), now=datetime.now(UTC))
    found = list(differences(stated, today))
    out = _shell.people(options)
    if options.as_json:
        print(json.dumps({"same": not found, "differences": found, "stated_at": stated.get("at")}, indent=1))
    for line in found:
        print(f"differs    {plain(line)}", file=out)
    if found:
        raise typer.Exit(_shell.EXIT_CHECK)
    print(f"the same   {len(today['inputs'])} files, evidence {today['evidence_digest'][:16]}…, "
          f"manifest {today['manifest_digest'][:16]}…", file=out)  # fmt: skip
