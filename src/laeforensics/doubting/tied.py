"""What was written as one, a secrets file or a print, is doubted together: beside what is broken may be another's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.reasons import DAMAGE
from laeforensics.parsing.logs import BLACKED, HOLE

_OF_ANOTHER = DAMAGE - {"furl-differs", "cut"}
"""A furl of another node than the key beside it may be one that was thrown away; what stands before the place where a
file is cut off was whole: nothing else hangs on them."""
_DECIDES_NOTHING = frozenset({"private_host", "internal_introducer_furl"})
_JUDGED_ELSEWHERE = frozenset({"bucket_name", "product_token"})
"""A bucket's name by the file's own name, and by what others tell of it; a product is no customer's own (but an account
in the S4 layout has none)."""


def judge(view: FileView) -> Iterator[Said]:
    """Doubt what is tied to a thing that cannot be right."""
    broken = _broken(view)
    if not broken:
        return
    bucket = view.value("bucket_name")
    elsewhere = (
        _JUDGED_ELSEWHERE if bucket is None or product_code_of(bucket) else _JUDGED_ELSEWHERE - {"product_token"}
    )
    tied: dict[int, list[Fact]] = defaultdict(list)
    for fact in view.values:
        if fact.print in broken and fact.field not in elsewhere and not view.hearing.notes(fact):
            tied[fact.print].append(fact)
    for number, facts in tied.items():
        yield Doubt(facts=tuple(facts), reason="tied", because=tuple(broken[number][:5]))


def _broken(view: FileView) -> dict[int, list[Locator]]:
    """By print: the places of what cannot be right in it."""
    broken: dict[int, list[Locator]] = defaultdict(list)
    if view.log is not None:
        for torn in view.log.log.damaged_values:
            if (
                torn.rule not in (HOLE, BLACKED) and torn.locator.end < view.log.log.size
            ):  # zeros and a lost end bring no stranger's
                broken[torn.print].append(torn.locator)
    for fact in view.hearing.with_notes(view.facts) if view.secrets is not None else ():
        if fact.field not in _DECIDES_NOTHING and any(note.reason in _OF_ANOTHER for note in view.hearing.notes(fact)):
            broken[fact.print].append(fact.locator)
    told: dict[tuple[int, str], Fact] = {}
    several = [facts for facts in view.by_field.values() if len(facts) > 1] if view.secrets is not None else []
    for fact in (fact for facts in several for fact in facts):
        first = told.setdefault((fact.print, fact.field), fact)
        if (
            first.value != fact.value and first.rule != fact.rule
        ):  # under an older and a newer name of its key: two files were made one
            broken[fact.print] += [first.locator, fact.locator]
    return broken


def beside(signups: Iterable[Signup], odd: Iterable[Fact], names: frozenset[str]) -> Iterator[Doubt]:
    """What a secrets file tells beside a value that is not its customer's: all of it, or a sector, may be another's."""
    strange = {fact.locator.evidence: fact for fact in odd if fact.rule.startswith("secrets ")}
    told = [f for signup in signups for facts in signup.witnesses.values() for f in facts] if strange else []
    for evidence, fact in strange.items():
        here = dict.fromkeys(f for f in told if f.locator.evidence == evidence and f.value != fact.value)
        facts = tuple(f for f in here if f.field not in _JUDGED_ELSEWHERE)
        yield Doubt(facts=facts, reason="tied", because=(fact.locator,), about=names)
