"""`ready`: would it work today?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import JsonOpt, print_json, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes("key_file", "settings")
def ready(
    options: Options,
    evidence: Annotated[
        list[Path] | None,
        typer.Option("--evidence", metavar="EVIDENCE", help="What the manifest was made of; again for each part."),
    ] = None,
    case: Annotated[Path | None, typer.Option("--case", metavar="DIR", help="The case [EVIDENCE.case].")] = None,
    product_tokens: Annotated[
        Path | None, typer.Option("--product-tokens", metavar="FILE", help="As it was given to the audit.")
    ] = None,
    closed: Annotated[Path | None, typer.Option("--closed", metavar="FILE", help="As given to the audit.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the cloud.")] = False,
    json_: JsonOpt = False,
) -> None:
    """Would it work today? Custody, audit, diff, a drill, settings, plan --check; a row in readiness.jsonl.

    Starts nothing and sends nothing. Exits with 1 if any of them failed.
    """
    from dataclasses import asdict

    from laerecover.cli._readiness import Readiness, conclusion, is_ready
    from laerecover.cli._show import show_checked

    sources = [("--product-tokens", product_tokens), ("--closed", closed)]
    key_file = options.places.key_file
    readiness = Readiness(
        manifest=options.places.manifest,
        evidence=tuple(evidence or ()),
        case=case,
        sources=tuple(str(word) for name, path in sources if path is not None for word in (name, path)),
        given=() if key_file is None else ("--key-file", str(key_file)),
        settings=options.places.settings_file,
        settings_named=options.places.settings is not None,
        offline=offline,
    )
    last, checks = readiness.last(), []
    for check in readiness.checked():
        checks.append(check)
        if not json_:
            show_checked(check)
    is_well = is_ready(checks)
    readiness.remember(checks, ready=is_well)
    if json_:
        print_json({"ready": is_well, "checks": [asdict(check) for check in checks]})
    else:
        print(f"{conclusion(checks, last)}  ({readiness.rows})")
    raise typer.Exit(0 if is_well else 1)
