"""The command laerecover."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from laerecover.mailing import Letter
    from laerecover.operations import Options
    from laerecover.plan import Plan

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Carry out the recovery that a manifest describes: once for each account, however often it is interrupted.",
    epilog="Exit codes: 0 all done; 1 some accounts failed or are not done; 2 usage, or manifest refused; 3 stopped by a guard, "
    "or no terminal and no --yes; 4 something is in doubt and needs a human; 75 another runner holds the lock; 130 interrupted.",
)

ManifestArg = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="The encrypted manifest of `laeforensics audit`.")
]
StateOpt = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="State folder [<manifest>.state, .drill].")
]
KeyOpt = Annotated[Path | None, typer.Option("--key-file", metavar="FILE", help="Key of the manifest.")]
SettingsOpt = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="[laerecover.toml beside the manifest]")
]
OnlyOpt = Annotated[list[str] | None, typer.Option("--only", metavar="ACCOUNT", help="Only these (id or e-mail).")]
ExceptOpt = Annotated[list[str] | None, typer.Option("--except", metavar="ACCOUNT", help="All but these.")]
FirstOpt = Annotated[int | None, typer.Option("--first", min=1, metavar="N", help="Only the first N.")]
ConcurrencyOpt = Annotated[int, typer.Option("--concurrency", min=1, max=200, help="Accounts at a time.")]
MailOpt = Annotated[str, typer.Option("--mail", metavar="hold|send", help="Hold mails for `notify`, or send them.")]
MaxOpt = Annotated[int | None, typer.Option("--max-instances", min=0, help="Never launch more than this.")]
EvidenceOpt = Annotated[
    Path | None, typer.Option("--evidence-out", metavar="DIR", help="Where the recovery's own evidence goes [STATE/evidence].")
]
YesOpt = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
JsonOpt = Annotated[bool, typer.Option("--json", help="For machines, on stdout.")]
TraceOpt = Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")]

_trace = threading.Event()


def _note_traceback(traceback: bool) -> None:
    if traceback:
        _trace.set()


@app.command()
def plan(
    manifest: ManifestArg,
    state: StateOpt = None,
    key_file: KeyOpt = None,
    settings: SettingsOpt = None,
    only: OnlyOpt = None,
    without: ExceptOpt = None,
    first: FirstOpt = None,
    concurrency: ConcurrencyOpt = 8,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """What would happen, per account. Nothing is started."""
    _note_traceback(traceback)
    from dataclasses import asdict

    from laerecover import operations
    from laerecover.show import show_plan

    options = _options(manifest, state, key_file, settings, only, without, first, concurrency=concurrency)
    made = operations.plan(options)
    if json_:
        _print_json({**asdict(made), "digest": made.digest, "seconds": made.seconds, "instances": len(made.recover)})
    else:
        show_plan(made, manifest, repeated=options.repeated + options.selection.options)


@app.command()
def drill(
    manifest: ManifestArg,
    state: StateOpt = None,
    key_file: KeyOpt = None,
    only: OnlyOpt = None,
    without: ExceptOpt = None,
    first: FirstOpt = None,
    concurrency: ConcurrencyOpt = 8,
    seed: Annotated[int, typer.Option(help="Which mishaps the twin world has in store.")] = 1,
    mail: MailOpt = "hold",
    max_instances: MaxOpt = None,
    evidence_out: EvidenceOpt = None,
    again: Annotated[bool, typer.Option("--again", help="Forget the old drill and begin anew.")] = False,
    pace: Annotated[float, typer.Option(hidden=True, min=0.0001, max=1.0)] = 0.01,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """The whole runbook in the twin world: no cloud account, no settings, no real mail."""
    _note_traceback(traceback)
    from laerecover import operations

    options = _options(
        manifest,
        state,
        key_file,
        None,
        only,
        without,
        first,
        concurrency=concurrency,
        seed=seed,
        mail=_mail(mail),
        max_instances=max_instances,
        again=again,
        evidence_out=evidence_out,
        pace=pace,
        crash_at=os.environ.get("LAERECOVER_CRASH_AT", ""),
    )
    _work(json_, lambda stop, watch: operations.drill(options, watch=watch, stop=stop))


@app.command()
def run(
    manifest: ManifestArg,
    state: StateOpt = None,
    key_file: KeyOpt = None,
    settings: SettingsOpt = None,
    only: OnlyOpt = None,
    without: ExceptOpt = None,
    first: FirstOpt = None,
    concurrency: ConcurrencyOpt = 8,
    mail: MailOpt = "hold",
    max_instances: MaxOpt = None,
    evidence_out: EvidenceOpt = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="ACCOUNT", help="Recover it though its old server is not known to be gone."),
    ] = None,
    because: Annotated[str | None, typer.Option("--because", help="Why; it is recorded.")] = None,
    yes: YesOpt = False,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """Recover. After a crash the same command goes on where it stopped; mails are held."""
    _note_traceback(traceback)
    from laerecover import operations
    from laerecover.show import ask, show_plan

    options = _options(
        manifest,
        state,
        key_file,
        settings,
        only,
        without,
        first,
        concurrency=concurrency,
        mail=_mail(mail),
        max_instances=max_instances,
        evidence_out=evidence_out,
        accept=tuple(accept or ()),
        because=because,
    )

    def confirm(made: Plan) -> bool:
        show_plan(
            made,
            manifest,
            repeated=options.repeated + options.selection.options,
            stream=sys.stderr if json_ else sys.stdout,
        )
        return yes or ask(f"Recover {len(made.recover)} accounts")

    _work(json_, lambda stop, watch: operations.run(options, watch=watch, stop=stop, confirm=confirm))


@app.command()
def notify(
    manifest: ManifestArg,
    state: StateOpt = None,
    key_file: KeyOpt = None,
    settings: SettingsOpt = None,
    only: OnlyOpt = None,
    without: ExceptOpt = None,
    first: FirstOpt = None,
    yes: YesOpt = False,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """Show the mails that are held, and send them."""
    _note_traceback(traceback)
    from laerecover import mailing
    from laerecover.show import ask, show_letters
    from laerecover.state import State

    options = _options(manifest, state, key_file, settings, only, without, first)

    def confirm(found: State, letters: list[Letter]) -> bool:
        show_letters(letters, stream=sys.stderr if json_ else sys.stdout)
        return yes or found.mode == "drill" or ask(f"Send {len(letters)} mails")

    stop = _stop_on_signals()
    found, outcome = mailing.notify(options, stop=stop, confirm=confirm)
    numbers = mailing.mail_numbers(found)
    if json_:
        _print_json({"mails": outcome})
    else:
        print("Mails: " + (", ".join(f"{n} {s.replace('_', ' ')}" for s, n in sorted(numbers.items())) or "none"))
    if stop.is_set():
        raise typer.Exit(130)
    if numbers.get("in_doubt"):
        raise typer.Exit(4)
    if numbers.get("held") or numbers.get("refused"):
        raise typer.Exit(1)


@app.command()
def status(
    manifest: ManifestArg,
    state: StateOpt = None,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """How far it is; may be asked while a runner is at work."""
    _note_traceback(traceback)
    from laerecover import operations
    from laerecover.show import show_status

    body = operations.status(_options(manifest, state, None, None, None, None, None))
    if json_:
        _print_json(body)
    else:
        show_status(body)


@app.command()
def report(
    manifest: ManifestArg,
    state: StateOpt = None,
    key_file: KeyOpt = None,
    settings: SettingsOpt = None,
    json_: JsonOpt = False,
    traceback: TraceOpt = False,
) -> None:
    """Outcome of each account, measured times, what is left for a human; written as HTML and JSON, too."""
    _note_traceback(traceback)
    from laerecover import operations
    from laerecover.show import show_report

    found, made = operations.report(_options(manifest, state, key_file, settings, None, None, None))
    if json_:
        _print_json(made.body)
    else:
        show_report(made, found.folder)
    raise typer.Exit(made.exit_code)


@app.command()
def resolve(
    manifest: ManifestArg,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    matter: Annotated[str, typer.Argument(metavar="mail", help="What is in doubt: mail.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: hold it, to be sent again.")] = False,
    state: StateOpt = None,
    traceback: TraceOpt = False,
) -> None:
    """Say what became of a mail that is in doubt."""
    _note_traceback(traceback)
    from laerecover import mailing

    if matter != "mail" or sent == resend:
        raise typer.BadParameter("say `mail`, with either --sent or --resend")
    mailing.resolve_mail(_options(manifest, state, None, None, None, None, None), account, sent=sent)
    print("The mail counts as sent." if sent else f"The mail is held again; next: laerecover notify {manifest}")


@app.command()
def settings(example: Annotated[bool, typer.Option("--example", help="Print a commented example.")] = False) -> None:
    """The operator's side: which file it is, and what stands in it."""
    from laerecover.settings import DEFAULT_NAME
    from laerecover.settings import example as example_text

    if example:
        print(example_text(), end="")
    else:
        print(f"Settings are read from {DEFAULT_NAME} beside the manifest, or from --settings FILE.")
        print(f"Begin with: laerecover settings --example > {DEFAULT_NAME}")


