"""`audit`: every account is judged, the manifest is written."""

from __future__ import annotations

import contextlib
import filecmp
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from laeforensics.cli import _journal, _refusals, _shell
from laeforensics.cli._lines import complain, tell
from laeforensics.cli._options import CaseOptions, Quiet, of_a_case

if TYPE_CHECKING:
    from laeforensics.case import Case
    from laerecover.manifest import Manifest

_OUTPUT = Path("manifest.parquet")
FORMER = "audit.before.parquet"
"""The audit before the last one that changed anything: what `diff` compares with."""


@of_a_case("case_folder", "inventory", "product_tokens", "closed", "jobs", "as_json")
def audit(
    options: CaseOptions,
    output: Annotated[Path, typer.Option("--output", "-o", help="the manifest to write")] = _OUTPUT,
    key_file: Annotated[Path | None, typer.Option(help="the manifest's key; made if it does not exist")] = None,
    quiet: Quiet = False,
) -> None:
    """Judge every account, and write the manifest, audit.parquet and audit.html (the last two without secrets).

    A former audit.parquet that says something else is kept as audit.before.parquet, for `diff`.

    Exits with 1 if a file is not what it was when it was first read.
    """
    from laeforensics.audit import rules
    from laeforensics.evidence.find import drill_of, parent_meant
    from laeforensics.export.statement import NAME, statement, write_statement
    from laeforensics.facts import masking
    from laeforensics.present import cards, pages

    _refuse(options, output, key_file)
    meant = parent_meant(tuple(options.evidence))
    if meant is not None:
        said = "this is a part of the evidence", " ".join(map(str, options.evidence))
        if options.case_folder is None:  # it would lie beside the part, which is within the whole
            _refusals.stop(*said, f"did you mean {meant}? If not, give this part a case of its own: --case FOLDER")
        complain(*said, f"did you mean {meant}?")
    for folder in filter(None, map(drill_of, options.evidence)):
        complain("a drill left this: its servers, addresses and node keys are invented", str(folder), "name a run's")
    case = _shell.open_case(options)
    beside = _shell.side_files(options, case)
    compared = _shell.keep_custody(case, options, beside)
    out = _shell.people(options, quiet=quiet)
    commands = _shell.commands(options, output=None if output == _OUTPUT else output, key_file=key_file)
    output.parent.mkdir(parents=True, exist_ok=True)
    with _former_kept(output.with_name("audit.parquet")) as former:
        manifest = case.export(output, key_file=key_file)
    _journal.enter_manifest(manifest.digest)
    pages.write_page(case.judgement, output.with_name("audit.html"), commands)
    write_statement(output.with_name(NAME), statement(case.judgement, beside, now=datetime.now(UTC)))
    if compared is not None:
        _shell.remember(options, case.folder, output=output, key_file=key_file)
    kept = "" if compared else ": not kept"
    # All is written by now: whoever stops reading (`| head`) has an audit all the same.
    tell(cards.card(case.judgement, commands, is_short=out.isatty()), out)
    tell(f"\n{_written(case, manifest, output, key_file, kept)}", out)
    if compared is None or compared.is_unchanged:  # else what comes next is said of the evidence
        words = ["laerecover", "drill", str(output), *(["--key-file", str(key_file)] if key_file else [])]
        contested = any(rules.verdict(a).name == rules.CONTESTED for a in case.judgement.accounts)
        first = f"{commands.list_accounts('--verdict', rules.CONTESTED)}, then " if contested else ""
        print(f"next: {first}{masking.command(words)}", file=out)
    if former.is_file() and not _says_the_same(former, output.with_name("audit.parquet")):
        words = ["laeforensics", "diff", str(former), str(output.with_name("audit.parquet"))]
        print(f"what changed: {masking.command(words)}", file=out)
    if options.as_json:
        told = {
            "manifest": str(output),
            "manifest_digest": manifest.digest,
            "case": str(case.folder),
            "evidence_changed": [] if compared is None else [f.signup for f in compared.findings()],
        }
        print(json.dumps({**cards.summary(case.judgement), **told}, indent=1))
    if compared is not None and not compared.is_unchanged:
        _shell.report_changes(compared, case.folder, sys.stderr)
        raise typer.Exit(_shell.EXIT_CHECK)


@contextlib.contextmanager
def _former_kept(table: Path) -> Iterator[Path]:
    """The audit that lies there is kept, if the one that is written now says something else."""
    former, copy = table.with_name(FORMER), table.with_name(f".{FORMER}.tmp")
    if table.is_file():
        shutil.copy(table, copy)
    try:
        yield former
        if copy.is_file() and not _says_the_same(copy, table):
            copy.replace(former)
    finally:
        copy.unlink(missing_ok=True)


def _says_the_same(former: Path, table: Path) -> bool:
    """True if two audits say the same of every account, of whatever evidence they were made."""
    from laerecover.manifest import ManifestError, read_audit_table

    if filecmp.cmp(former, table, shallow=False):
        return True
    try:
        return read_audit_table(former) == read_audit_table(table)
    except ManifestError:
        return False


def _refuse(options: CaseOptions, output: Path, key_file: Path | None) -> None:
    """End with EXIT_EVIDENCE if something would be written where it must not be."""
    _refusals.refuse_inside(output, options.evidence, "the manifest")
    if output.is_dir():
        _refusals.stop(
            "the manifest's name is a folder's", str(output), f"name a file: --output {output / 'manifest.parquet'}"
        )
    if output.name in ("audit.parquet", "audit.html", "statement.json", FORMER):
        _refusals.stop(
            "that name is the audit's own",
            str(output),
            "choose another --output: audit.parquet, audit.html and statement.json are written beside it",
        )
    if key_file is not None:
        _refusals.refuse_inside(key_file, options.evidence, "the key", "a file elsewhere with --key-file")
    _refusals.refuse_case(options)
    _refusals.refuse_unwritable(output, "--output")
    _refusals.refuse_key(key_file, output)


def _written(case: Case, manifest: Manifest, output: Path, key_file: Path | None, kept: str) -> str:
    """What was written where."""
    from laeforensics.present.words import counted
    from laerecover.manifest import default_key_file, key_fingerprint

    key = key_file or default_key_file()
    beside = f"{output.with_name('audit.parquet')}, {output.with_name('audit.html')} (no secrets)"
    return (
        f"{output}  {counted(len(manifest.accounts), 'account')}, encrypted under {key}, "
        f"fingerprint {key_fingerprint(key, manifest=output)}  · {beside}\n"
        f"{_shell.near(case.folder)}  custody and decisions of this case{kept}"
    )
