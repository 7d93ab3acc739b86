"""Both programs as an operator or a script knows them: commands, options, help, exit codes."""

from __future__ import annotations

import fcntl
import inspect
import os
import re
import signal
import subprocess
import sys
import typing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import consoles
import doors
import pytest
import tables
import typer
from consoles import laerecover
from goldens import HERE, UPDATE, hold

APPS = {"laeforensics": doors.laeforensics_app, "laerecover": doors.laerecover_app}
PROGRAMS = tuple(APPS)
# Run as the console script does, a line after the other in one process.
HELP = """
import sys
from consoles import program
for line in sys.argv[1:]:
    print(f"$ {line}", flush=True)
    try:
        program(*line.split(" ")[:1], line.split(" ")[1:])
    except SystemExit as end:
        assert not end.code, end.code
"""


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The program and its commands, as they are typed."""
    yield name, command
    context = typer.Context(command)
    for word in getattr(command, "commands", ()):
        yield from commands(f"{name} {word}", command.resolve_command(context, [word])[1])


@pytest.mark.parametrize("program", PROGRAMS)
def test_help(program, tmp_path):
    """At a width of 100, of the program and of each command."""
    lines = [f"{words} --help" for words, _ in commands(program, typer.main.get_command(APPS[program]))]
    command = [sys.executable, "-c", HELP, *lines]
    environment = {**consoles.environment(tmp_path), "PYTHONPATH": str(HERE)}
    shown = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=consoles.PATIENCE
    )
    laid_out = f"as {' and '.join(map(_library, ('typer', 'rich')))} lay it out"
    golden = HERE / f"help-{program}.txt"
    written = golden.read_text("utf-8").partition("\n")[0] if golden.is_file() else laid_out
    if written != laid_out and not os.environ.get(UPDATE):
        pytest.skip(f"the golden is {written}; here it is {laid_out}")
    text = "\n".join(line.rstrip() for line in shown.stdout.split("\n"))
    hold(golden.name, f"{laid_out}\n\n{text}")


def _library(name: str) -> str:
    return f"{name} {'.'.join(version(name).split('.')[:2])}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_options(program):
    """Every argument and option: how it is typed, its kind, range, default, whether it must or may be repeated."""
    lines: list[str] = []
    for words, command in commands(program, typer.main.get_command(APPS[program])):
        lines.append("  ".join((words, *command.context_settings.get("help_option_names", ()))))
        kinds = typing.get_type_hints(command.callback, include_extras=True) if command.callback else {}
        lines += [f"  {_option(option, kinds.get(option.name))}" for option in command.params]
    hold(f"options-{program}.txt", "\n".join(lines) + "\n")


def _option(option: Any, annotation: Any) -> str:
    """One line; built of what every version of typer knows of an option."""
    kind, *more = typing.get_args(annotation) or (annotation,)
    names = " / ".join(", ".join(each) for each in (option.opts, option.secondary_opts) if each)
    parts = [names if names.startswith("-") else option.name, option.metavar or "", _kind(kind)]
    for bound in ("min", "max"):
        limit = next((getattr(info, bound, None) for info in more), None)
        parts.append("" if limit is None else f"{bound} {limit}")
    default = "" if option.default in (None, "") or option.required else f"default {option.default}"
    repeated = option.nargs == -1 or getattr(option, "multiple", False)
    parts += [default, "required" if option.required else "", "may be repeated" if repeated else ""]
    parts += ["not in the help" if option.hidden else ""]
    return "  ".join(filter(None, parts))


def _kind(kind: Any) -> str:
    """`int | None` is an int that may be left out, `list[str]` a str that may be repeated."""
    inner = [each for each in typing.get_args(kind) if each is not type(None)]
    return _kind(inner[0]) if inner else inspect.formatannotation(kind).rpartition(".")[2]


def rows(program: str, found: list[tuple[str, int]]) -> str:
    """The table of exit codes, and when each comes."""
    return "".join(f"{program}  {code:>3}  {when}\n" for when, code in sorted(found, key=lambda row: row[1]))


@pytest.fixture(scope="module")
def one_log(tmp_path_factory):
    """A folder where `evidence` holds one signup log."""
    folder = tmp_path_factory.mktemp("one-log")
    name = "signup_logs/2011-11-29T150430Z-7ywnh2m7codjvyjuqh37mhwritnxg4k3"
    (folder / "evidence/signup_logs").mkdir(parents=True)
    (folder / "evidence" / name).write_bytes((tables.FIXTURES / name).read_bytes())
    return folder


def interrupted(folder: Path, *words: str) -> int:
    """Ctrl-C while laeforensics speaks: the pipe is small and nobody reads it, so it cannot be at its end yet."""
    process = consoles.start_of_python(folder, "laeforensics", *words, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    os.read(process.stdout.fileno(), 1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=consoles.PATIENCE)
    assert len(out) > 4000
    return process.returncode


def test_exit_codes_of_laeforensics(one_log):
    """0, 1, 2 and 130, each made to happen. (What no command at all ends with differs between versions of click.)"""
    log = next((one_log / "evidence/signup_logs").iterdir())

    def code(*words: str) -> int:
        return consoles.laeforensics(one_log, *words).code

    audit = ("audit", "evidence", "--output", "out/m.parquet", "--key-file", "key/k")
    check = ("custody", "evidence", "--check")
    found = [
        ("audit: judged, whatever the verdicts", code(*audit)),
        ("custody --check: nothing has changed", code(*check)),
        ("diff: two audits, alike or not", code("diff", "out/audit.parquet", "out/audit.parquet")),
        ("grammars lint: every sample is read as it says", code("grammars", "lint")),
        ("audit: no EVIDENCE is named", code("audit")),
        ("audit: an option that there is not", code(*audit, "--nonsense")),
        ("audit: no such folder", code("audit", "nowhere")),
        ("audit: the manifest would lie inside the evidence", code("audit", "evidence", "--output", "evidence/m")),
        ("explain: no such account", code("explain", "evidence", "nobody@example.org")),
        ("diff: no audit table", code("diff", "evidence", "out/audit.parquet")),
        ("custody: nothing was entered yet", code("custody", "evidence", "--case", "other")),
    ]
    with log.open("ab") as file:
        file.write(b"\n")
    found += [
        ("audit: a file is not what it was", code(*audit)),
        ("custody --check: a file is not what it was", code(*check)),
        ("explain: Ctrl-C", interrupted(one_log, "explain", "evidence", log.name, "--json")),
    ]
    hold("exit-codes-laeforensics.txt", rows("laeforensics", found))


class Recovery:
    """Lines typed on the desk, with states of their own; a drill takes one account only."""

    def __init__(self, desk: Path) -> None:
        self.desk = desk

    def words(self, command: str, state: str, *more: str, manifest: str = "manifest.parquet") -> tuple[str, ...]:
        """A line about a manifest."""
        quick = ("--pace", "0.005", "--first", "1") if command == "drill" else ()
        return (command, manifest, "--key-file", "key/k", "--state", state, *quick, *more)

    def code(self, command: str, state: str, *more: str, manifest: str = "manifest.parquet", **environment: str) -> int:
        """How it ends."""
        return laerecover(self.desk, *self.words(command, state, *more, manifest=manifest), **environment).code

    def refused(self) -> list[tuple[str, int]]:
        """Nothing is started."""
        (self.desk / "cut.parquet").write_bytes((self.desk / "manifest.parquet").read_bytes()[:1000])
        return [
            ("drill: no MANIFEST is named", laerecover(self.desk, "drill").code),
            ("drill: an option that there is not", self.code("drill", "nonsense", "--nonsense")),
            ("drill: no such manifest", self.code("drill", "nowhere", manifest="nowhere.parquet")),
            ("drill: the manifest is cut off", self.code("drill", "cut", manifest="cut.parquet")),
            ("run: there are no settings", self.code("run", "unset", "--yes")),
            ("report: nothing was started yet", self.code("report", "unborn")),
            (
                "drill: more instances than --max-instances allows",
                self.code("drill", "guarded", "--max-instances", "0"),
            ),
        ]

    def failed(self) -> list[tuple[str, int]]:
        """An account whose key is not that of its node id; its half-made instance is not ended unasked."""
        manifest = doors.read_manifest(self.desk / "manifest.parquet", key_file=self.desk / "key/k")
        account = replace(manifest.recoverable[0], grade="IDENTITY_KEPT", server_nodeid="b" * 32)
        doors.write_manifest(
            self.desk / "forged.parquet", [account], evidence_digest="e" * 64, key_file=self.desk / "key/k"
        )
        return [
            ("drill: an account failed", self.code("drill", "failed", manifest="forged.parquet")),
            ("cleanup: no terminal, and no --confirm", self.code("cleanup", "failed", manifest="forged.parquet")),
        ]

    def doubted(self) -> list[tuple[str, int]]:
        """Killed while it gave a mail away."""
        send = ("--mail", "send")
        killed = self.code("drill", "doubted", *send, LAERECOVER_CRASH_AT="send_signup_confirmation:before-send")
        assert killed == -signal.SIGKILL
        return [("drill: a mail is in doubt", self.code("drill", "doubted", *send))]

    def interrupted(self) -> list[tuple[str, int]]:
        """A slow drill, another one beside it, Ctrl-C; then it is forgotten, and another one is done."""
        first = consoles.Started(self.desk, *self.words("drill", "slow", "--pace", "0.1")).speaks()
        second = self.code("drill", "slow")
        first.signal(signal.SIGINT)
        return [
            ("drill: another runner holds the lock", second),
            ("drill: Ctrl-C", first.end().code),
            ("report: not all are done", self.code("report", "slow")),
            ("drill: all done", self.code("drill", "slow", "--again")),
        ]


def test_exit_codes_of_laerecover(desk, audited):
    """0, 1, 2, 3, 4, 75 and 130, each made to happen."""
    assert audited.code == 0
    recovery = Recovery(desk)
    chains = (recovery.interrupted, recovery.doubted, recovery.failed, recovery.refused)
    with ThreadPoolExecutor() as pool:
        found = [row for chain in [pool.submit(chain) for chain in chains] for row in chain.result()]
    hold("exit-codes-laerecover.txt", rows("laerecover", found))


def test_the_readme_knows_the_same_codes():
    """The table in README.md has a column for every code that happens, and says nothing where none does."""
    readme = (HERE.parents[1] / "README.md").read_text("utf-8")
    head, _, *body = re.findall(r"^\|.*\|$", readme.partition("## Exit codes")[2], re.MULTILINE)
    codes = [cell.strip() for cell in head.split("|")[2:-1]]
    for line in body[:2]:
        program, *cells = [cell.strip() for cell in line.split("|")[1:-1]]
        golden = (HERE / f"exit-codes-{program}.txt").read_text("utf-8")
        happen = set(re.findall(rf"^{program} +(\d+)", golden, re.MULTILINE))
        assert {code for code, cell in zip(codes, cells, strict=True) if cell} == happen, program
