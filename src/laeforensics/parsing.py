"""Bytes and a grammar become a stream of items; the only module that knows the parser generator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from lark import Lark, Token, Tree


class Piece(NamedTuple):
    """One token of an item: a stretch of text with its terminal's name, and the rule (a field, often) it stands in."""

    rule: str
    terminal: str
    text: str
    line: int
    start: int
    end: int


@cache
def grammar(name: str) -> Lark:
    """The compiled grammar `name`, from the package data."""
    return Lark.open_from_package("laeforensics.grammars", f"{name}.lark", [""], parser="lalr", lexer="contextual")


def items(name: str, data: bytes) -> Iterator[tuple[str, list[Piece]]]:
    """Every item of `data` in order: the item's rule, and its pieces. All pieces together tile `data` exactly.

    The text given to the parser is latin-1, in which a character is a byte: positions are byte offsets whatever the
    encoding claims to be, and the parser's tokens (which are `str`) cost nothing to make. (Given bytes, the parser
    writes out the repr of every token, which costs more than the parsing.)
    """
    if not data:
        return
    tree = grammar(name).parse(data.decode("latin-1"))
    for item in tree.children:
        yield _item(item)


def _item(item: Tree[Token] | Token) -> tuple[str, list[Piece]]:
    pieces: list[Piece] = []
    if isinstance(item, Token):  # pragma: no cover - every item of our grammars is a rule
        raise TypeError(f"the grammar gives a bare token {item.type}")
    rule = str(item.data)
    for child in item.children:
        if isinstance(child, Token):
            pieces.append(Piece(rule, child.type, child, child.line, child.start_pos, child.end_pos))  # type: ignore[arg-type]
        else:
            inner = str(child.data)
            pieces.extend(Piece(inner, t.type, t, t.line, t.start_pos, t.end_pos) for t in child.children)  # type: ignore[arg-type,union-attr]
    return rule, pieces
