"""Bytes and a grammar become a stream of items; the only module that knows the parser generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol, cast

from lark import Lark, Tree


class Piece(Protocol):
    """One token of an item: `str(piece)` is a stretch of the text, `type` the terminal that claimed it.

    `line` counts from 1; `start_pos` and `end_pos` are offsets in the text.
    """

    type: str
    line: int
    start_pos: int
    end_pos: int


@cache
def grammar(name: str) -> Lark:
    """The compiled grammar `name`, from the package data."""
    return Lark.open_from_package("laeforensics.grammars", f"{name}.lark", [""], parser="lalr", lexer="contextual")


def items(name: str, data: bytes) -> Iterator[tuple[str, Sequence[Piece]]]:
    """Every item of `data` in order: the item's rule, and its pieces. All pieces together tile `data` exactly.

    The text given to the parser is latin-1, in which a character is a byte: positions are byte offsets whatever the
    encoding claims to be, and the parser's tokens (which are `str`) cost nothing to make. (Given bytes, the parser
    writes out the repr of every token, which costs more than the parsing.)
    """
    if not data:
        return
    for item in grammar(name).parse(data.decode("latin-1")).children:
        tree = cast("Tree[Piece]", item)
        yield str(tree.data), cast("Sequence[Piece]", tree.children)
