"""The command laerecover, one verb a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import getdoc
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

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
from laerecover.text import shell_line

_VERBS: dict[str, Callable[..., None]] = {
    verb.__name__: verb
    for verb in (
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
    )
}
_USAGE: Any = typer.BadParameter.__base__
"""What is raised for wrong usage of whatever kind; Typer exports no name of it."""


_OTHERS = "attest audit custody decide diff explain extract grammars list notebook show timeline"
"""Verbs of laeforensics, which somebody may type here."""


class _Verbs(TyperGroup):
    """Usage that is refused is told as every other refusal is: with what to do next."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        # A list of the verbs needs what each says of itself: to read the options of all takes a tenth of `--help`.
        alone = {name: TyperCommand(name, help=getdoc(verb)) for name, verb in _VERBS.items()}
        self.commands = {**alone, **self.commands}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb with its options. Of a verb of the other program it says so, instead of guessing one of these."""
        if args[0] in _OTHERS.split():
            from laerecover.errors import LaeRecoverError

            typed = shell_line(["laeforensics", *args])
            raise LaeRecoverError(f"{args[0]} is a command of laeforensics", where="laerecover", next_step=typed)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and command.name in _VERBS:
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command()(_VERBS[command.name])
            command = typer.main.get_command(alone)
        return name, command, rest

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
        except KeyboardInterrupt:  # Typer would end without a word
            _end_stopped()


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


def _end_stopped() -> NoReturn:
    """The end of a verb that Ctrl-C meets before it waits for one, or after."""
    print("laerecover: stopped; nothing further was started", file=sys.stderr)
    sys.exit(130)


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
        _end_stopped()
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
