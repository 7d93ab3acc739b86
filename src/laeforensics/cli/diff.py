"""`diff`: what changed between two audits."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli._options import Json


def diff(
    old: Annotated[Path, typer.Argument(help="an audit.parquet")],
    new: Annotated[Path, typer.Argument(help="a later one")],
    as_json: Json = False,
) -> None:
    """Which account appeared, vanished or changed between two audits, because of which evidence."""
    from laeforensics.audit import comparison
    from laeforensics.facts import masking
    from laerecover.manifest import digest_of_evidence, read_audit_table

    before, after = read_audit_table(old), read_audit_table(new)
    digests = [digest_of_evidence(path) for path in (old, new)]
    same = None if None in digests else digests[0] == digests[1]
    difference = comparison.compare(before, after, same_evidence=same)
    print(
        "\n".join(masking.plain(line) for line in str(difference).split("\n")),
        file=sys.stderr if as_json else sys.stdout,
    )
    if as_json:
        print(json.dumps(asdict(difference), indent=1))
