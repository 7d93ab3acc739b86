"""The csv files become rows whose fields know their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from laeforensics.evidence.names import is_moment
from laeforensics.facts.channels import FORM, SITE
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS, SITE_TEXT, exceeds_mail_limits, understood

_TIME = re.compile(rb"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z")
_SITE_TEXT = re.compile(SITE_TEXT.encode("ascii"))

_NO_TEXT = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
_NO_PAGE_VIEWS_SINCE = b"2011-11-25"

_CUSTOMER = ("activation_key", "product_code", "customer_name", "customer_email", "customer_keyinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the rows of a csv file hold after their time: `success` or `failure` in results, then the columns."""

    columns: tuple[str, ...]
    channel: str
    has_outcome: bool = False
    may_have_status: bool = False
    """A last cell that is ignored."""
    may_be_page_view: bool = False
    """In the first days another file had this name."""

    @property
    def head(self) -> int:
        """The number of cells before the columns."""
        return 2 if self.has_outcome else 1

    def has_length(self, cells: Sequence[bytes]) -> bool:
        """True if there are as many cells as a row has."""
        more = len(cells) - self.head - len(self.columns)
        return more == 0 or (self.may_have_status and more == 1)


_REQUESTS = _Layout(columns=_CUSTOMER, channel=FORM, may_be_page_view=True)
_RESULTS = _Layout(columns=_CUSTOMER, channel=SITE, has_outcome=True)
_SERVERS = _Layout(columns=("launch_time", "instance_id", "public_host"), channel=SITE, may_have_status=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CsvLine:
    """One line of a file, from byte `start` on, without its end."""

    data: bytes
    evidence: str
    number: int
    start: int

    def bad(self, why: str) -> BadRow:
        """It is no row."""
        return BadRow(self.evidence, self.number, self.start, self.start + len(self.data), why)


class Row(NamedTuple):
    """One row of a csv file: its time, its outcome (signups.csv only) and the facts of its fields."""

    evidence: str
    line: int
    time: str
    outcome: str | None
    facts: tuple[Fact, ...]

    def of(self, name: str) -> list[Fact]:
        """What the row tells of a field: one fact, or none."""
        return [fact for fact in self.facts if fact.field == name]

    def value(self, name: str) -> str | None:
        """The row's value of a field, None where it is empty or cannot be right."""
        for fact in self.facts:
            if fact.field == name:
                return fact.value
        return None


class BadRow(NamedTuple):
    """A row that cannot be what the program wrote."""

    evidence: str
    line: int
    start: int
    end: int
    why: str


def read_activation_requests(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """activation_requests.csv: time, activationkey, product code, name, e-mail, key info. Typed by anybody."""
    return _rows(data, evidence, _REQUESTS)


def read_signups(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """signups.csv: time, success or failure, then as activation_requests.csv. Written by the signup program."""
    return _rows(data, evidence, _RESULTS)


def read_serverinfo(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """serverinfo.csv: time of recording, launch_time, instance_id, publichost.

    Later a status stood behind them, which is ignored.
    """
    return _rows(data, evidence, _SERVERS)


def _rows(data: bytes, evidence: str, layout: _Layout) -> Iterator[Row | BadRow]:
    position = 0
    lines = data.split(b"\n")
    for number, text in enumerate(lines, start=1):
        line = _CsvLine(data=text, evidence=evidence, number=number, start=position)
        position += len(text) + 1
        if not text:
            continue
        hurt: list[BadRow] = []
        row = _row(line, layout, hurt) if position <= len(data) else line.bad("cut off: no line end")
        after = lines[number] if number < len(lines) else b""
        if isinstance(row, Row) and after and not _TIME.match(after):
            # What follows is no row: it may be the rest of this one's last field.
            row = row._replace(facts=tuple(f for f in row.facts if f.field != layout.columns[-1]))
        if row is not None:
            yield row
        yield from hurt if isinstance(row, Row) else ()


def _is_page_view(cells: Sequence[bytes]) -> bool:
    """True for a row of the days in which a file of page views had this name: time, activation key, product code."""
    if len(cells) != 3 or not _TIME.fullmatch(cells[0]) or cells[0] >= _NO_PAGE_VIEWS_SINCE:
        return False
    key, code = (cell.decode("latin-1") for cell in cells[1:])
    return FIELDS["activation_key"].fits(key) and FIELDS["product_code"].fits(code)


def _row(line: _CsvLine, layout: _Layout, hurt: list[BadRow]) -> Row | BadRow | None:
    cells = line.data.split(b",")
    if layout.may_be_page_view and _is_page_view(cells):
        return None
    if not layout.has_length(cells):
        return line.bad(f"{len(cells)} fields instead of {layout.head + len(layout.columns)}")
    if not _TIME.fullmatch(cells[0]) or not is_moment(cells[0].decode("ascii")):
        return line.bad("the first field is no time")
    if layout.has_outcome and cells[1] not in (b"success", b"failure"):
        return line.bad("the second field is neither success nor failure")
    facts = _facts(line, layout, cells[layout.head :], hurt)
    if isinstance(facts, BadRow):
        return facts
    if len(hurt) > 1 or any(_has_hole(line.data[each.start - line.start : each.end - line.start]) for each in hurt):
        return line.bad(hurt[0].why)
    outcome = cells[1].decode() if layout.has_outcome else None
    return Row(line.evidence, line.number, cells[0].decode(), outcome, tuple(facts))


def _has_hole(cell: bytes) -> bool:
    """True if a hole may lie in a cell, behind which another row goes on."""
    return len(_NO_TEXT.findall(cell)) > 1


def _facts(line: _CsvLine, layout: _Layout, cells: Sequence[bytes], hurt: list[BadRow]) -> list[Fact] | BadRow:
    """What the sound cells of a row tell; another is told as `hurt`."""
    facts: list[Fact] = []
    start = line.start + len(line.data) - sum(len(cell) + 1 for cell in cells) + 1
    for name, cell in zip(layout.columns, cells, strict=False):
        place = Locator(line.evidence, line.number, start, start + len(cell))
        is_written = _SITE_TEXT.fullmatch(cell) is not None
        value = _value(name, cell) if is_written else None
        # An empty key info is testimony too: this customer gave none.
        if value or (value == "" and name == "customer_keyinfo"):
            facts.append(Fact(name, value, place, "csv", layout.channel, line.number))
        elif not is_written:
            why = f"{name} holds characters that the site would have quoted"
            hurt.append(BadRow(*place, why))
        elif value is None and layout.has_outcome and not (name == "customer_email" and b"@" in cell):
            # The program writes results of requests that the site let pass.
            if name == "customer_email":
                return line.bad(f"{name} cannot be right")  # cells may have moved
            hurt.append(BadRow(*place, f"{name} cannot be right"))
        elif name == "customer_email" and exceeds_mail_limits(unquote(cell.decode("ascii"))):
            hurt.append(BadRow(*place, f"{name} is longer than any server takes an address"))
        start += len(cell) + 1
    return facts


def _value(name: str, cell: bytes) -> str | None:
    """A cell's value.

    Empty where nothing was typed in, None where it cannot be right, or is an address that is none.
    """
    if not cell:
        return ""
    if name not in ("customer_name", "customer_keyinfo"):
        return understood(name, cell.decode("ascii"), is_quoted=True)
    text = unquote_to_bytes(cell).decode("utf-8", "replace")
    if name == "customer_keyinfo" and not text.strip():
        return ""
    return None if "\ufffd" in text else understood(name, text, is_quoted=True)
