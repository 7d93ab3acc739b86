"""What every verb of the shell does alike: open a case, keep custody, complain, end."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

from laeforensics.cli import _journal
from laeforensics.cli._lines import complain, complain_of_usage
from laeforensics.cli._refusals import EXIT_EVIDENCE, stop

if TYPE_CHECKING:
    from laeforensics.case import Case
    from laeforensics.cli._options import CaseOptions
    from laeforensics.evidence.custody import Comparison
    from laeforensics.evidence.recognise import EvidenceFile
    from laeforensics.export.statement import SideFile
    from laeforensics.present.commands import CommandLines

EXIT_CHECK = 1
EXIT_INTERRUPTED = 130
LAST_AUDIT = "audit.json"
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What the shell's library raises where something was typed wrong; it has no public name there."""


def open_case(options: CaseOptions) -> Case:
    """The case that the command line names, with a progress line on a terminal."""
    import laeforensics

    with progress() as step:
        return laeforensics.open_case(
            *options.evidence, folder=options.case_folder, jobs=options.jobs, progress=step, **options.sources
        )


def commands(options: CaseOptions, *, output: Path | None = None, key_file: Path | None = None) -> CommandLines:
    """What is to be typed about this case, with the options that were given now."""
    from laeforensics.present.commands import CommandLines

    def words(**given: Path | None) -> tuple[str, ...]:
        return tuple(w for name, path in given.items() if path for w in (f"--{name.replace('_', '-')}", str(path)))

    return CommandLines(
        evidence=tuple(f"./{path}" if str(path).startswith("-") else str(path) for path in options.evidence),
        case=words(case=options.case_folder),
        sources=words(**options.sources),
        written=words(output=output, key_file=key_file),
    )


def people(options: CaseOptions, *, quiet: bool = False) -> TextIO:
    """Where people's text goes: beside what machines read, and nowhere if nothing is to be said."""
    return io.StringIO() if quiet else sys.stderr if options.as_json else sys.stdout


def remember(options: CaseOptions, folder: Path, *, output: Path, key_file: Path | None) -> None:
    """Note in the case folder how it was audited, for the command that comes after a decision. Raises OSError."""
    from laeforensics.writing import write_whole

    told = {"output": output, "key_file": key_file, **options.sources}
    paths = {name: str(path.resolve()) for name, path in told.items() if path is not None}
    write_whole(folder / LAST_AUDIT, [json.dumps(paths, indent=1) + "\n"], is_private=True)


def audit_again(options: CaseOptions, folder: Path) -> str:
    """The command by which this case was audited last; as far as that is known."""
    from laeforensics.evidence.read import read_beside

    told: dict[str, Path] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        told = {name: near(Path(path)) for name, path in json.loads(read_beside(folder / LAST_AUDIT)).items()}
    sources: dict[str, Any] = {name: path or told.get(name) for name, path in options.sources.items()}
    options = replace(options, **sources)
    return commands(options, output=told.get("output"), key_file=told.get("key_file")).audit()


def near(path: Path) -> Path:
    """The path as it is typed here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def side_files(options: CaseOptions, case: Case) -> list[SideFile]:
    """What was named beside the evidence, and the decisions of the case. Raises OSError."""
    from laeforensics.export import statement

    return statement.side_files({name.replace("_", " "): path for name, path in options.sources.items()}, case.folder)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[EvidenceFile, int], None] | None]:
    """A line on the terminal while the evidence is read; nothing when piped."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("reading the evidence", total=None)
        yield lambda file, files: bar.update(line, advance=1, total=files)


def keep_custody(case: Case, options: CaseOptions, beside: Sequence[SideFile]) -> Comparison | None:
    """Compare with the register, add what is new and who reads it; the changes become findings of the case."""
    from importlib.metadata import version

    from laeforensics.evidence import custody

    _journal.enter_begin(case.folder)
    read = case.judgement.reading
    program = f"laeforensics {version('lae-recovery')}"
    try:
        now = datetime.now(UTC)
        compared = custody.keep([*read.files, *read.archives], case.folder, now=now, program=program)
        custody.keep_reader(case.folder, map(asdict, beside), digest=read.digest, now=now, program=program)
        custody.write_sums(case.folder, read.files, read.archives)
    except OSError as error:
        if options.case_folder is not None:
            raise
        step = "name a folder that can be written to with --case"
        complain(f"custody is not kept: {error.strerror}", str(case.folder), step)
        return None
    read.findings.extend(f for f in compared.findings() if f not in read.findings)
    return compared


