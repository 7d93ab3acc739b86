"""Makes what in this folder is made: commands.md from the two programs, the pictures of the README from the fixtures.

`python docs/make.py commands`, `python docs/make.py pictures`; the latter needs chromium (`make rig-tools`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

HERE = Path(__file__).parent
ROOT = HERE.parent
COMMANDS, PICTURES = HERE / "commands.md", HERE / "pictures"
_HEAD = """# All commands

Made from the programs themselves by `make commands`; a test holds it to them. How a recovery goes is told in
[recovery.md](recovery.md), what to do on the day itself in [worst-day.md](worst-day.md), what the words mean in
[glossary.md](glossary.md). `--help` behind any command tells the same.
"""
_HIDDEN = {"--help", "--traceback", "--install-completion", "--show-completion"}


def commands() -> str:
    """The reference of both programs."""
    from laeforensics.cli import app as laeforensics
    from laerecover.cli import app as laerecover

    lines = [_HEAD]
    for name, app in (("laeforensics", laeforensics), ("laerecover", laerecover)):
        top = typer.main.get_command(app)
        lines += [f"## {name}", "", _text(top.help), ""]
        if top.epilog:
            lines += [_text(top.epilog), ""]
        for path, command in _leaves(top, name):
            lines += [f"### {path}", "", _text(command.help), "", *_usage(path, command), ""]
    return "\n".join(lines).rstrip() + "\n"


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below this one that is shown, as it is typed."""
    context = typer.Context(command)
    for name in getattr(command, "commands", ()):
        _, child, _ = command.resolve_command(context, [name])
        if not child.hidden:
            yield from list(_leaves(child, f"{path} {name}")) or [(f"{path} {name}", child)]


def _usage(path: str, command: Any) -> Iterator[str]:
    kinds = typing.get_type_hints(command.callback, include_extras=True)
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    words = [(p.metavar or p.name.upper()) + (" …" if p.nargs == -1 else "") for p in arguments]
    yield f"    {' '.join((path, *words, '[OPTIONS]'))}"
    yield from ("", "| | |", "|---|---|")
    for word, argument in zip(words, arguments, strict=True):
        yield f"| `{word}` | {_cell(argument.help)} |"
    for option in command.params:
        names = [*option.opts, *option.secondary_opts]
        if option not in arguments and not option.hidden and not _HIDDEN & set(names):
            value = (
                "" if option.is_flag else " " + (option.metavar or _kind(kinds.get(option.name))).replace("|", "\\|")
            )
            told = " or ".join(f"`{', '.join(each)}{value}`" for each in (option.opts, option.secondary_opts) if each)
            yield f"| {told} | {_cell(option.help)} |"


def _kind(annotation: Any) -> str:
    told = str(annotation)
    return "FILE" if "Path" in told else "N" if "int" in told else "TEXT"


def _text(told: str | None) -> str:
    return re.sub(r"[ \n]+", " ", (told or "").replace("\f", "")).strip()


def _cell(told: str | None) -> str:
    return _text(told).replace("|", "\\|").replace("<", "&lt;")


def pictures() -> None:
    """audit.html and report.html of the fixtures, as a browser shows them first."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        _audit_and_drill(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 620})
        for name, path in (("audit", "audit.html"), ("report", "manifest.parquet.drill/report.html")):
            page.goto((Path(folder) / path).as_uri())
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


def _audit_and_drill(folder: Path) -> None:
    shutil.copytree(ROOT / "fixtures/evidence", folder / "evidence")
    key = ("--key-file", "key/manifest.key")
    for program, *words in (
        ("laeforensics", "audit", "evidence", "--output", "manifest.parquet", *key),
        ("laerecover", "drill", "manifest.parquet", *key),
    ):
        command = [sys.executable, "-c", f"from {program}.cli import main; main()", *words]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603  words of ours


if __name__ == "__main__":
    if sys.argv[1:] == ["commands"]:
        COMMANDS.write_text(commands(), "utf-8")
    elif sys.argv[1:] == ["pictures"]:
        pictures()
    else:
        sys.exit(__doc__)
