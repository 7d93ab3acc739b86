"""What several verbs let their caller say, each declared once."""

from __future__ import annotations

import functools
import inspect
import json
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from laerecover.text import clean

TRACE = threading.Event()
"""Set by --traceback, whatever the command."""


def _option(kind: Any, *names: str, **more: Any) -> Any:
    return Annotated[kind, typer.Option(*names, **more)]


YesOpt = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
JsonOpt = Annotated[bool, typer.Option("--json", help="For machines, on stdout.")]
QuietOpt = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what is wrong.")]
EventsOpt = Annotated[
    str | None, typer.Option("--events", metavar="jsonl", help="What happens, on stderr, a JSON object a line.")
]


def print_json(body: object) -> None:
    """For machines, on stdout."""
    print(json.dumps(body, indent=1, default=str))


def _accounts(context: typer.Context, incomplete: str) -> list[str]:
    """For a shell that completes words: the ids and addresses that begin so, if the manifest named so far opens."""
    from laerecover.manifest import OperatorError, read_manifest

    key_file = context.params.get("key_file")
    named = [word for word in (context.params.get("manifest"), *context.args) if word]
    try:
        manifest = read_manifest(Path(named[0]), key_file=Path(key_file) if key_file else None)
    except (OperatorError, OSError, IndexError):
        return []
    names = (name for a in manifest.recoverable for name in (a.account_id, a.customer_email or ""))
    return [name for name in names if name.startswith(incomplete or "lae-") and name.isprintable()]


# Options' own defaults hold where nothing is given; the help repeats them in brackets.
_SHARED: dict[str, Any] = {
    "manifest": Annotated[Path, typer.Argument(metavar="MANIFEST", help="What `laeforensics audit` wrote.")],
    "state": _option(Path | None, "--state", metavar="DIR", help="State folder [<manifest>.state, .drill]."),
    "key_file": _option(Path | None, "--key-file", metavar="FILE", help="Key of the manifest."),
    "settings": _option(Path | None, "--settings", metavar="FILE", help="[laerecover.toml beside the manifest]"),
    "only": _option(
        list[str] | None,
        "--only",
        metavar="ACCOUNT",
        help="Only these (id or e-mail; @FILE: one a line).",
        autocompletion=_accounts,
    ),
    "without": _option(
        list[str] | None, "--except", metavar="ACCOUNT", help="All but these.", autocompletion=_accounts
    ),
    "first": _option(int | None, "--first", min=1, metavar="N", help="Only the first N."),
    "order": _option(Path | None, "--order", metavar="FILE", help="These first, in its order: one a line."),
    "concurrency": _option(int | None, "--concurrency", min=1, max=200, help="Accounts at a time [8]."),
    "mail": _option(str | None, "--mail", metavar="hold|send", help="Hold mails for `notify`, or send them [hold]."),
    "evidence_out": _option(
        Path | None, "--evidence-out", metavar="DIR", help="Evidence of the new servers [evidence/ in the state]."
    ),
    "disaster_at": _option(
        str | None, "--disaster-at", metavar="TIME", help="When the servers were lost: who has written since is alive."
    ),
    "min_grade": _option(
        str | None,
        "--min-grade",
        metavar="GRADE",
        help="Accounts of a lesser grade wait; holds until another is said [all].",
    ),
    "name_tag": _option(str | None, "--name-tag", metavar="email|none", help="What the instances are called [none]."),
    "new_identity": _option(
        bool, "--new-identity", help="After a break-in: restore no key; old directories stay read-only."
    ),
    "max_instances": _option(int | None, "--max-instances", min=0, metavar="N", help="Never launch more than this."),
    "max_failures": _option(
        int | None, "--max-failures", min=1, metavar="N", help="Start no more after N failures [3]."
    ),
    "not_dialled": _option(
        bool | None,
        "--not-dialled/--dialled",
        help="This network does not let new servers be dialled: said once, until --dialled.",
    ),
    "because": _option(str | None, "--because", metavar="WHY", help="Why you decide so; it is recorded."),
    "accept": _option(
        list[str] | None,
        "--accept",
        metavar="ACCOUNT[=i-…]",
        help="Recover it though its old server, or that one, may still run; ACCOUNT= takes it back.",
        autocompletion=_accounts,
    ),
    "approved_by": _option(
        Path | None, "--approved-by", metavar="FILE.sig", help="Somebody's ssh signature of this plan, or these mails."
    ),
    "canary": _option(
        str | None,
        "--canary",
        metavar="ACCOUNT",
        help="It goes through to its end before the others start [the first that starts].",
        autocompletion=_accounts,
    ),
    "no_canary": _option(bool, "--no-canary", help="No account goes ahead of the others."),
    "seed": _option(int | None, "--seed", help="Which mishaps happen in the drill; the same N, the same ones [1]."),
    "faults": _option(str, "--faults", metavar="seed:N", help="Draw from all mishaps at random, worse ones too."),
    "world": _option(
        str,
        "--world",
        metavar="twin|rig",
        help="A world in one file, or servers made on this machine (root, extra [rig]).",
    ),
    "prove": _option(bool, "--prove", help="A file stored before is read back after; on a rig."),
    "hosts": _option(
        str, "--hosts", metavar="light|systemd|debian13", help="On a rig: small hosts, or such as a cloud's images are."
    ),
    "again": _option(bool, "--again", help="Forget the old drill and begin anew."),
    "pace": _option(float, "--pace", hidden=True, min=0.0001, max=1.0),
    "traceback": _option(bool, "--traceback", help="Show where an error came from."),
}
_DEFAULTS: dict[str, Any] = {"faults": "", "world": "twin", "hosts": "light", "pace": 0.01}
"""Where the default is neither None nor, of a flag, False."""
SELECTION = ("only", "without", "first", "order")
CANARY = ("canary", "no_canary")
PLACES = ("state", "key_file", "settings")
DECIDING = ("not_dialled", "because")
DRILLING = ("seed", "faults", "world", "prove", "hosts", "again", "pace")
WORKING = ("concurrency", "mail", "evidence_out", "new_identity", "max_instances", "max_failures")
_WORDS = {
    "mail": ("hold", "send"),
    "name_tag": ("none", "email"),
    "min_grade": ("IDENTITY_KEPT", "NEW_FURL", "NEW_STORAGE_IDENTITY"),
    "world": ("twin", "rig"),
    "hosts": ("light", "systemd", "debian13"),
}


