"""A csv file that contradicts its logs, or its fellow, wholesale: its cells have moved, or are of another day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from laeforensics.companions.csv_rows import Row
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.redacted import is_redacted
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding

_FEWEST = 3
"""So many rows must contradict: one or two are somebody's slip."""
_OF_OTHERS = 2
_SHARE = 5
"""And every so manieth of those that can be held against something."""
_TYPED = ("customer_name", "customer_keyinfo")
_Column = tuple[str, str]
"""A csv file, with the name of a field."""


@dataclass(slots=True)
class _Held:
    """How many rows of a column contradict what is told elsewhere, and how many bear it out."""

    wrong: int = 0
    right: int = 0
    strange: int = 0
    """Of those that contradict: with what somebody else typed in."""
    overwritten: int = 0
    """Of those that contradict: in a letter or two of what was typed in, as no cell of another row does."""

    def hold(self, told: set[str], values: set[str], elsewhere: set[str] | None) -> None:
        """Count one row; `elsewhere` is what the others tell, of what somebody typed in."""
        if told & values:
            self.right += 1
            return
        self.wrong += 1
        own = values - elsewhere if elsewhere is not None else ()
        self.overwritten += any(is_near(a, b) for a in told for b in own)

    def is_wholesale(self, fewest: int) -> bool:
        """True if so many rows contradict, in too large a share, and most of them in more than a letter."""
        wrong, right = self.wrong, self.right
        return wrong >= fewest and wrong * _SHARE >= wrong + right and self.overwritten * 2 < wrong

    def is_of_others(self) -> bool:
        """The same of fewer rows, where they tell what somebody else typed in: nobody slips so twice."""
        return self.strange >= _OF_OTHERS and self.is_wholesale(_OF_OTHERS)


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt all that such a file tells; or one column, where just that differs from the other csv file's."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in view.rows():
        rows[row.evidence].append(row)
    held, caught = _held_against_logs(view), set[str]()
    for evidence, name in sorted(held, key=lambda column: (-held[column].wrong, column)):
        if held[evidence, name].is_wholesale(1 if name in caught else _FEWEST):
            caught.add(name)
            facts = [fact for row in rows.pop(evidence, []) for fact in row.facts]
            yield from _doubt(facts, evidence, f"contradicts the logs in {held[evidence, name].wrong} rows ({name})")
            if name == "customer_email":
                yield from _against_both(view, evidence)
    held = _held_against_each_other(view)
    moved = {name for (_, name), each in held.items() if each.is_wholesale(_FEWEST) or each.is_of_others()}
    for evidence, name in sorted(held):
        if name in moved:
            facts = [fact for row in rows.get(evidence, []) for fact in row.of(name)]
            why = f"{name} differs from the other csv file's in {held[evidence, name].wrong} rows"
            yield from _doubt(facts, evidence, why)


def _doubt(facts: Sequence[Fact], evidence: str, why: str) -> Iterator[Said]:
    if facts:
        yield Doubt(facts=tuple(facts), reason="contradicts-wholesale")
        places = tuple(fact.locator for fact in facts[:5])
        yield finding("csv-contradicts-log", f"{why}: it tells nothing", signup=evidence, locators=places)


def _held_against_logs(view: CaseView) -> dict[_Column, _Held]:
    """How many rows contradict, and how many bear out, what the programs themselves tell under their key."""
    held: dict[_Column, _Held] = defaultdict(_Held)
    emails = {fact.value.lower() for signup in view.signups() for fact in signup.witnesses_of("customer_email")}
    for signup in view.signups():
        key, _ = signup.weigh("activation_key")
        instance, _ = signup.weigh("instance_id")
        for joined, name, rows in (
            (key, "customer_email", [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]),
            (key, "product_code", [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]),
            (instance, "public_host", view.servers.get(instance or "", [])),
        ):
            told = _values(name, signup.hearing.own(signup.witnesses_of(name)))
            by_file: dict[str, set[str]] = defaultdict(set)
            for row in rows:
                by_file[row.evidence] |= _values(name, row.of(name))
            for evidence, values in by_file.items():
                if joined and told and values:
                    held[evidence, name].hold(told, values, emails if name == "customer_email" else None)
    return held


def _against_both(view: CaseView, evidence: str) -> Iterator[Doubt]:
    """Where this file's row of a log's key tells another address, and so does its fellow's, the log's is not sure.

    Whether the cells of both files have moved, or the logs were changed, nothing tells. But an address that most keys
    have is nobody's.
    """
    keys_of: dict[str, set[str]] = defaultdict(set)
    for both in view.requests.keys() & view.results.keys():
        for value in _in_rows(view.requests, both, "customer_email") & _in_rows(view.results, both, "customer_email"):
            keys_of[value].add(both)
    of_many = {value for value, keys in keys_of.items() if len(keys) >= _FEWEST and len(keys) * 2 > len(view.requests)}
    for signup in view.signups():
        key, _ = signup.weigh("activation_key")
        rows = [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]
        alike = _in_rows(view.requests, key, "customer_email") & _in_rows(view.results, key, "customer_email")
        own = signup.hearing.own(signup.witnesses_of("customer_email"))
        is_of_file = any(row.evidence == evidence for row in rows)
        if is_of_file and alike - of_many and not alike & _values("customer_email", own):
            theirs = [fact for row in rows for fact in row.facts]
            because = tuple(f.locator for f in (*own, *theirs) if f.field == "customer_email")
            yield Doubt(facts=(*own, *theirs), reason="rows-against-log", because=because)


def _in_rows(rows: Mapping[str, Sequence[Row]], key: str | None, name: str) -> set[str]:
    return _values(name, (fact for row in rows.get(key or "", ()) for fact in row.of(name)))


def _values(name: str, facts: Iterable[Fact]) -> set[str]:
    """What they tell that was not blacked out; an address in capitals is the same one."""
    told = {fact.value for fact in facts if not is_redacted(name, fact.value)}
    return {value.lower() for value in told} if name == "customer_email" else told


def _held_against_each_other(view: CaseView) -> dict[_Column, _Held]:
    """The same of requests and results of one activation key: what was typed in stands in both.

    So it does in requests of one key and address; though a name may be mended there, it is nobody else's.
    """
    held: dict[_Column, _Held] = defaultdict(_Held)
    for name in _TYPED:
        keys_of: dict[str, set[str]] = defaultdict(set)
        for key in (*view.requests, *view.results):
            for value in _in_rows(view.requests, key, name) | _in_rows(view.results, key, name):
                keys_of[value].add(key)
        of_others = {value for value, keys in keys_of.items() if value and len(keys) > 1}
        typed = {value for key in view.requests for value in _in_rows(view.requests, key, name)}
        for key in view.requests.keys() & view.results.keys() - {""}:
            asked, got = _in_rows(view.requests, key, name), _in_rows(view.results, key, name)
            if asked and got:
                for evidence in {row.evidence for row in (*view.requests[key], *view.results[key])}:
                    held[evidence, name].hold(asked, got, typed)
                    held[evidence, name].strange += not asked & got and not of_others.isdisjoint(asked | got)
        for rows in view.requests.values():
            by_address: dict[_Column, set[str]] = defaultdict(set)
            for row in rows:
                told = (fact.value for fact in row.of(name) if not is_redacted(name, fact.value))
                by_address[row.evidence, row.value("customer_email") or ""].update(told)
            for (evidence, address), values in by_address.items():
                if address and len(values) > 1 and not of_others.isdisjoint(values):
                    held[evidence, name].wrong += 1
                    held[evidence, name].strange += 1
    return held