def report_changes(compared: Comparison, folder: Path, out: TextIO) -> None:
    """Say which files changed or vanished, and what to do."""
    from laeforensics.evidence.custody import FILE
    from laeforensics.facts.masking import plain

    for found in compared.findings():
        typer.echo(f"changed    {plain(found.signup or '')}  {found.message}", file=out)
    step = "restore the files from their copies; if the change is right, begin a new case with --case"
    complain("the evidence is not what it was when it was first read", str(folder / FILE), step)


def user_name() -> str:
    """Who is at work here. Ends with EXIT_EVIDENCE where nothing tells it, as in a container without users."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        stop("nothing tells who you are", "neither LOGNAME nor the list of users", "say it: --who NAME")


def _at_home(word: str) -> str:
    """A word of the command line with the home folder for `~`: shells leave it alone behind `--option=`."""
    option, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{sign}{os.path.expanduser(value)}" if value.startswith("~") else word  # noqa: PTH111  a word


def _interrupted(number: int, frame: object) -> None:
    typer.echo("\nlaeforensics: stopped by you; the evidence is as it was", err=True)
    sys.exit(EXIT_INTERRUPTED)


def _errors_with_remedies() -> tuple[type[Exception], ...]:
    """The errors that say what, where and what next.

    The manifest's can only be raised once their module is imported.
    """
    from laeforensics.errors import ForensicsError

    manifest = sys.modules.get("laerecover.manifest")
    return (ForensicsError,) if manifest is None else (ForensicsError, manifest.ManifestError)


def _drop_what_is_unread() -> None:
    """Turn standard output to nowhere: what its buffer still holds would be written, and fail, when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _hand_over() -> None:
    """Write what the buffer still holds now: at its end Python would do it, and call it a failure if nobody reads."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_what_is_unread()


def run(app: typer.Typer, argv: list[str] | None) -> Any:
    """Run one verb; whatever goes wrong is told in three lines, never by a traceback. How it ended is in the journal
    of the case that it wrote to.
    """
    try:
        return _run(app, argv)
    except SystemExit as end:
        _journal.enter_end(end.code)
        raise


def _run(app: typer.Typer, argv: list[str] | None) -> Any:
    if sys.stdout is None or sys.stderr is None:  # closed by whoever began this: what it would say is said to nobody
        nobody = io.StringIO()
        sys.stdout, sys.stderr = sys.stdout or nobody, sys.stderr or nobody
    argv = [_at_home(word) for word in (sys.argv[1:] if argv is None else argv)]
    _journal.keep(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    before = signal.signal(signal.SIGINT, _interrupted)
    try:
        sys.exit(app(argv, prog_name="laeforensics", standalone_mode=False) or 0)
    except _UsageError as error:
        complain_of_usage(error)
        sys.exit(EXIT_EVIDENCE)
    except SystemExit as end:
        # click meets it first where nobody reads along any more, and calls it a failure.
        if type(sys.stdout).__name__ == "PacifyFlushWrapper" or isinstance(end.__context__, BrokenPipeError):
            _drop_what_is_unread()
            sys.exit(0)
        raise
    except _errors_with_remedies() as error:
        complain(error.what, error.where, error.next_step)  # type: ignore[attr-defined]
        sys.exit(EXIT_EVIDENCE)
    except BrokenPipeError:  # whoever read along has heard enough
        _drop_what_is_unread()
        sys.exit(0)
    except OSError as error:
        complain(
            error.strerror or type(error).__name__,
            str(error.filename or "the file system"),
            "check the path, the permissions and the free space, then run it again",
        )
        sys.exit(EXIT_EVIDENCE)
    finally:
        signal.signal(signal.SIGINT, before)
        _hand_over()
