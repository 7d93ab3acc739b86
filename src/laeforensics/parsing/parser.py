"""Bytes become a stream of items, by a grammar; the only module that knows the parser generator."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import NamedTuple, Protocol, cast

import lark
from lark import Lark, TextSlice, Token
from lark.exceptions import LarkError, UnexpectedInput

from laerecover.manifest import written_whole

NotAGrammar = LarkError
"""What compiling one raises that cannot be: a word without a meaning, an expression that is none."""
PATIENCE = 1024
"""So many lines in a row that nobody knows are read one by one: more than are told apart afterwards."""
_PACKAGE = "laeforensics.grammars"
_SHARED = "terminals"
"""The file of what all grammars share."""
_UNKNOWN = "OTHER"
"""The terminal of such a line, in every grammar."""


class Piece(Protocol):
    """One token of an item: `text_of(piece)` is a stretch of the text, `type` the terminal that claimed it.

    `line` counts from 1; `start_pos` and `end_pos` are offsets in the text.
    """

    type: str
    line: int
    start_pos: int
    end_pos: int


def text_of(piece: Piece) -> str:
    """A piece is a text itself; `str(piece)` would copy it, which may be a megabyte."""
    return piece  # type: ignore[return-value]  # (a call of `cast` for every piece costs as much as the rest of this)


@cache
def source(name: str) -> Lark:
    """The grammar `name` as its file says it, from the package data."""
    return Lark.open_from_package(_PACKAGE, f"{name}.lark", [""], parser="lalr", lexer="contextual")


def _tables(name: str) -> io.BytesIO:
    """The compiled grammar `name`, written out: as a wheel or an earlier start left it, else compiled here.

    Written out and loaded again: then the names in the parse table are plain strings, not tokens of the grammar's own
    text, whose comparison would cost a quarter of all calls made while parsing.
    """
    kept = _kept(name)
    for resource in (f"{name}.{lark.__version__}.tables", kept):
        with contextlib.suppress(OSError):
            return io.BytesIO(pkgutil.get_data(_PACKAGE, resource) or b"")
    compiled = io.BytesIO()
    source(name).save(compiled)
    module = find_spec(_PACKAGE)
    with contextlib.suppress(OSError):
        if module is not None and module.origin is not None and not sys.dont_write_bytecode:
            with written_whole(Path(module.origin).parent / kept) as file:
                file.write(compiled.getbuffer())
    compiled.seek(0)
    return compiled


def _kept(name: str) -> str:
    """Where a tree keeps a compiled grammar, as Python keeps compiled modules: by all that it was made of."""
    made_of = [pkgutil.get_data(_PACKAGE, f"{part}.lark") or b"" for part in (name, _SHARED)]
    digest = hashlib.sha256(b"\0".join([lark.__version__.encode(), *made_of])).hexdigest()[:16]
    return f"__pycache__/{name}.{digest}.tables"


@cache
def grammar(name: str) -> Lark:
    """The compiled grammar `name`."""
    return Lark.load(_tables(name))


class _Receiver(local):
    """Where the items of a text go while it is parsed.

    So no tree is built, whose tokens would take thirty times the text's size. The parser asks for a function by a
    rule's name, and calls it with the rule's pieces. Each thread has its own `take`.
    """

    take: Callable[[str, Sequence[Piece]], None]

    def begin(self, take: Callable[[str, Sequence[Piece]], None]) -> None:
        """Another text comes."""
        self.take, self.patience = take, PATIENCE
        self.unknown, self.end = 0, 0  # so many unknown lines stand before this offset

    def __getattr__(self, rule: str) -> Callable[[Sequence[Piece]], None]:
        if not rule[0].islower():  # a terminal, or what else the library looks for
            raise AttributeError(rule)
        return partial(self._hand_on, rule)

    def _hand_on(self, rule: str, pieces: Sequence[Piece]) -> None:
        self.take(rule, pieces)
        if pieces[0].type == _UNKNOWN:
            piece = pieces[0]
            self.unknown = self.unknown + 1 if self.end == piece.start_pos else 1
            self.end = piece.end_pos
            if self.unknown > self.patience:
                self.patience *= 2  # whoever goes on later goes through all that is before once more, to count lines
                raise _Unknown(rule, piece)

    def start(self, pieces: Sequence[None]) -> None:
        """The whole text: its items were handed on one by one."""


class _Unknown(Exception):
    """The rule and the last piece of many unknown lines in a row."""


def _after(name: str, text: str, last: Piece) -> Piece | None:
    """All that follows the last unknown line and that nothing else in the grammar could claim, as one piece."""
    start = last.end_pos
    found = _claiming(name).search(text, start)
    end = found.start() if found is not None else len(text)
    if end == start:
        return None
    return cast("Piece", Token(_UNKNOWN, text[start:end], start, last.line + 1, 1, None, None, end))


@cache
def _claiming(name: str) -> re.Pattern[str]:
    """Finds the next line that any terminal could claim which may stand at the beginning of an item."""
    compiled = grammar(name)
    begins = compiled.parse_interactive("").choices()  # type: ignore[no-untyped-call]
    told = [t.pattern.to_regexp() for t in compiled.terminals if t.name in begins and t.name != _UNKNOWN]
    return re.compile(f"^(?:{'|'.join(told)})", re.MULTILINE)


@cache
def _receiving(name: str) -> tuple[Lark, _Receiver]:
    receiver = _Receiver()
    return Lark.__new__(Lark)._load(_tables(name), transformer=receiver), receiver


def each(name: str, data: bytes, take: Callable[[str, Sequence[Piece]], None]) -> None:
    """Hand every item of `data` in order to `take`: the item's rule, and its pieces.

    All pieces together tile `data` exactly. The text given to the parser is latin-1, in which a character is a byte:
    positions are byte offsets whatever the encoding claims to be, and the parser's tokens (which are `str`) cost
    nothing to make. (Given bytes, the parser writes out the repr of every token, which costs more than the parsing.)
    """
    if not data:
        return
    parser, receiver = _receiving(name)
    receiver.begin(take)
    text, start = data.decode("latin-1"), 0
    while start < len(text):
        try:
            parser.parse(TextSlice(text, start, len(text)))
        except _Unknown as unknown:
            rule, last = unknown.args
            rest = _after(name, text, last)
            if rest is not None:
                take(rule, [rest])
            start = (rest or last).end_pos
        else:
            return


def items(name: str, data: bytes) -> list[tuple[str, Sequence[Piece]]]:
    """Every item of `data` in order, of a text that is short."""
    found: list[tuple[str, Sequence[Piece]]] = []
    each(name, data, lambda rule, pieces: found.append((rule, pieces)))
    return found


class Place(NamedTuple):
    """Where a token begins: its offset, the terminals that may stand there with their expressions, and the token.

    `piece` is None where nothing that may stand there fits.
    """

    start: int
    terminals: Mapping[str, str]
    piece: Piece | None


def places(name: str, data: bytes) -> Iterator[Place]:
    """Every place of `data`, for whoever judges the grammar itself.

    The last one has no piece if the text is refused.
    """
    compiled = grammar(name)
    regexps = {terminal.name: terminal.pattern.to_regexp() for terminal in compiled.terminals}
    parser = compiled.parse_interactive(data.decode("latin-1"))
    end = 0

    def place(piece: Piece | None) -> Place:
        choices = parser.choices()  # type: ignore[no-untyped-call]
        return Place(end, {key: regexps[key] for key in choices if key in regexps}, piece)

    try:
        for token in parser.iter_parse():
            yield place(cast("Piece", token))
            end = token.end_pos or end
    except UnexpectedInput:
        yield place(None)


def vocabulary(name: str) -> tuple[set[str], set[str]]:
    """The rules whose names an item can bear, and the terminals."""
    compiled = grammar(name)
    rules = {str(rule.origin.name) for rule in compiled.rules if not rule.options.expand1}
    hidden = {rule for rule in rules if rule.startswith("_") or rule in compiled.options.start}
    return rules - hidden, {terminal.name for terminal in compiled.terminals}


def terminals_of_rules(name: str) -> dict[str, set[str]]:
    """For each rule whose name an item can bear: the terminals of which its items are made."""
    parts: dict[str, set[str]] = {}
    for rule in grammar(name).rules:
        parts.setdefault(str(rule.origin.name), set()).update(str(symbol.name) for symbol in rule.expansion)

    def within(rule: str, above: frozenset[str] = frozenset()) -> set[str]:
        inner = {part for part in parts[rule] if part in parts and part not in above}
        return (parts[rule] - parts.keys()).union(*(within(part, above | {rule, part}) for part in inner))

    return {rule: within(rule) for rule in vocabulary(name)[0]}
