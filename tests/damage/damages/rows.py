"""The csv files after a spreadsheet, a sort of one column, a lost cell: each value is somebody's, but whose?"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from damages.classes import damage
from damages.hurting import Hurt
from damages.witnesses import CSV_FILES

Rows = list[list[bytes]]
FORMS = ("activation_requests.csv", "signups.csv")
# Where a column stands in the two files that know the customer.
COLUMNS = {
    "activation_requests.csv": {"key": 1, "code": 2, "name": 3, "email": 4, "keyinfo": 5},
    "signups.csv": {"result": 1, "key": 2, "code": 3, "name": 4, "email": 5, "keyinfo": 6},
}


def _change(hurt: Hurt, name: str, change: Callable[[Rows], Rows], mark: bytes = b",") -> None:
    rows = [row.split(b",") for row in hurt.written.files[name].split(b"\n") if row]
    hurt.rewrite(name, b"".join(mark.join(row) + b"\n" for row in change([list(row) for row in rows])))


def _moved(rows: Rows, column: int, start: int, step: int) -> Rows:
    """The cells of a column from a row on stand `step` rows further down."""
    cells = [row[column] for row in rows[start:]]
    for row, cell in zip(rows[start:], cells[-step:] + cells[:-step], strict=True):
        row[column] = cell
    return rows


def _column_moved(name: str, column: str, files: tuple[str, ...] = FORMS) -> None:
    what = f"the cells of the column {column} stand a row further down, from some row on, in {' and '.join(files)}"

    @damage(name, what, alone="logs and csv")
    def make(hurt: Hurt) -> None:
        for file in files:

            def change(rows: Rows, column: int = COLUMNS[file][column]) -> Rows:
                return _moved(rows, column, hurt.rng.randrange(len(rows) // 2), 1)

            _change(hurt, file, change)


_column_moved("csv-emails-moved-down", "email")
_column_moved("csv-names-moved-down", "name")
_column_moved("csv-keys-moved-down", "key")
_column_moved("csv-results-moved-down", "result", ("signups.csv",))


def _exchanged(name: str, one: str, other: str) -> None:
    @damage(name, f"the columns {one} and {other} stand in each other's place")
    def make(hurt: Hurt) -> None:
        for file in FORMS:
            a, b = COLUMNS[file][one], COLUMNS[file][other]

            def change(rows: Rows, a: int = a, b: int = b) -> Rows:
                for row in rows:
                    row[a], row[b] = row[b], row[a]
                return rows

            _change(hurt, file, change)


_exchanged("csv-columns-exchanged-name-email", "name", "email")


def _sorted(rows: Rows, column: int) -> Rows:
    for row, cell in zip(rows, sorted(row[column] for row in rows), strict=True):
        row[column] = cell
    return rows


@damage("csv-emails-sorted", "the column with the addresses was sorted by itself")
def emails_sorted(hurt: Hurt) -> None:
    for file in FORMS:
        _change(hurt, file, lambda rows, at=COLUMNS[file]["email"]: _sorted(rows, at))  # type: ignore[misc]


@damage("csv-cells-shifted-right", "an empty cell was put into every second row, and the last one is cut off")
def shifted_right(hurt: Hurt) -> None:
    for file in FORMS:

        def change(rows: Rows) -> Rows:
            for row in rows[::2]:
                row.insert(hurt.rng.randrange(1, len(row)), b"")
                row.pop()
            return rows

        _change(hurt, file, change)


@damage("csv-stale", "the csv files are of an earlier day: their later rows are not there")
def stale(hurt: Hurt) -> None:
    share = hurt.rng.uniform(0.3, 0.7)
    for file in CSV_FILES:
        _change(hurt, file, lambda rows: rows[: int(len(rows) * share)])


@damage("csv-customers-null", "half of the cells of customers say NULL")
def null(hurt: Hurt) -> None:
    for file in FORMS:

        def change(rows: Rows, file: str = file) -> Rows:
            for row in rows:
                for column in ("name", "email", "keyinfo"):
                    if hurt.rng.random() < 0.5:
                        row[COLUMNS[file][column]] = b"NULL"
            return rows

        _change(hurt, file, change)


@damage("csv-row-of-another", "beside every third row stands one with its key and the next customer's name and address")
def row_of_another(hurt: Hurt) -> None:
    for file in FORMS:
        at = COLUMNS[file]["name"]

        def change(rows: Rows, at: int = at, file: str = file) -> Rows:
            extra = [one[:at] + other[at:] for one, other in list(itertools.pairwise(rows))[::3]]
            hurt.concern_keys(file, {row[COLUMNS[file]["key"]].decode() for row in extra})
            return sorted([*rows, *extra])

        _change(hurt, file, change)


@damage("csv-quoted-twice", "both csv files were quoted a second time, as the site quotes", alone="logs and csv")
def quoted_twice(hurt: Hurt) -> None:
    for file in FORMS:
        _change(hurt, file, lambda rows: [[cell.replace(b"%", b"%25") for cell in row] for row in rows])


@damage("csv-cells-cut", "a database kept so many characters of each cell of the csv files", alone="logs and csv")
def cells_cut(hurt: Hurt) -> None:
    length = hurt.rng.choice((127, 128, 255, 256))
    for file in FORMS:
        _change(hurt, file, lambda rows: [[cell[:length] for cell in row] for row in rows])


def _serverinfo(name: str, what: str, change: Callable[[Rows], Rows]) -> None:
    @damage(name, what)
    def make(hurt: Hurt) -> None:
        _change(hurt, "serverinfo.csv", change)


_serverinfo(
    "serverinfo-hosts-sorted",
    "the addresses of serverinfo.csv were sorted by themselves",
    lambda rows: _sorted(rows, 3),
)
_serverinfo(
    "serverinfo-launches-moved-up",
    "the launches of serverinfo.csv stand a row further up",
    lambda rows: _moved(rows, 1, 0, len(rows) - 1) if len(rows) > 1 else rows,
)
_serverinfo(
    "serverinfo-ids-filled-down",
    "of every three instance ids of serverinfo.csv the first stands for all",
    lambda rows: [[*row[:2], rows[number // 3 * 3][2], *row[3:]] for number, row in enumerate(rows)],
)
