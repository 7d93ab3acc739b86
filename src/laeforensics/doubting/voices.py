"""Whose word a fact is: facts of one voice repeat each other, those of two are independent."""

from __future__ import annotations

from laeforensics.evidence.names import stem
from laeforensics.facts.fact import Fact

Voice = tuple[str, str, str]
_OF_CONFIG = ("config products", "monthly file", "debug print")


def voice(fact: Fact) -> Voice:
    """Kind of file, run and print.

    Copies of a log are one voice, but each kind of print in it is one of its own; so are copies of a secrets file. Both
    csv rows of a customer repeat what was typed into one web form.
    """
    if fact.rule == "csv":
        return "csv", "", ""
    if fact.rule.startswith(_OF_CONFIG):
        return "config", "", ""
    run = stem(fact.locator.evidence)
    if fact.rule.startswith("secrets "):
        return "secrets", run, ""
    return ("stripe", run, "") if fact.rule == "stripe" else ("log", run, fact.rule)
