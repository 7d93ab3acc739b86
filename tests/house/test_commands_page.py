"""The reference of all commands is what the programs say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import typer

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_is_current():
    """`make commands` writes it anew."""
    spec = importlib.util.spec_from_file_location("make_docs", DOCS / "make.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (DOCS / "commands.md").read_text("utf-8") == made.commands(), "call `make commands`"


def test_the_readme_shows_two_pictures_and_links_both_pages():
    """The pictures lie where it says."""
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    for path in ("docs/commands.md", "docs/worst-day.md", "docs/pictures/audit.png", "docs/pictures/report.png"):
        assert f"]({path})" in readme
        assert (DOCS.parent / path).is_file()


def test_the_verbs_of_the_other_program_are_known():
    """Whoever types one behind laeforensics is told whose it is."""
    from laeforensics.cli._lines import OF_LAERECOVER
    from laerecover.cli import app

    assert set(typer.main.get_group(app).commands) == OF_LAERECOVER
