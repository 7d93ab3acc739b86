"""The shell of laeforensics: the library's verbs with the library's names."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="laeforensics",
    help="From the evidence that signups left behind to audited accounts. The evidence is never written to.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Evidence = Annotated[
    Path, typer.Argument(help="the folder that holds signup_logs/, secrets/, the csv files and the config")
]
Json = Annotated[bool, typer.Option("--json", help="for machines: JSON on stdout, people's text on stderr")]

EXIT_EVIDENCE = 2
EXIT_CHECK = 1


@app.callback()
def _shell() -> None:
    """Keep the verbs verbs, however few."""


@app.command()
def audit(
    evidence: Evidence,
    output: Annotated[Path, typer.Option("--output", "-o", help="the manifest to write")] = Path("manifest.parquet"),
    key_file: Annotated[Path | None, typer.Option(help="the manifest's key; made if it does not exist")] = None,
    as_json: Json = False,
) -> None:
    """Judge every account, and write the manifest, audit.parquet and audit.html (the last two without secrets)."""
    from laeforensics import display, open_case
    from laerecover.manifest import default_key_file

    if output.resolve().is_relative_to(evidence.resolve()):
        _stop(
            "the manifest would lie inside the evidence",
            str(output),
            "name an --output elsewhere: evidence is never written to",
        )
    case = open_case(evidence)
    out = sys.stderr if as_json else sys.stdout
    print(display.card(case), file=out)
    output.parent.mkdir(parents=True, exist_ok=True)
    manifest = case.export(output, key_file=key_file)
    page = output.with_name("audit.html")
    page.write_text(display.page(case), encoding="utf-8")
    key = key_file or default_key_file()
    print(
        f"\n{output}  {len(manifest.accounts)} accounts, encrypted under {key}"
        f"  · {output.with_name('audit.parquet')}, {page} (no secrets)\nnext: laerecover drill {output}",
        file=out,
    )
    if as_json:
        print(json.dumps({**display.summary(case), "manifest": str(output), "digest": manifest.digest}, indent=1))


@app.command()
def explain(
    evidence: Evidence,
    key: Annotated[str, typer.Argument(help="log name, bucket, e-mail or activation key")],
    field: Annotated[str | None, typer.Option(help="only this field")] = None,
) -> None:
    """Why we believe what we say of one account: every field, every witness with its place."""
    from dataclasses import replace

    from laeforensics import open_case

    explanation = open_case(evidence).explain(key)
    if field is not None:
        chosen = tuple(f for f in explanation.fields if f.name == field)
        if not chosen:
            names = ", ".join(f.name for f in explanation.fields)
            _stop(f"no field {field!r}", "--field", f"choose one of {names}")
        explanation = replace(explanation, fields=chosen)
    print(explanation)


def _stop(what: str, where: str, next_step: str) -> None:
    print(f"laeforensics: {what}\n  where   {where}\n  next    {next_step}", file=sys.stderr)
    raise typer.Exit(EXIT_EVIDENCE)


def main(argv: list[str] | None = None) -> Any:
    """Run one verb. Exit codes: 0 audited, whatever the verdicts; 1 a check failed; 2 usage or no readable evidence."""
    from laeforensics.errors import ForensicsError
    from laerecover.manifest import ManifestError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return app(argv)
    except (ForensicsError, ManifestError) as error:
        print(f"laeforensics: {error.what}\n  where   {error.where}\n  next    {error.next_step}", file=sys.stderr)
        sys.exit(EXIT_EVIDENCE)
    except OSError as error:
        print(
            f"laeforensics: {error.strerror or type(error).__name__}\n  where   {error.filename or 'the file system'}\n"
            "  next    check the path, the permissions and the free space, then run it again",
            file=sys.stderr,
        )
        sys.exit(EXIT_EVIDENCE)
