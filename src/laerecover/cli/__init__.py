"""The command laerecover."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from laerecover.cli import aftercare
from laerecover.cli._arguments import DECIDING, PLACES, SELECTION, TRACE, WORKING, JsonOpt, YesOpt, command, print_json
from laerecover.cli._stopping import same_command, stop_on_signals

if TYPE_CHECKING:
    from laerecover.afterwards.instances import Found
    from laerecover.afterwards.mailing import Letter
    from laerecover.options import Options
    from laerecover.planning.plan import Plan
    from laerecover.state.state import State

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Carry out the recovery that a manifest describes: once for each account, however often it is interrupted.",
    epilog="Exit codes: 0 all done; 1 some accounts failed or are not done; 2 usage, or manifest refused; 3 stopped by a guard, "
    "or no terminal and no --yes; 4 something is in doubt and needs a human; 75 another runner holds the lock; 130 interrupted.",
)


@command(app, *PLACES, *SELECTION, "concurrency", "name_tag", "new_identity")
def plan(
    options: Options,
    check: Annotated[bool, typer.Option("--check", help="Ask the cloud, read-only, whether it could be done.")] = False,
    json_: JsonOpt = False,
) -> None:
    """What would happen, per account. Nothing is started."""
    from laerecover import recovery as operations
    from laerecover.cli._show import show_checks, show_plan

    made, findings = operations.plan(options, check=check)
    if json_:
        print_json({**made.body, "checks": [finding.body for finding in findings]})
    else:
        show_plan(made, options)
        show_checks(findings, asked=check)
    raise typer.Exit(3 if any(finding.blocks for finding in findings) else 0)


@command(app, "state", "key_file", *SELECTION, *WORKING)
def drill(
    options: Options,
    seed: Annotated[int | None, typer.Option(help="Which mishaps the twin world has in store [1].")] = None,
    faults: Annotated[
        str, typer.Option("--faults", metavar="seed:N", help="Draw from all mishaps at random, worse ones too.")
    ] = "",
    world: Annotated[
        str,
        typer.Option(
            "--world", metavar="twin|rig", help="On a file, or on this machine's own rig (root, extra [rig])."
        ),
    ] = "twin",
    prove: Annotated[bool, typer.Option("--prove", help="A file stored before is read back after; on a rig.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Forget the old drill and begin anew.")] = False,
    pace: Annotated[float, typer.Option(hidden=True, min=0.0001, max=1.0)] = 0.01,
    json_: JsonOpt = False,
) -> None:
    """The whole runbook in the twin world: no cloud account, no settings, no real mail."""
    from dataclasses import replace

    from laerecover import recovery as operations

    if faults and not (faults.startswith("seed:") and faults[5:].isdecimal()):
        raise typer.BadParameter("--faults is seed:N, N a number")
    if world not in ("twin", "rig"):
        raise typer.BadParameter("--world is twin or rig")
    if prove and world != "rig":
        raise typer.BadParameter("--prove needs --world rig: the twin world stores no files")
    crash_at = os.environ.get("LAERECOVER_CRASH_AT", "")
    seed = int(faults[5:] or 1) if seed is None else seed
    given = replace(options, seed=seed, faults=faults, place=world, prove=prove, again=again, pace=pace)
    given = replace(given, crash_at=crash_at, canary=False)
    _work(json_, lambda stop, watch: operations.drill(given, watch=watch, stop=stop))


@command(app, *PLACES, *SELECTION, *WORKING, "name_tag", *DECIDING)
def run(
    options: Options,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="ACCOUNT", help="Recover it though some server of it may still run."),
    ] = None,
    canary: Annotated[
        bool, typer.Option("--canary/--no-canary", help="One account goes through to its end before the others start.")
    ] = True,
    yes: YesOpt = False,
    json_: JsonOpt = False,
) -> None:
    """Recover. After a crash the same command goes on where it stopped; mails are held."""
    from dataclasses import replace

    from laerecover import recovery as operations
    from laerecover.cli._show import ask, show_plan

    given = replace(options, accept=tuple(accept or ()), canary=canary)

    def confirm(made: Plan) -> bool:
        show_plan(made, options, stream=sys.stderr if json_ else sys.stdout)
        return yes or ask(f"Recover {len(made.recover)} accounts")

    _work(json_, lambda stop, watch: operations.run(given, watch=watch, stop=stop, confirm=confirm, asked=not yes))


@command(app, *PLACES, *SELECTION, *DECIDING)
def notify(options: Options, yes: YesOpt = False, json_: JsonOpt = False) -> None:
    """Show the mails that are held; dial their servers, and send those whose server answers."""
    from laerecover.afterwards import mailing
    from laerecover.cli._show import ask, show_letters, show_sent

    def confirm(found: State, letters: list[Letter]) -> bool:
        show_letters(letters, stream=sys.stderr if json_ else sys.stdout)
        return yes or found.mode == "drill" or ask(f"Send {len(letters)} mails")

    stop = stop_on_signals()
    found, outcome, stopped = mailing.notify(options, stop=stop, confirm=confirm)
    numbers = mailing.mail_numbers(found)
    if json_:
        print_json({"mails": outcome, "stopped": stopped})
    else:
        show_sent(numbers, stopped)
    if stop.is_set():
        raise typer.Exit(130)
    raise typer.Exit(4 if numbers.get("in_doubt") else 3 if stopped else 1 if {"held", "refused"} & {*numbers} else 0)


@command(app, "state")
def status(options: Options, json_: JsonOpt = False) -> None:
    """How far it is; may be asked while a runner is at work."""
    from laerecover.cli._show import show_status
    from laerecover.report import review

    body = review.status(options)
    if json_:
        print_json(body)
    else:
        show_status(body)


@command(app, *PLACES)
def report(options: Options, json_: JsonOpt = False) -> None:
    """Outcome of each account, measured times, what is left for a human; written as HTML and JSON, too."""
    from laerecover.cli._show import show_report
    from laerecover.report import review

    found, made = review.report(options)
    if json_:
        print_json(made.body)
    else:
        show_report(made, found.folder)
    raise typer.Exit(made.exit_code)


aftercare.add_to(app)


@command(app, *PLACES)
def resolve(
    options: Options,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    matter: Annotated[str, typer.Argument(metavar="mail", help="What it is about: mail.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived, or the customer was told another way.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: hold it, to be sent again.")] = False,
) -> None:
    """Say what became of a mail that is in doubt, or was refused."""
    from laerecover.afterwards import mailing

    if matter != "mail" or sent == resend:
        raise typer.BadParameter("say `mail`, with either --sent or --resend")
    mailing.resolve_mail(options, account, sent=sent)
    again = f"next: laerecover notify {options.quoted}{options.repeat('notify', state=True)}"
    print("The mail is settled: nobody sends it again." if sent else f"The mail is held again; {again}")


@command(app, *PLACES)
def adopt(
    options: Options,
    recovery: Annotated[
        str | None, typer.Option("--recovery", metavar="ID", help="Which one, if there are several.")
    ] = None,
    json_: JsonOpt = False,
) -> None:
    """Make a lost state folder anew from the instances' tags; `run` then goes on with these instances."""
    from laerecover.afterwards import instances
    from laerecover.cli._show import show_instances

    state, found = instances.adopt(options, recovery=recovery, stop=stop_on_signals())
    if json_:
        print_json({"recovery_id": state.recovery_id, "instances": [each.body for each in found]})
    else:
        show_instances(found)
        print(
            f"{len(found)} instances adopted into {state.folder}\nnext: laerecover run {options.quoted}{options.repeat('run', state=True)}"
        )