def takes(*names: str, before: Sequence[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A verb `(options: Options, *its own)`, typed as MANIFEST, what `before` names, its own, what `names` does."""
    every = ("manifest", *before, *names)

    def expand(function: Callable[..., None]) -> Callable[..., None]:
        del function.__annotations__["options"]  # known to type checkers only: its module would load too much here
        hints = inspect.get_annotations(function, eval_str=True)
        _, *given = inspect.signature(function).parameters.values()
        own = [p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in given]
        first, last = (list(map(_parameter, some)) for some in (("manifest", *before), (*names, "traceback")))

        @functools.wraps(function)
        def called(**values: Any) -> None:
            if values.pop("traceback"):
                TRACE.set()
            if "key_file" in every and sys.stderr.isatty() and not values.get("quiet_"):
                print(f"laerecover: reading {clean(values['manifest'])} …", file=sys.stderr, flush=True)
            _keep_journal()
            function(_options({name: values.pop(name) for name in every}), **values)

        parameters = [*first, *own, *last]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        return called

    return expand


def _keep_journal() -> None:
    from laerecover.state.journal import keep_journal

    keep_journal(["laerecover", *sys.argv[1:]], say=lambda said: print(f"laerecover: {said}", file=sys.stderr))


def _parameter(name: str) -> inspect.Parameter:
    annotation = _SHARED[name]
    default = _DEFAULTS.get(name, False if annotation.__origin__ is bool else None)
    default = inspect.Parameter.empty if name == "manifest" else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _options(values: dict[str, Any]) -> Any:
    from laerecover.options import make_options

    for name, words in _WORDS.items():
        if values.get(name) not in (None, *words):
            raise typer.BadParameter(f"--{name.replace('_', '-')} is {' or '.join(words)}")
    if values.pop("no_canary", False):
        if values["canary"] is not None:
            raise typer.BadParameter("say either --canary ACCOUNT or --no-canary")
        values["canary"] = False
    given = {name: value for name, value in values.items() if value is not None}
    return make_options(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
