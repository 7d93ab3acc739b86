"""What stands in the pieces of a log: values, keys, hosts, what a host printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from laeforensics.parsing import _python_repr, parser
from laeforensics.parsing.meanings import Terminal, meanings
from laeforensics.parsing.parser import Piece, text_of
from laeforensics.parsing.stages import stage_of_announcement

_LOG = meanings("signup_log")
_TERMINALS = _LOG.terminals
_SETTINGS = meanings("tahoe_cfg")
FIELD_OF_KEY = {key: each.field for each in _TERMINALS.values() if each.field for key in each.keys}
NOTHING = Terminal()


def meaning(piece: Piece) -> Terminal:
    """What the piece's terminal means."""
    return _TERMINALS.get(piece.type, NOTHING)


def value(piece: Piece) -> tuple[str, str, int] | None:
    """Field, value and offset of the value that a piece holds, if it holds one."""
    told = meaning(piece)
    if told.field is None:
        return None
    text = text_of(piece)
    if told.value is not None:
        found = told.value.search(text)
        if found is None or found.lastindex is None:
            return None
        return told.field, found[found.lastindex], piece.start_pos + found.start(found.lastindex)
    start = text.index(" = ") + 3
    end = text.find("\n", start)
    written = text[start : end if end >= 0 else None].removesuffix("-")
    if written.startswith("'") and "\\" not in written:
        return told.field, written[1:-1], piece.start_pos + start + 1
    decoded = None if written == "None" else _python_repr.decode(written)
    return None if decoded is None else (told.field, decoded, piece.start_pos + start)


@lru_cache(maxsize=1024)
def announced(line: str) -> tuple[str, str | None, str | None]:
    """What an announcement says, the stage that it tells, the field of the fact that it is."""
    text = line.strip(">'-\n ")
    return text, stage_of_announcement(text), _LOG.fact_of_announcement.get(text)


_KEY = re.compile(r"^-?(?:  )?([a-z_]+) = ", re.MULTILINE)


def keys(piece: Piece) -> Iterator[tuple[str, int]]:
    """The keys of the lines `key = ..` of a print, each with the offset of its line."""
    return ((found[1], piece.start_pos + found.start()) for found in _KEY.finditer(text_of(piece)))


def can_follow(piece: Piece, told: Terminal, item: str) -> bool:
    """True if a piece may come after a value of the terminal `told` in an item.

    Zeros may: they are a hole that moved nothing. So may a line that the end of the file cuts.
    """
    if piece.type in _LOG.anywhere or piece.type in told.followers_in.get(item, told.followers):
        return True
    text = text_of(piece)
    if piece.type == "OTHER":
        return text.startswith("\0") or not text.endswith("\n")
    key = _KEY.match(text)
    return key is not None and key[1] in told.next_keys


def hosts(piece: Piece) -> Iterator[tuple[str, int]]:
    """Whom fabric's marks name, `user@host`, with the offset of its line: the first, then wherever the host changes.

    The monitoring host is no customer's: it is told only where it is the first.
    """
    text = text_of(piece)
    position = text.startswith("-")
    mark = text[position + 1 : text.index("]", position)]
    yield mark, piece.start_pos + position
    if piece.type == "RELAYED":
        return  # all of it is of one host
    host = mark.partition("@")[2]
    for other in _MARK.finditer(text, position):
        if other["host"] != host and other["user"] != "zenoss":
            host = other["host"]
            yield other[0][other.start("user") - other.start() : -2], piece.start_pos + other.start("user") - 1


_MARK = re.compile(r"\n-?\[(?P<user>[a-z0-9._-]+)@(?P<host>[^\]\n]+)\] ")


def output_lines(piece: Piece) -> list[tuple[str, int]]:
    """What a host printed after a command, line by line, each with its offset in the file; blank lines left out."""
    lines: list[tuple[str, int]] = []
    command, *rest = text_of(piece).split("\n")
    position = piece.start_pos + len(command) + 1
    for line in rest:
        if line:
            mark = line.index("] out:") + len("] out:")
            if line.startswith(" ", mark):
                mark += 1
            lines.append((line[mark:], position + mark))
        position += len(line) + 1
    return lines


def setting(rule: str, piece: Piece) -> str | None:
    """The field whose value a piece of a tahoe.cfg line is, None for a piece that is no value."""
    if piece.type == "VALUE":
        return _SETTINGS.items[rule].field
    return _SETTINGS.terminals[piece.type].field


def settings(lines: Iterable[tuple[str, int]]) -> Iterator[tuple[str, str, int]]:
    """Field, value and start of the value of each setting in the lines of a tahoe.cfg (text, start)."""
    for content, start in lines:
        for rule, pieces in parser.items("tahoe_cfg", content.encode("latin-1")):
            for piece in pieces:
                name = setting(rule, piece)
                if name is not None:
                    yield name, str(piece), start + piece.start_pos
