"""Lines for people: a terminal folds them between words; what is to be typed stays whole."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from laeforensics.cli import _journal
from laeforensics.facts.masking import command

_TYPED = re.compile(r" *(?:[a-z ]+: )?(?:laeforensics|laerecover) [a-z]+ ")
_HANGING = 6
_NO_VERB = re.compile(r"[Nn]o such command '([a-z]+)'")
OF_LAERECOVER = frozenset(
    {"adopt", "cleanup", "drill", "key", "letter", "notify", "patch", "plan", "ready", "report", "resolve", "run"}
    | {"settings", "status", "verify"}
)
"""The verbs of the other program."""


def tell(text: object, out: TextIO | None = None, *, hanging: int = _HANGING) -> None:
    """Print it; piped, a line is a line, for whoever counts them. What a terminal folds hangs so far in."""
    stream = out or sys.stdout
    told = str(text)
    if stream.isatty():
        width = shutil.get_terminal_size().columns
        told = "\n".join(folded(line, width, hanging) for line in told.split("\n"))
    print(told, file=stream)


def complain(what: str, where: str, next_step: str) -> None:
    """What went wrong, where, and what next: on stderr."""
    places = where.replace("\n", "\n          ")
    tell(f"laeforensics: {what}\n  where   {places}\n  next    {next_step}", sys.stderr, hanging=12)


def missing_of(words: Sequence[str]) -> str:
    """That these are missing."""
    *some, last = words
    return f"{', '.join(some)} and {last} are missing" if some else f"{last} is missing"


def complain_of_usage(error: Any) -> None:
    """What was typed wrong, in which command, and how it is typed; a program or group without a verb tells its help."""
    context, name = error.ctx, type(error).__name__
    if name == "NoArgsIsHelpError":
        error.show()
        return
    told = error.format_message().rstrip(".")
    told = told[:1].lower() + told[1:]
    if context is None:
        complain(told, "laeforensics", "`laeforensics --help`, or `laeforensics VERB --help`")
        return
    more = f"`{context.command_path} --help` tells the rest"
    if verb := _of_the_other(told):
        complain(f"{verb} is a command of laerecover", "laeforensics", command(["laerecover", *_journal.typed()]))
    elif name == "MissingParameter" and (missing := _missing(context)):
        if len(missing) == 1 and (only := _only_name(context)):
            whole = [word for each in _journal.typed() for word in (["EVIDENCE", each] if each == only else [each])]
            complain("EVIDENCE is missing", f"there is no file {only}", f"{command(['laeforensics', *whole])}; {more}")
        else:
            after = f"{_journal.typed_with(words=missing)}; {more}"
            complain(missing_of(missing), context.command_path, after)
    else:
        words = context.get_usage().removeprefix("Usage: ").replace("{", "").replace("}", "").replace("[OPTIONS] ", "")
        if name == "NoSuchOption" and not error.possibilities:
            more += "; a name that begins with - stands behind --, after all options: … EVIDENCE -- NAME"
        complain(told, context.command_path, f"{words}; {more}")


def _of_the_other(told: str) -> str:
    """The verb that there is not here, if laerecover has it."""
    verb = _NO_VERB.search(told)
    return verb[1] if verb is not None and verb[1] in OF_LAERECOVER else ""


def _missing(context: Any) -> list[str]:
    """What of a command's words was not typed: the last ones, for the first word is the evidence."""
    arguments = [each for each in context.command.params if each.param_type_name == "argument"]
    return [each.metavar or each.name.upper() for each in arguments[len(_given(context)) :]]


def _only_name(context: Any) -> str:
    """The one word that was typed, if it is no file: then it is not the evidence; else none."""
    given, is_first = _given(context), context.command.params[0].name == "evidence"
    return given[0] if is_first and len(given) == 1 and not Path(given[0]).exists() else ""


def _given(context: Any) -> list[str]:
    """What was typed behind a command that is no option."""
    words = list(_journal.typed())
    for name in context.command_path.split()[1:]:
        words = words[words.index(name) + 1 :]
    arguments = [each for each in context.command.params if each.param_type_name == "argument"]
    found, _, _ = context.command.make_parser(context).parse_args(args=words)
    told = [found.get(each.name) for each in arguments]
    return [
        word for each in told for word in (each if isinstance(each, list | tuple) else [each]) if isinstance(word, str)
    ]


def folded(line: str, width: int, hanging: int = _HANGING) -> str:
    """In lines of that width, the further ones behind an indent; no word is broken, nor a command."""
    if len(line) <= width or _TYPED.match(line):
        return line
    margin = " " * min(hanging, width // 4)
    return textwrap.fill(line, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
