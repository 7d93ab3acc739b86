"""Whose word a fact is: facts of one voice repeat each other, those of two are independent."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from laeforensics.evidence.names import stem
from laeforensics.facts.fact import Fact

Voice = tuple[str, str]
Print = tuple[str, str, str]
_OF_CONFIG = ("config products", "monthly file", "debug print")


def voice(fact: Fact, re_records: Collection[str] = ()) -> Voice:
    """Kind of file, and run: what somebody does to a text, he does alike wherever a value stands in it.

    Copies of a log are one voice, with all their prints. All secrets files of an account are one: a replacement's was
    filled from the first. (But those of `re_records`, which read a server's values: each is one with its log.) Both csv
    rows of a customer repeat what was typed into one web form.
    """
    if fact.rule == "csv":
        return "csv", ""
    if fact.rule.startswith(_OF_CONFIG):
        return "config", ""
    if fact.rule.startswith("secrets ") and stem(fact.locator.evidence) not in re_records:
        return "secrets", ""
    return "stripe" if fact.rule == "stripe" else "log", stem(fact.locator.evidence)


def print_of(fact: Fact) -> Print:
    """Voice, run and kind of print: what a lost sector or a flipped bit changes, it changes in one of them alone."""
    kind, run = voice(fact)
    if kind == "secrets":
        return kind, stem(fact.locator.evidence), ""
    return (kind, run, fact.rule) if kind == "log" else (kind, run, "")


def lead(some: Iterable[Fact], others: Iterable[Fact], re_records: Collection[str] = ()) -> int:
    """By how many voices `some` are ahead of what contradicts them: below 0, if others are.

    A voice that tells both speaks for neither. Only where no voice tells but one of them do prints count.
    """
    mine, theirs = list(some), list(others)
    ours, rivals = {voice(f, re_records) for f in mine}, {voice(f, re_records) for f in theirs}
    if ours != rivals:
        return len(ours - rivals) - len(rivals - ours)
    return len({print_of(f) for f in mine}) - len({print_of(f) for f in theirs})
