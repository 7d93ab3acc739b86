"""Undo what a spreadsheet or a data base does to a csv file, where one alone can have been meant.

The site wrote `TIME,cell,cell`, without a head, and quoted commas, semicolons, quotation marks, tabs and line ends
itself. So any of these in a line tells of another program, and never stands for itself.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from laeforensics.evidence.convert import Conversion

_TIME = re.compile(
    rb"([0-9]{4}-[01][0-9]-[0-3][0-9])[T ]([0-2][0-9]:[0-5][0-9]:[0-6][0-9])(?:\.0+)?(?:Z|\+00:?00| UTC)?"
)
_MARKS = (b",", b";", b"\t", b"|")
_SEPARATOR = re.compile(rb"sep=(.)\s*")
_NUMBER = re.compile(rb"[0-9]+")
_NAME = re.compile(rb"[A-Za-z_ -]*|[0-9]{1,2}")
_NOTHING = frozenset({b"NULL", b"\\N", b"(null)", b"<null>"})
_MOSTLY = 0.8
_QUOTED_AGAIN = re.compile(rb"%25(?=[0-9A-F]{2})")
_CELL_QUOTED_AGAIN = re.compile(rb"[^,\n]*%25[0-9A-F]{2}[^,\n]*")
_SEVERAL = 2
_MOST_CELLS = 1000
"""A line of more cells is no row, whoever wrote it: it is left as it is."""


class _Cell(NamedTuple):
    text: bytes
    start: int
    """Where it stands in the file."""


_Row = list[_Cell]


def undo(data: bytes) -> Conversion | None:
    """The csv file as the site wrote it, with the places of the file as it lies; None if nothing was done to it.

    None too where it is not plain what was done: then its rows tell so.
    """
    lines = _lines(data)
    first = next((line.text for line in lines if line.text.strip()), b"")
    separator = _SEPARATOR.fullmatch(first)
    best: tuple[float, int, bytes] = (0.0, 0, b",")
    for mark in _MARKS if separator is None else (separator[1],):
        for place, share in enumerate(_shares(lines, mark)):
            if share > best[0]:
                best = (share, place, mark)
    share, place, mark = best
    if share < _MOSTLY:
        return None
    view, there, here = _written(lines, mark, place)
    if data and not data.endswith(b"\n"):
        view = view[:-1]  # a last row without its line end was cut, or was written by another program
    if view == data:
        return None
    end = len(data)

    def back(offset: int) -> int:
        at = bisect_right(there, offset) - 1
        return min(end, here[at] + offset - there[at]) if at >= 0 else offset

    return Conversion(data=view, what="saved anew by a spreadsheet or a data base", back=back)


def as_quoted_once(data: bytes) -> Conversion | None:
    """The csv file without what quoted its cells a second time; None where a customer may have typed all that so.

    Whatever the site quoted was quoted again then: each mark of it, in more than one cell.
    """
    marks = [match.start() for match in _QUOTED_AGAIN.finditer(data)]
    if len(marks) != data.count(b"%") or len(set(_CELL_QUOTED_AGAIN.findall(data))) < _SEVERAL:
        return None
    here = [mark - 2 * number for number, mark in enumerate(marks)]

    def back(offset: int) -> int:
        return offset + 2 * bisect_left(here, offset)

    return Conversion(data=_QUOTED_AGAIN.sub(b"%", data), what="quoted a second time", back=back)


def _lines(data: bytes) -> list[_Cell]:
    lines, start = [], 0
    for text in data.split(b"\n"):
        lines.append(_Cell(text, start))
        start += len(text) + 1
    return lines if lines[-1].text else lines[:-1]


def _cells(line: _Cell, mark: bytes, most: int = -1) -> _Row:
    """The cells of a line, without quotation marks around them; one that holds such a mark itself is left as it is.

    Behind the first `most` the rest is one.
    """
    if line.text.count(mark) > _MOST_CELLS:
        return [line]
    cells, start = [], line.start
    for text in line.text.split(mark, most):
        bare = text.strip(b" \r")
        cell = _Cell(text, start)
        if len(bare) > 1 and bare[:1] == bare[-1:] in (b'"', b"'") and bare[:1] not in bare[1:-1]:
            cell = _Cell(bare[1:-1], start + text.index(bare) + 1)
        cells.append(cell)
        start += len(text) + len(mark)
    return cells


def _shares(lines: Iterable[_Cell], mark: bytes) -> tuple[float, float]:
    """How many of the rows begin with a time; how many have one behind a number."""
    told = 0
    bearing = [0, 0]
    for line in lines:
        row = _cells(line, mark, 3)
        found = [_bears(row, place) for place in (0, 1)]
        bearing = [so_far + one for so_far, one in zip(bearing, found, strict=True)]
        told += any(found) or (len(row) > 1 and not _is_head(_cells(line, mark)))
    return bearing[0] / max(told, 1), bearing[1] / max(told, 1)


def _bears(row: _Row, place: int) -> bool:
    return (
        len(row) > place + 1
        and _TIME.fullmatch(row[place].text.strip()) is not None
        and (place == 0 or _NUMBER.fullmatch(row[0].text.strip()) is not None)
    )


def _is_head(row: _Row) -> bool:
    """True for a row of names or numbers of columns, and for the line that tells a spreadsheet what divides cells."""
    if row[0].text.startswith(b"sep="):
        return True
    return all(_NAME.fullmatch(cell.text.strip()) for cell in row) and any(cell.text.strip() for cell in row)


def _is_filled(lines: Sequence[_Cell], mark: bytes) -> bool:
    """True if no cell of several rows is empty: then a data base wrote a word for nothing."""
    if len(lines) < 2:
        return False
    rows = (_cells(line, mark) for line in lines)
    return all(cell.text.strip() for row in rows if len(row) > 1 for cell in row)


def _is_padded(lines: Iterable[_Cell]) -> bool:
    """True if every cell of the file is padded: a single one may have been typed so."""
    told = False
    for line in lines:
        before, *cells = line.text.split(b",")
        told |= bool(cells)
        for cell in cells:
            if cell[:1] != b" " and before[-1:] != b" ":
                return False
            before = cell
    return told


def _written(lines: Sequence[_Cell], mark: bytes, place: int) -> tuple[bytes, array[int], array[int]]:
    """The rows as the site wrote them; where cells begin there and in the file, whenever the way between changes.

    What is no row stays an empty line, so that the lines keep their numbers.
    """
    out: list[bytes] = []
    there, here = array("q"), array("q")
    size = 0
    is_filled, is_padded = _is_filled(lines, mark), _is_padded(lines)
    for line in lines:
        row = _cells(line, mark)
        if is_filled:
            row = [cell._replace(text=b"") if cell.text.strip() in _NOTHING else cell for cell in row]
        if (len(row) < 2 and not row[0].text.strip()) or _is_head(row):
            out.append(b"\n")
            size += 1
            continue
        cells = row[place:] if _bears(row, place) else row
        texts: list[bytes] = []
        for number, cell in enumerate(cells):
            text, start = cell
            match = _TIME.fullmatch(text.strip()) if number == 0 else None
            if match is not None:
                text, start = match[1] + b"T" + match[2] + b"Z", start + text.index(match[0])
            elif is_padded:
                text, start = text.strip(b" "), start + len(text) - len(text.lstrip(b" "))
            if not there or start - size != here[-1] - there[-1]:
                there.append(size)
                here.append(start)
            texts.append(text)
            size += len(text) + 1
        out.append(b",".join(texts) + b"\n")
    return b"".join(out), there, here
