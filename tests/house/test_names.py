"""Names are made of plain English and of the glossary's words; a name means one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
# Reviewed by eye: each stands in some name with its everyday meaning. A word with a meaning of its own goes to the
# glossary instead, and a dictionary could not tell the two apart.
PLAIN = (Path(__file__).with_name("plain_words.txt")).read_text("utf-8").split()
# Words that are inside no name in src, private ones included: each once meant something of its own that nobody guessed.
BANNED = {"coast", "doorkeeper", "ground", "island", "paper", "stranger", "tear", "thrift", "told", "torn", "yard"}
# What hosts are given is known to them by its digest: no byte of it changes for a name's sake.
SENT = ROOT / "src/laerecover/hosts/programs"
# Names of modules that stay: struck off when they are gone, none is added.
STAYING = {
    "laeforensics/parsing": "signuplogs",
}


def split(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case; digits are none."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def all_names(path: Path) -> Iterator[str]:
    """The names of a module and its packages, of its classes, functions and methods, private ones included."""
    yield from (part for part in path.relative_to(ROOT / "src").with_suffix("").parts if not part.startswith("__"))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def names(path: Path) -> Iterator[str]:
    """The same without private functions and methods."""
    own = set(path.relative_to(ROOT / "src").with_suffix("").parts) - {"__init__"}
    yield from (name for name in all_names(path) if name in own or not re.match("_+[a-z]", name))


@cache
def used() -> dict[str, set[str]]:
    """Every word of every name, with the modules in whose names it stands."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for name in names(path):
            for word in split(name):
                found[word].add(path.relative_to(ROOT / "src").as_posix())
    return found


def one_of(word: str) -> set[str]:
    """The word, and what it may be the plural of."""
    singulars = {word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    return {word, *singulars}


def test_every_word_is_plain_or_in_the_glossary():
    """A word that is neither is said otherwise, or explained in docs/glossary.md."""
    explained = {word for term in re.findall(r"\*\*(.+?)\*\*", GLOSSARY) for word in split(term)}
    excused = {word for words in STAYING.values() for word in words.split()}
    unknown = {word: where for word, where in used().items() if not one_of(word) & {*explained, *PLAIN, *excused}}
    assert unknown == {}


def test_no_name_holds_a_word_that_is_banned():
    """Neither a module, nor a class, nor a function bears one, private ones included."""
    found = {
        f"{path.relative_to(ROOT / 'src')} {name}"
        for path in SOURCES
        if not path.is_relative_to(SENT)
        for name in all_names(path)
        for word in split(name)
        if one_of(word) & BANNED
    }
    assert found == set()


def test_no_plain_word_is_left_over():
    """The list is sorted, has no word twice, and none that no name uses or that the glossary explains."""
    assert sorted(set(PLAIN)) == PLAIN
    known = {word for used_word in used() for word in one_of(used_word)}
    explained = {word for term in re.findall(r"\*\*(.+?)\*\*", GLOSSARY) for word in split(term)}
    assert [word for word in PLAIN if word not in known or word in explained] == []


def test_names_of_our_own_become_fewer():
    """Each word that is excused still stands in a name of the package that it is excused for, and nowhere else."""
    for package, words in STAYING.items():
        for word in words.split():
            assert used().get(word), f"better than before: strike {word} off STAYING"
            assert [where for where in used()[word] if not where.startswith(package)] == [], word


def test_no_class_name_means_two_things():
    """No two classes have one name."""
    seen: dict[str, int] = defaultdict(int)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                seen[node.name] += 1
    assert sorted(name for name, times in seen.items() if times > 1) == []
