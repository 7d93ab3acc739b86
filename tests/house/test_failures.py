"""docs/failures.md: every row of the catalogue names a test that exists, or says that there is none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "failures.md"
LINK = re.compile(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)#([\w:]+)\)")
# Rows whose failure no test makes happen. One may be struck off, none may be added.
WITHOUT_A_TEST: list[str] = []
NOT_FOR_REAL = ["the laptop sleeps"]


def rows() -> list[list[str]]:
    """The cells of the table's rows."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def names_in(path: Path) -> set[str]:
    """The tests of a file: `test_x` or `Class::test_x`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
            found |= {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


def test_every_link_leads_to_a_test():
    """Each link names a file and a test in it."""
    links = LINK.findall(PAGE.read_text("utf-8"))
    assert len(links) > 60
    for text, file, name in links:
        assert name in names_in(ROOT / file), f"{text}: no {name} in {file}"
        assert name.rpartition("::")[2].removeprefix("test_").replace("_", " ") == text


def test_every_row_has_a_test_or_says_that_it_has_none():
    """Four cells a row; the last one is links alone, or `none yet` with the reason."""
    without, pretended = [], []
    for step, what, right, tests in rows():
        assert step
        assert right
        if tests.startswith("**none yet**: "):
            without.append(what)
        else:
            rest = LINK.sub("", tests).replace(" · ", "").strip()
            assert rest == "" or re.fullmatch(r"\(not for real: [^()]+\)", rest), what
            pretended += [what] if rest else []
            assert LINK.search(tests), what
    assert sorted(without) == WITHOUT_A_TEST
    assert sorted(pretended) == NOT_FOR_REAL


def test_every_step_is_in_the_catalogue():
    """From the manifest to what is spent, no kind of failure is left out."""
    steps = {row[0] for row in rows()}
    wanted = (
        "manifest data lock run deploy addresses host_trust ssh install reboot bounce record evidence mail monitoring"
    )
    wanted += " failure_notice clean-up secrets spend"
    assert steps == {word.replace("_", " ") for word in wanted.split()}
