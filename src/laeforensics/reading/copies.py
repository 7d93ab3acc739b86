"""What lies in another place or under another name is held against what lies where it should.

The same bytes once more are no second witness. Of a file that is written on and on, an older state says what the newer
one says; where they differ, the newer counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.products import Product
from laeforensics.evidence import recognise
from laeforensics.facts.findings import finding
from laeforensics.reading.files import FileReading

_EVIDENCE = frozenset(
    {
        recognise.LOG,
        recognise.SECRETS,
        recognise.STRIPE,
        recognise.ACTIVATION_REQUESTS,
        recognise.SIGNUPS,
        recognise.SERVERINFO,
        recognise.COMPLETIONS,
        recognise.CONFIG,
    }
)


def without_copies(told: list[FileReading]) -> list[FileReading]:
    """Every file once: those that tell what others tell already tell it no more, and say so."""
    ordered = sorted(told, key=lambda t: (t.file.known != recognise.AT_HOME, t.file.known, t.file.name))
    first: dict[tuple[str, str], str] = {}
    kept = []
    for one in ordered:
        at_home = one.file.known == recognise.AT_HOME
        same = None if at_home or one.file.kind not in _EVIDENCE else first.get((one.file.kind, one.sha256))
        if same is None:
            first.setdefault((one.file.kind, one.sha256), one.file.name)
            kept.append(one)
        else:
            copy = FileReading(file=one.file, sha256=one.sha256)
            copy.findings.append(finding("copied-file", f"the same bytes as {same}", signup=one.file.name))
            kept.append(copy)
    _leave_out_old_rows(kept)
    _leave_out_old_products(kept)
    return kept


def _leave_out_old_rows(told: Iterable[FileReading]) -> None:
    """Rows of a csv file that lies elsewhere count for runs and servers of which the one in its place says nothing."""
    for part in ("activations", "signups", "serverinfo"):
        known: set[str] = set()
        for one in told:
            rows: list[Row] = getattr(one, part)
            if one.file.known != recognise.AT_HOME:
                new = [row for row in rows if not _keys(row) & known]
                _say_history(one, len(rows) - len(new))
                setattr(one, part, new)
            known.update(*map(_keys, rows))


def _keys(row: Row) -> set[str]:
    """By what a row is joined."""
    found = {row.value(name) for name in ("activation_key", "instance_id", "public_host")}
    return {value for value in found if value}


def _leave_out_old_products(told: Iterable[FileReading]) -> None:
    """Products of a configuration that lies elsewhere count where no configuration in its place tells them."""
    at_home = {p.product_code for t in told if t.file.known == recognise.AT_HOME for p in t.products}
    for one in told:
        if one.file.known != recognise.AT_HOME and one.products:
            new: list[Product] = [p for p in one.products if p.product_code not in at_home]
            _say_history(one, len(one.products) - len(new))
            one.products = new


def _say_history(one: FileReading, count: int) -> None:
    if count:
        what = f"{count} of its rows or products tell of what the file in its place tells, which counts"
        one.findings.append(finding("older-state", what, signup=one.file.name))
