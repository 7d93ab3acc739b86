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
# Names that stay until what bears them is made anew: struck off when they are gone, none is added.
UNTIL_MADE_ANEW = {
    "laeforensics/parsing": "signuplogs tear",
}


def split(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case; digits are none."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def names(path: Path) -> Iterator[str]:
    """The names of a module and its packages, of its classes and of its public functions and methods."""
    yield from (part for part in path.relative_to(ROOT / "src").with_suffix("").parts if not part.startswith("__"))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        is_public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if isinstance(node, ast.ClassDef) or is_public:
            yield node.name


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
    excused = {word for words in UNTIL_MADE_ANEW.values() for word in words.split()}
    unknown = {word: where for word, where in used().items() if not one_of(word) & {*explained, *PLAIN, *excused}}
    assert unknown == {}


def test_no_plain_word_is_left_over():
    """The list is sorted, has no word twice, and none that no name uses or that the glossary explains."""
    assert sorted(set(PLAIN)) == PLAIN
    known = {word for used_word in used() for word in one_of(used_word)}
    explained = {word for term in re.findall(r"\*\*(.+?)\*\*", GLOSSARY) for word in split(term)}
    assert [word for word in PLAIN if word not in known or word in explained] == []


def test_names_of_our_own_become_fewer():
    """Each word that is excused still stands in a name of the package that it is excused for, and nowhere else."""
    for package, words in UNTIL_MADE_ANEW.items():
        for word in words.split():
            assert used().get(word), f"better than before: strike {word} off UNTIL_MADE_ANEW"
            assert [where for where in used()[word] if not where.startswith(package)] == [], word


def test_no_class_name_means_two_things():
    """No two classes have one name."""
    seen: dict[str, int] = defaultdict(int)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                seen[node.name] += 1
    assert sorted(name for name, times in seen.items() if times > 1) == []