@command(app, *PLACES)
def cleanup(
    options: Options,
    confirmed: Annotated[str | None, typer.Option("--confirm", metavar="WORD", help="The word that was shown.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that other state folders launched, too.")] = False,
    json_: JsonOpt = False,
) -> None:
    """List half-made instances with what they hold; end them once the word that is shown was typed."""
    from laerecover.afterwards import instances
    from laerecover.cli._show import ask_word, show_instances

    def confirm(found: list[Found], word: str) -> bool:
        show_instances(found, stream=sys.stderr if json_ else sys.stdout)
        return confirmed == word if confirmed is not None else ask_word(f"End {len(found)} instances", word)

    ended = instances.cleanup(options, stop=stop_on_signals(), confirm=confirm, everyones=all_)
    if json_:
        print_json({"ended": [each.body for each in ended]})
    else:
        many = "1 instance was" if len(ended) == 1 else f"{len(ended)} instances were"
        print(f"{many} ended" if ended else "no half-made instance is left")


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
        from laerecover.errors import explain

        if TRACE.is_set():
            import traceback

            traceback.print_exception(error)
        print(explain(error), file=sys.stderr)
        sys.exit(int(getattr(error, "exit_code", 2)))


def _work(json_: bool, operation: Callable[..., Any]) -> None:
    """Drill or run: with a display, a calm stop, and the report at the end."""
    from laerecover.cli._show import show_interrupted, show_report, watcher

    begun, stop = time.monotonic(), stop_on_signals()
    state, made = operation(stop, lambda planned: watcher(planned, json_=json_))
    if json_:
        print_json(made.body)
    else:
        show_report(made, state.folder)
    if stop.is_set():
        show_interrupted(made, state, time.monotonic() - begun, same_command())
        raise typer.Exit(130)
    raise typer.Exit(made.exit_code)
