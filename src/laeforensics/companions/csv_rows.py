"""The csv files become rows whose fields know their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from laeforensics.evidence.names import is_moment
from laeforensics.facts.channels import FORM, SITE
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS, understood
from laeforensics.facts.packed import Facts

_TIME = re.compile(rb"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z")
# What the site lets through unquoted; everything else is %-quoted before any program sees it.
_SITE_TEXT = re.compile(rb"(?:[A-Za-z0-9 !#$()*+./:=?@^_`{|}~-]|%[0-9A-F]{2})*")

_NO_PAGE_VIEWS_SINCE = b"2011-11-25"

ACTIVATION_COLUMNS = ("activation_key", "product_code", "customer_name", "customer_email", "customer_keyinfo")
SERVERINFO_COLUMNS = ("launch_time", "instance_id", "public_host")


class Row(NamedTuple):
    """One row of a csv file: its time, its outcome (signups.csv only) and the facts of its fields."""

    evidence: str
    line: int
    time: str
    outcome: str | None
    facts: Facts

    def value(self, name: str) -> str | None:
        """The row's value of a field, None where it is empty or cannot be right."""
        return next((fact.value for fact in self.facts.of(name)), None)


class BadRow(NamedTuple):
    """A row that cannot be what the program wrote."""

    evidence: str
    line: int
    start: int
    end: int
    why: str


def read_activation_requests(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """activation_requests.csv: time, activationkey, product code, name, e-mail, key info. Typed by anybody."""
    yield from _rows(data, evidence, ACTIVATION_COLUMNS, outcome=False, channel=FORM)


def read_signups(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """signups.csv: time, success or failure, then as activation_requests.csv. Written by the signup program."""
    yield from _rows(data, evidence, ACTIVATION_COLUMNS, outcome=True, channel=SITE)


def read_serverinfo(data: bytes, evidence: str) -> Iterator[Row | BadRow]:
    """serverinfo.csv: time of recording, launch_time, instance_id, publichost (and later a status, which is ignored)."""
    yield from _rows(data, evidence, SERVERINFO_COLUMNS, outcome=False, channel=SITE)


def _rows(
    data: bytes, evidence: str, columns: tuple[str, ...], *, outcome: bool, channel: str
) -> Iterator[Row | BadRow]:
    position = 0
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        start, position = position, position + len(line) + 1
        if not line:
            continue
        whole = position <= len(data)
        why = None if whole else "cut off: no line end"
        row = (
            BadRow(evidence, number, start, start + len(line), why)
            if why
            else _row(line, evidence, number, start, columns, outcome=outcome, channel=channel)
        )
        after = lines[number] if number < len(lines) else b""
        if isinstance(row, Row) and after and not _TIME.match(after):
            # What follows is no row: it may be the rest of this one's last field.
            row = row._replace(facts=Facts(f for f in row.facts if f.field != columns[-1]))
        if row is not None:
            yield row


def _is_page_view(cells: Sequence[bytes]) -> bool:
    """True for a row of the days in which a file of page views had this name: time, activation key, product code."""
    if len(cells) != 3 or not _TIME.fullmatch(cells[0]) or cells[0] >= _NO_PAGE_VIEWS_SINCE:
        return False
    key, code = (cell.decode("latin-1") for cell in cells[1:])
    return FIELDS["activation_key"].fits(key) and FIELDS["product_code"].fits(code)


def _row(
    line: bytes, evidence: str, number: int, start: int, columns: tuple[str, ...], *, outcome: bool, channel: str
) -> Row | BadRow | None:
    def bad(why: str) -> BadRow:
        return BadRow(evidence, number, start, start + len(line), why)

    cells = line.split(b",")
    if columns is ACTIVATION_COLUMNS and not outcome and _is_page_view(cells):
        return None
    head = 2 if outcome else 1
    wanted = head + len(columns)
    if len(cells) != wanted and not (columns is SERVERINFO_COLUMNS and len(cells) == wanted + 1):
        return bad(f"{len(cells)} fields instead of {wanted}")
    if not _TIME.fullmatch(cells[0]) or not is_moment(cells[0].decode("ascii")):
        return bad("the first field is no time")
    if outcome and cells[1] not in (b"success", b"failure"):
        return bad("the second field is neither success nor failure")
    facts: list[Fact] = []
    position = start + sum(len(cell) + 1 for cell in cells[:head])
    for name, cell in zip(columns, cells[head:], strict=False):
        if not _SITE_TEXT.fullmatch(cell):
            return bad(f"{name} holds characters that the site would have quoted")
        value = _value(name, cell)
        # An empty key info is testimony too: this customer gave none.
        if value or (value == "" and name == "customer_keyinfo"):
            facts.append(Fact(name, value, Locator(evidence, number, position, position + len(cell)), "csv", channel))
        elif value is None and outcome and not (name == "customer_email" and b"@" in cell):
            return bad(f"{name} cannot be right")  # the program writes results of requests that the site let pass
        position += len(cell) + 1
    return Row(evidence, number, cells[0].decode(), cells[1].decode() if outcome else None, Facts(facts))


def _value(name: str, cell: bytes) -> str | None:
    """A cell's value: empty where nothing was typed in, None where it cannot be right (or is an address that is none)."""
    if not cell:
        return ""
    if name not in ("customer_name", "customer_keyinfo"):
        return understood(name, cell.decode("ascii"), is_quoted=True)
    text = unquote_to_bytes(cell).decode("utf-8", "replace")
    if name == "customer_keyinfo" and not text.strip():
        return ""
    return None if "\ufffd" in text else understood(name, text, is_quoted=True)
