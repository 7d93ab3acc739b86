"""Bytes become a stream of items, by a grammar; the only module that knows the parser generator."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any, NamedTuple, Protocol, cast

import lark
from lark import Lark, Token
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedInput

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
    start = staticmethod(len)
    """What was told so far: its items were handed on one by one."""

    def __getattr__(self, rule: str) -> Callable[[Sequence[Piece]], None]:
        if not rule[0].islower():  # a terminal, or what else the library looks for
            raise AttributeError(rule)
        return partial(self._hand_on, rule)

    def _hand_on(self, rule: str, pieces: Sequence[Piece]) -> None:
        self.take(rule, pieces)


class _Token(Token):
    """A token that is made without what nobody asks for."""

    __slots__ = ()

    def __new__(cls, text: str) -> _Token:
        return str.__new__(cls, text)


class _Scanner:
    """Finds which terminal claims what stands at a place.

    The library's own does the same, but for each token it counts columns, and pushes its way through thirty groups.
    """

    def __init__(self, compiled: Lark) -> None:
        self.terminals = sorted(
            compiled.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name)
        )  # whichever fits first claims it: the library's order
        self.begins = compiled.parse_interactive("").choices()  # type: ignore[no-untyped-call]
        self.matches: dict[int, Callable[[str, int], re.Match[str] | None]] = {}

    def among(self, choices: Mapping[str, object]) -> Callable[[str, int], re.Match[str] | None]:
        """What finds the one of the parser's choices that stands at an offset of a text; the parser keeps them."""
        found = self.matches.get(id(choices))
        if found is None:
            told = [f"(?:{t.pattern.to_regexp()})(?P<{t.name}>)" for t in self.terminals if t.name in choices]
            found = self.matches[id(choices)] = re.compile("|".join(told)).match
        return found

    @cached_property
    def claiming(self) -> re.Pattern[str]:
        """Finds the next line that any terminal could claim which may stand at the beginning of an item."""
        told = [t.pattern.to_regexp() for t in self.terminals if t.name in self.begins and t.name != _UNKNOWN]
        return re.compile(f"^(?:{'|'.join(told)})", re.MULTILINE)


@cache
def _receiving(name: str) -> tuple[Lark, _Receiver, _Scanner]:
    receiver = _Receiver()
    compiled = Lark.__new__(Lark)._load(_tables(name), transformer=receiver)
    return compiled, receiver, _Scanner(compiled)


def each(name: str, data: bytes, take: Callable[[str, Sequence[Piece]], None]) -> None:
    """Hand every item of `data` in order to `take`: the item's rule, and its pieces.

    All pieces together tile `data` exactly. The text given to the parser is latin-1, in which a character is a byte:
    positions are byte offsets whatever the encoding claims to be. After many unknown lines in a row, all that follows
    and that nothing else in the grammar could claim is one piece.
    """
    if not data:
        return
    compiled, receiver, scanner = _receiving(name)
    receiver.take = take
    text = data.decode("latin-1")
    parser: Any = compiled.parse_interactive("")  # the library tells no types of it
    choices, feed, among = parser.choices, parser.feed_token, scanner.among
    start, end, line, unknown = 0, len(text), 1, 0
    while start < end:
        if unknown > PATIENCE:
            claimed = scanner.claiming.search(text, start)
            stop, kind, unknown = claimed.start() if claimed else end, _UNKNOWN, 0
            if stop == start:
                continue
            piece = _Token(text[start:stop])
        else:
            found = among(choices())(text, start)
            if found is None:
                raise UnexpectedCharacters(text, start, line, 1)  # type: ignore[no-untyped-call]
            kind, stop = found.lastgroup or _UNKNOWN, found.end()
            unknown = unknown + 1 if kind == _UNKNOWN else 0
            piece = _Token(found[0])
        piece.type, piece.line, piece.start_pos, piece.end_pos = kind, line, start, stop
        feed(piece)
        line += text.count("\n", start, stop)
        start = stop
    parser.feed_eof()


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