def main() -> None:
    """The console script: every error is what, where, what next; no traceback unless --traceback."""
    os.umask(0o077)
    try:
        app(prog_name="laerecover")
    except KeyboardInterrupt:
        print("laerecover: stopped; nothing further was started", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  the last net
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    from laerecover.text import clean

    if _trace.is_set():
        import traceback as traces

        traces.print_exception(error)
    what = getattr(error, "what", None)
    if what is not None:
        lines = [what, f"  where   {clean(error.where)}", f"  next    {clean(error.next_step)}"]  # type: ignore[attr-defined]
    elif isinstance(error, OSError):
        lines = [clean(error.strerror or type(error).__name__), f"  where   {clean(error.filename or 'this machine')}"]
        lines.append("  next    mend it and run the same command again; it goes on where it stopped")
    else:
        lines = [f"a mistake in laerecover ({type(error).__name__})", "  where   unknown; --traceback shows it"]
        lines.append("  next    please report it; what was done is in the ledger, and the same command goes on")
    print("laerecover: " + "\n".join([clean(lines[0]), *lines[1:]]), file=sys.stderr)
    return int(getattr(error, "exit_code", 2))


def _options(
    manifest: Path,
    state: Path | None,
    key_file: Path | None,
    settings: Path | None,
    only: list[str] | None,
    without: list[str] | None,
    first: int | None,
    **more: Any,
) -> Options:
    from laerecover.operations import Options
    from laerecover.plan import Selection

    selection = Selection(only=tuple(only or ()), without=tuple(without or ()), first=first)
    return Options(manifest=manifest, state=state, key_file=key_file, settings=settings, selection=selection, **more)


def _mail(word: str) -> str:
    if word not in ("hold", "send"):
        raise typer.BadParameter("--mail is hold or send")
    return word


def _work(json_: bool, operation: Callable[..., Any]) -> None:
    """Drill or run: with a display, a calm stop, and the report at the end."""
    from laerecover.show import show_interrupted, show_report, watcher

    begun = time.monotonic()
    stop = _stop_on_signals()
    state, made = operation(stop, lambda planned: watcher(planned, json_=json_))
    if json_:
        _print_json(made.body)
    else:
        show_report(made, state.folder)
    if stop.is_set():
        show_interrupted(made, state, time.monotonic() - begun, _same_command())
        raise typer.Exit(130)
    raise typer.Exit(made.exit_code)


def _stop_on_signals() -> threading.Event:
    """Ctrl-C once: end calmly. Twice: end at once, which is as safe as a power cut."""
    stop = threading.Event()

    def stopped(number: int, frame: object) -> None:
        if stop.is_set():
            os.write(2, f"\nStopped at once. Go on with the same command:  {_same_command()}\n".encode())
            os._exit(130)
        stop.set()
        os.write(2, b"\nStopping: the steps in hand are ended or abandoned. Ctrl-C again stops at once.\n")

    signal.signal(signal.SIGINT, stopped)
    signal.signal(signal.SIGTERM, stopped)
    return stop


def _same_command() -> str:
    return shlex.join(["laerecover", *(argument for argument in sys.argv[1:] if argument != "--again")])


def _print_json(body: object) -> None:
    print(json.dumps(body, indent=1, default=str))
