"""The command laerecover, one verb a file."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from laerecover.cli import (
    adopt,
    cleanup,
    drill,
    key,
    letter,
    notify,
    patch,
    plan,
    ready,
    report,
    resolve,
    run,
    settings,
    status,
    verify,
)
from laerecover.cli._options import TRACE
from laerecover.cli._streams import drop_unread, outlive_readers

_USAGE: Any = typer.BadParameter.__base__
"""What is raised for wrong usage of whatever kind; Typer exports no name of it."""


class _Verbs(TyperGroup):
    """Usage that is refused is told as every other refusal is: with what to do next."""

    def invoke(self, ctx: Any) -> Any:
        """The verb. Raises what it raises."""
        try:
            return super().invoke(ctx)
        except _USAGE as error:
            where, told = getattr(error, "ctx", None) or ctx, error.show

            def show(file: Any = None) -> None:
                told(file)
                print(f"  next    `{where.command_path} -h` says what it takes; nothing was started", file=sys.stderr)

            error.show = show
            raise


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Carry out the recovery that a manifest describes: once for each account, however often it is interrupted.",
    epilog="Exit codes: 0 all done; 1 some accounts failed or are not done; 2 usage, or manifest refused; 3 stopped "
    "by a guard, "
    "or no terminal and no --yes; 4 something is in doubt and needs a human; 75 another runner holds the lock; 130 "
    "interrupted.",
)

for _verb in (
    plan.plan,
    ready.ready,
    drill.drill,
    run.run,
    notify.notify,
    status.status,
    report.report,
    verify.verify,
    patch.patch,
    resolve.resolve,
    letter.letter,
    adopt.adopt,
    cleanup.cleanup,
    settings.settings,
):
    app.command()(_verb)
app.add_typer(key.app, name="key")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"laerecover {version('lae-recovery')}")
        raise typer.Exit


@app.callback()
def _every_verb(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script: every error is what, where, what next; no traceback unless --traceback."""
    os.umask(0o077)
    outlive_readers()
    try:
        _run()
    except SystemExit as end:
        if (journal := sys.modules.get("laerecover.state.journal")) is not None:
            journal.enter_end(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def _run() -> None:
    try:
        try:
            app(prog_name="laerecover")
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("laerecover: stopped; nothing further was started", file=sys.stderr)
        sys.exit(130)
    except SystemExit:
        raise
    except BaseException as error:  # the last net
        from laerecover.errors import Stopped, explain

        if isinstance(error, Stopped):
            from laerecover.cli._stopping import same_command, who_stopped

            print(f"laerecover: {who_stopped()}. Go on with the same command:  {same_command()}", file=sys.stderr)
            sys.exit(130)
        if not isinstance(error, Exception):
            raise
        if TRACE.is_set():
            import traceback

            traceback.print_exception(error)
        if sys.stderr.isatty():  # folded between words
            from laerecover.cli._show import console

            console(sys.stderr).print(explain(error), markup=False)
        else:
            print(explain(error), file=sys.stderr)
        drop_unread()
        sys.exit(int(getattr(error, "exit_code", 2)))
