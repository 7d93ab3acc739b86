"""Whose word a fact is: facts of one voice repeat each other, those of two are independent."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from laeforensics.evidence.names import stem
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact

MANY = 64
"""Of more values of one thing than this none is compared with all: the cost would grow with their square."""
Voice = tuple[str, str]
Print = tuple[str, str, str]
_GIVEN_ONCE = frozenset({"user_access_key_id", "user_secret_key", "user_token"})
_OF_CONFIG = ("config products", "monthly file", "debug print")


def voice(fact: Fact, re_records: Collection[str] = ()) -> Voice:
    """Kind of file, and run: what somebody does to a text, he does alike wherever a value stands in it.

    Copies of a log are one voice, with all their prints; so are all logs that print keys and tokens themselves, for one
    run alone is given them: under another name it is a copy. All secrets files of an account are one: a replacement's
    was filled from the first. All `re_records`, which read a server's values, are one with their secrets files. Both
    csv rows of a customer repeat what was typed into one web form.
    """
    if fact.rule == "csv":
        return "csv", ""
    if fact.rule.startswith(_OF_CONFIG):
        return "config", ""
    run = stem(fact.locator.evidence)
    if fact.rule == "stripe":
        return "stripe", run
    if run in re_records:
        return "re-record", ""
    if fact.rule.startswith("secrets "):
        return "secrets", ""
    return "log", "" if fact.channel == OWN and fact.field in _GIVEN_ONCE else run


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
