"""What hosts are given is what the files say, below the line where it begins."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

import pytest

import laerecover
from laerecover.hosts.scripts import filled, program

ROOT = Path(laerecover.__file__).parent
PROGRAMS = [path.name for path in resources.files("laerecover.hosts.programs").iterdir() if path.name[0] != "_"]


def test_a_host_is_not_given_what_stands_above_the_line():
    """Directives of the linter are for readers here; a file without the line is given whole."""
    assert program("place.sh").startswith("# Moves what was staged to its place")
    assert "shellcheck" not in program("place.sh")
    assert program("serving.py").startswith('"""Runs on a recovered host')


def test_each_place_has_a_value_and_each_value_a_place():
    """A name that is not filled in, or that stands nowhere, is a mistake of ours, not the host's."""
    assert "cd /home/customer\n" in filled("create_node.sh", HOME="/home/customer", VERB="create-node", FOLDER="n")
    for values in ({"HOME": "/h", "VERB": "v"}, {"HOME": "/h", "VERB": "v", "FOLDER": "f", "MORE": "m"}):
        with pytest.raises(KeyError, match="create_node"):
            filled("create_node.sh", **values)


def test_a_value_is_not_filled_in_again():
    """A key that looks like a place stays a key."""
    assert "'@HOME@'" in filled("monitor_is_let_in.sh", KEY="'@HOME@'")


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_program_is_used(name):
    """Its name stands in some module as a text of its own."""
    texts = {
        node.value
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert name in texts
