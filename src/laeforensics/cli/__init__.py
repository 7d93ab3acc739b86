"""The shell of laeforensics: the library's verbs with the library's names, one verb a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from laeforensics.cli import (
    _shell,
    attest,
    audit,
    custody,
    decide,
    diff,
    explain,
    extract,
    lint,
    listing,
    notebook,
    show,
    timeline,
)
from laeforensics.cli._options import help_of

app = typer.Typer(
    name="laeforensics",
    help="From the evidence that signups left behind to audited accounts. The evidence is never written to.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
grammars = typer.Typer(help="The grammars that the evidence is read with, and their samples.", no_args_is_help=True)
app.add_typer(grammars, name="grammars")

for _verb in (audit.audit, explain.explain, decide.decide, extract.extract, diff.diff, custody.custody, attest.attest):
    app.command(help=help_of(_verb))(_verb)
for _verb in (show.show, timeline.timeline, notebook.notebook):
    app.command(help=help_of(_verb))(_verb)
app.command("list", help=help_of(listing.list_accounts))(listing.list_accounts)
grammars.command(help=help_of(lint.lint))(lint.lint)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"laeforensics {version('lae-recovery')}")
        raise typer.Exit


@app.callback()
def _every_verb(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="say which version this is")
    ] = False,
) -> None:
    """Keep the verbs verbs, however few."""


def main(argv: list[str] | None = None) -> Any:
    """Run one verb of the command line (or of `argv`, without the program's name), then exit.

    Exit codes: 0 audited, whatever the verdicts; 1 a check failed; 2 usage or no readable evidence; 130 interrupted.
    """
    return _shell.run(app, argv)
