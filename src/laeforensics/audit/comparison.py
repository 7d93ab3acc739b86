"""Two audit tables compared: which account changed, because of which evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from laeforensics.facts.masking import plain

_PLACE = re.compile(r"(.*):[0-9]+ \[[0-9]+:[0-9]+\) .*", re.DOTALL)
_NOT_COMPARED = frozenset({"account_id", "provenance"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One column of one account: what it was, what it is, which places testify no longer, and which do now."""

    field: str
    old: Any
    new: Any
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """One account that appeared, vanished or changed, and the files whose testimony about it came or went."""

    account_id: str
    customer_email: str | None
    verdict: str
    """Of the new table; of the old one if the account vanished."""
    fields: tuple[FieldChange, ...] = ()
    evidence_gone: tuple[str, ...] = ()
    evidence_come: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that differs between two audits.

    `other_witnesses` are accounts whose values are told by other evidence now.
    """

    appeared: tuple[AccountChange, ...]
    vanished: tuple[AccountChange, ...]
    changed: tuple[AccountChange, ...]
    other_witnesses: tuple[AccountChange, ...]
    unchanged: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_text(self))


def compare(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Difference:
    """Compare the rows of two audit tables (`laerecover.manifest.read_audit_table`), by account_id."""
    before = {row["account_id"]: row for row in old}
    after = {row["account_id"]: row for row in new}
    both = [_account(before[key], after[key]) for key in sorted(before.keys() & after.keys())]
    changed = tuple(c for c in both if c.fields)
    other = tuple(c for c in both if not c.fields and (c.evidence_gone or c.evidence_come))
    return Difference(
        appeared=tuple(_account(None, after[key]) for key in sorted(after.keys() - before.keys())),
        vanished=tuple(_account(before[key], None) for key in sorted(before.keys() - after.keys())),
        changed=changed,
        other_witnesses=other,
        unchanged=len(both) - len(changed) - len(other),
    )


def _account(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> AccountChange:
    there = new or old or {}
    was, now = _places(old), _places(new)
    fields = () if old is None or new is None else tuple(_fields(old, new))
    gone = {place for places in was.values() for place in places}
    come = {place for places in now.values() for place in places}
    return AccountChange(
        account_id=there["account_id"],
        customer_email=there.get("customer_email"),
        verdict=there["verdict"],
        fields=fields,
        evidence_gone=_files(gone - come),
        evidence_come=_files(come - gone),
    )


def _places(row: Mapping[str, Any] | None) -> Mapping[str, tuple[str, ...]]:
    return row["provenance"] if row else {}


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in new:
        if name in old and name not in _NOT_COMPARED and old[name] != new[name]:
            was, now = _places(old).get(name, ()), _places(new).get(name, ())
            yield FieldChange(
                field=name,
                old=old[name],
                new=new[name],
                gone=tuple(p for p in was if p not in now),
                come=tuple(p for p in now if p not in was),
            )


def _files(places: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({match[1] if (match := _PLACE.fullmatch(place)) else place for place in places}))


def _text(difference: Difference) -> Iterator[str]:
    d = difference
    yield (
        f"{len(d.appeared)} appeared, {len(d.vanished)} vanished, {len(d.changed)} changed, "
        f"{len(d.other_witnesses)} told by other evidence, {d.unchanged} as before"
    )
    for word, changes in (
        ("appeared", d.appeared),
        ("vanished", d.vanished),
        ("changed", d.changed),
        ("told by other evidence", d.other_witnesses),
    ):
        for change in changes:
            yield ""
            yield "  ".join(filter(None, (word, change.account_id, change.customer_email, change.verdict)))
            for field in change.fields:
                yield f"  {field.field}  {_shown(field.old)} -> {_shown(field.new)}"
                yield from (f"    no longer by  {place}" for place in field.gone)
                yield from (f"    now by        {place}" for place in field.come)
            yield from (f"  because of  {name}  (what it told is gone)" for name in change.evidence_gone)
            yield from (f"  because of  {name}  (what it tells is new)" for name in change.evidence_come)
            if change.fields and not (change.evidence_gone or change.evidence_come):
                yield "  no witness came or went: a decision, the inventory, a row about the run, or the program"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(plain(str(part)) for part in value) or "(none)"
    return "(none)" if value is None else plain(str(value))
