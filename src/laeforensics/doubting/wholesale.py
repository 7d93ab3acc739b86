"""A csv file that contradicts its logs, or its fellow, wholesale: its cells have moved, or are of another day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from laeforensics.companions.csv_rows import Row
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding

_FEWEST = 3
"""So many rows must contradict: one or two are somebody's slip."""
_SHARE = 5
"""And every so manieth of those that can be held against something."""
_TYPED = ("customer_name", "customer_keyinfo")
_Column = tuple[str, str]
"""A csv file, with the name of a field."""


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt all that such a file tells; or one column, where just that differs from the other csv file's."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in view.rows():
        rows[row.evidence].append(row)
    wrong, right = _held_against_logs(view)
    for evidence, name in sorted(wrong):
        if _is_wholesale(wrong[evidence, name], right[evidence, name]):
            facts = [fact for row in rows.pop(evidence, []) for fact in row.facts]
            yield from _doubt(facts, evidence, f"contradicts the logs in {wrong[evidence, name]} rows ({name})")
            if name == "customer_email":
                yield from _against_both(view, evidence)
    wrong, right = _held_against_each_other(view)
    for evidence, name in sorted(wrong):
        if _is_wholesale(wrong[evidence, name], right[evidence, name]):
            facts = [fact for row in rows.get(evidence, []) for fact in row.of(name)]
            yield from _doubt(
                facts, evidence, f"{name} differs from the other csv file's in {wrong[evidence, name]} rows"
            )


def _doubt(facts: Sequence[Fact], evidence: str, why: str) -> Iterator[Said]:
    if facts:
        yield Doubt(facts=tuple(facts), reason="contradicts-wholesale")
        places = tuple(fact.locator for fact in facts[:5])
        yield finding("csv-contradicts-log", f"{why}: it tells nothing", signup=evidence, locators=places)


def _is_wholesale(wrong: int, right: int) -> bool:
    return wrong >= _FEWEST and wrong * _SHARE >= wrong + right


def _held_against_logs(view: CaseView) -> tuple[Counter[_Column], Counter[_Column]]:
    """How many rows contradict, and how many bear out, what the programs themselves tell under their key."""
    wrong, right = Counter[_Column](), Counter[_Column]()
    for signup in view.signups():
        key, _ = signup.weigh("activation_key")
        instance, _ = signup.weigh("instance_id")
        for joined, name, rows in (
            (key, "customer_email", [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]),
            (key, "product_code", [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]),
            (instance, "public_host", view.servers.get(instance or "", [])),
        ):
            told = {fact.value for fact in signup.hearing.own(signup.witnesses_of(name))}
            by_file: dict[str, set[str]] = defaultdict(set)
            for row in rows:
                by_file[row.evidence] |= {fact.value for fact in row.of(name)}
            for evidence, values in by_file.items():
                if joined and told and values:
                    (right if told & values else wrong)[evidence, name] += 1
    return wrong, right


def _against_both(view: CaseView, evidence: str) -> Iterator[Doubt]:
    """Where this file's row of a log's key tells another address, and so does its fellow's, the log's is not sure.

    Whether the cells of both files have moved, or the logs were changed, nothing tells.
    """
    for signup in view.signups():
        key, _ = signup.weigh("activation_key")
        rows = [*view.requests.get(key or "", ()), *view.results.get(key or "", ())]
        alike = _in_rows(view.requests, key, "customer_email") & _in_rows(view.results, key, "customer_email")
        own = signup.hearing.own(signup.witnesses_of("customer_email"))
        if alike and any(row.evidence == evidence for row in rows) and not any(f.value in alike for f in own):
            yield Doubt(facts=(*own, *(fact for row in rows for fact in row.facts)), reason="rows-against-log")


def _in_rows(rows: Mapping[str, Sequence[Row]], key: str | None, name: str) -> set[str]:
    return {fact.value for row in rows.get(key or "", ()) for fact in row.of(name)}


def _held_against_each_other(view: CaseView) -> tuple[Counter[_Column], Counter[_Column]]:
    """The same of requests and results of one activation key: what was typed in stands in both."""
    wrong, right = Counter[_Column](), Counter[_Column]()
    for key in view.requests.keys() & view.results.keys() - {""}:
        for name in _TYPED:
            asked, got = _in_rows(view.requests, key, name), _in_rows(view.results, key, name)
            if asked and got:
                for evidence in {row.evidence for row in (*view.requests[key], *view.results[key])}:
                    (right if asked & got else wrong)[evidence, name] += 1
    return wrong, right
