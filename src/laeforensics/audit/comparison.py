"""Two audit tables compared: which account changed, because of which evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from laeforensics.facts.masking import plain

_PLACE = re.compile(r"(.*):[0-9]+ \[[0-9]+:[0-9]+\) .*", re.DOTALL)
_NOT_COMPARED = frozenset({"account_id", "provenance"})
_SAME = "the evidence is the same, byte for byte"
_SO = ": what differs comes of decisions, of side files or of the program"
_ELSE = "the inventory, the list of closed accounts, a monthly file, or the program"
_OTHERWISE = "a decision, the inventory, a row about the run, or the program"


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
    decided: tuple[str, ...] = ()
    """The decisions that were made since, or hold no longer, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that differs between two audits.

    `other_witnesses` are accounts whose values are told by other evidence now. `same_evidence` says whether both were
    made of the same files, byte for byte; None if a table does not tell.
    """

    appeared: tuple[AccountChange, ...]
    vanished: tuple[AccountChange, ...]
    changed: tuple[AccountChange, ...]
    other_witnesses: tuple[AccountChange, ...]
    unchanged: int
    same_evidence: bool | None = None

    def __str__(self) -> str:
        return "\n".join(_text(self))


def compare(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]], *, same_evidence: bool | None = None
) -> Difference:
    """Compare the rows of two audit tables (`laerecover.manifest.read_audit_table`), by account_id.

    What the same evidence tells otherwise is put down to no file, and what was decided to the decision.
    """
    before = {row["account_id"]: row for row in old}
    after = {row["account_id"]: row for row in new}
    both = [_account(before[key], after[key], same_evidence) for key in sorted(before.keys() & after.keys())]
    changed = tuple(c for c in both if c.fields)
    other = tuple(c for c in both if not c.fields and (c.evidence_gone or c.evidence_come))
    return Difference(
        appeared=tuple(_account(None, after[key], same_evidence) for key in sorted(after.keys() - before.keys())),
        vanished=tuple(_account(before[key], None, same_evidence) for key in sorted(before.keys() - after.keys())),
        changed=changed,
        other_witnesses=other,
        unchanged=len(both) - len(changed) - len(other),
        same_evidence=same_evidence,
    )


def _account(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, same_evidence: bool | None) -> AccountChange:
    there = new or old or {}
    made, undone = _decisions(old, new), _decisions(new, old)
    # A decision that holds no longer may be stale, for its witness is gone: then the evidence is another.
    of_decisions = {*map(_field_of, made), *(() if same_evidence is False else map(_field_of, undone))}
    was, now = (_testified(row, of_decisions) for row in (old, new))
    is_told = same_evidence is not True
    return AccountChange(
        account_id=there["account_id"],
        customer_email=there.get("customer_email"),
        verdict=there["verdict"],
        fields=() if old is None or new is None else tuple(_fields(old, new)),
        evidence_gone=_files(was - now) if is_told else (),
        evidence_come=_files(now - was) if is_told else (),
        decided=(*(f"now: {d}" for d in made), *(f"no longer: {d}" for d in undone), *_aside(old, new, same_evidence)),
    )


def _decisions(row: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> list[str]:
    """The decisions in `other` that are not in `row`; none where there is but one of them."""
    if row is None or other is None:
        return []
    return [each for each in other.get("decisions") or () if each not in (row.get("decisions") or ())]


def _field_of(decision: str) -> str:
    return decision.partition(": ")[0]


def _aside(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, same_evidence: bool | None) -> Iterator[str]:
    """The files that the account waits for no longer, or again, though all files are the same: that was decided."""
    if old is None or new is None or same_evidence is not True:
        return
    was, now = ({c for c in row.get("blocking") or () if c.startswith("unread:")} for row in (old, new))
    yield from (f"now: {code.partition(':')[2]} is set aside" for code in sorted(was - now))
    yield from (f"no longer: {code.partition(':')[2]} is set aside" for code in sorted(now - was))


_FOLLOWING = {"introducer_node_pem": ("introducer_nodeid", "introducer_furl"), "server_node_pem": ("server_nodeid",)}
"""What is settled by a decision about another field."""


def _testified(row: Mapping[str, Any] | None, decided: Iterable[str]) -> set[str]:
    """The places that tell an account's values, but for those that were settled by decisions."""
    left_out = {name for field in decided for name in (field, *_FOLLOWING.get(field, ()))}
    return {place for name, places in _places(row).items() if name not in left_out for place in places}


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
    if d.same_evidence is not None:
        so = _SO if d.appeared or d.vanished or d.changed or d.other_witnesses else ""
        yield f"{_SAME}{so}" if d.same_evidence else "the evidence is another: files were changed, added or taken away"
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
            yield from (f"  because of  a decision, {decision}" for decision in change.decided)
            if change.fields and not (change.evidence_gone or change.evidence_come or change.decided):
                yield f"  no witness came or went: {_ELSE if d.same_evidence else _OTHERWISE}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(plain(str(part)) for part in value) or "(none)"
    return "(none)" if value is None else plain(str(value))
