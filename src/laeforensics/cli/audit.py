"""`audit`: every account is judged, the manifest is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from laeforensics.cli import _shell
from laeforensics.cli._options import CaseFolder, Evidence, Inventory, Jobs, Json, ProductTokens


def audit(
    evidence: Evidence,
    output: Annotated[Path, typer.Option("--output", "-o", help="the manifest to write")] = Path("manifest.parquet"),
    key_file: Annotated[Path | None, typer.Option(help="the manifest's key; made if it does not exist")] = None,
    case_folder: CaseFolder = None,
    inventory: Inventory = None,
    product_tokens: ProductTokens = None,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Judge every account, and write the manifest, audit.parquet and audit.html (the last two without secrets).

    Exits with 1 if a file is not what it was when it was first read.
    """
    from laeforensics.evidence import custody
    from laeforensics.present import cards, pages
    from laerecover.manifest import default_key_file

    _shell.refuse_inside(output, evidence, "the manifest")
    if output.is_dir():
        _shell.stop(
            "the manifest's name is a folder's", str(output), f"name a file: --output {output / 'manifest.parquet'}"
        )
    if output.name in ("audit.parquet", "audit.html"):
        _shell.stop(
            "that name is the audit's own",
            str(output),
            "choose another --output: audit.parquet and audit.html are written beside it",
        )
    if key_file is not None:
        _shell.refuse_inside(key_file, evidence, "the key")
    if case_folder is not None:
        custody.refuse_inside(case_folder, evidence)
    case = _shell.open_case(evidence, case_folder, inventory, jobs, product_tokens)
    compared = _shell.keep_custody(case, is_named=case_folder is not None)
    out = sys.stderr if as_json else sys.stdout
    print(cards.card(case, is_short=out.isatty()), file=out)
    output.parent.mkdir(parents=True, exist_ok=True)
    manifest = case.export(output, key_file=key_file)
    page = output.with_name("audit.html")
    pages.write_page(case, page)
    key = key_file or default_key_file()
    print(
        f"\n{output}  {len(manifest.accounts)} accounts, encrypted under {key}"
        f"  · {output.with_name('audit.parquet')}, {page} (no secrets)\n"
        f"{case.folder}  custody and decisions of this case{'' if compared else ': not kept'}\n"
        f"next: laerecover drill {output}{f' --key-file {key_file}' if key_file else ''}",
        file=out,
    )
    changed = [] if compared is None else [f.signup for f in compared.findings()]
    if as_json:
        told = {
            "manifest": str(output),
            "digest": manifest.digest,
            "case": str(case.folder),
            "evidence_changed": changed,
        }
        print(json.dumps({**cards.summary(case), **told}, indent=1))
    if compared is not None and not compared.is_unchanged:
        _shell.tell_changes(compared, case.folder, sys.stderr)
        raise typer.Exit(_shell.EXIT_CHECK)
