"""What somebody blacked out before the evidence was handed on, or took from a manual as an example, is no value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import COURSE, FIELDS
from laeforensics.facts.findings import finding

# No random key says the same six characters twice, tells six of the alphabet in a row, or is a hexadecimal number.
# (Tokens may hold zeros, an A each.)
_SIX, _EIGHT = 6, 8
_DIGEST = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_BLACKED = re.compile(r"[xX*#?•█]{6,}|\[?redacted\]?|\[?removed\]?", re.IGNORECASE)
_AS_ONE = "".join("*" if chr(n) in "xX*#?" else chr(n) for n in range(128))
_LOCAL_PART = re.compile(r"([xX*#._?-])\1{2,}|.*[xX*#]{5,}.*|.*\*\*.*|.*(\.{3}|…)|(?i:redacted|removed|hidden|masked)")
# What the manuals of the provider of the storage show (AWS General Reference, "AWS access keys").
_EXAMPLE = re.compile(r"A[KS]IA[A-Z0-9]*EXAMPLE|[A-Za-z0-9/+]*EXAMPLE[A-Z]*KEY")
# What databases and spreadsheets write where there is nothing.
_NOTHING = frozenset({"NULL", "(null)", "null", "\\N", "#N/A", "NaN", "nan", "None", "undefined"})
_TYPED = ("customer_name", "customer_keyinfo")
_RANDOM = frozenset({"user_access_key_id", "user_secret_key"})
_NUMBERED = frozenset({"instance_id", "ami_image_id"})
_SHORT = frozenset({"launch_time", "public_host", "private_host", "instance_size"})


def is_redacted(name: str, value: str) -> bool:
    """True if a value of this field was blacked out, taken from a manual, or says that there is none."""
    if name == "customer_email":
        return _LOCAL_PART.fullmatch(value.rpartition("@")[0]) is not None
    if name in _TYPED:
        return value in _NOTHING or _BLACKED.fullmatch(value.replace(" ", "")) is not None
    if name in _NUMBERED:
        return value.endswith("00000000")
    if name in _RANDOM:
        return (
            _says_twice(value)
            or _counts_on(value)
            or any(each.fullmatch(value) is not None for each in (_EXAMPLE, _DIGEST))
        )
    return name not in _SHORT and "*" * _EIGHT in value.translate(_AS_ONE)


def _says_twice(value: str) -> bool:
    """True if six characters stand in it twice, as in a word that fills its place."""
    places = range(len(value) - _SIX + 1)
    return len({value[at : at + _SIX] for at in places}) < len(places)


def _counts_on(value: str) -> bool:
    """True if six characters of it follow each other as in the alphabet, or in numbers."""
    steps = [ord(after) - ord(before) for before, after in pairwise(value)]
    return any(set(steps[at : at + _SIX - 1]) == {1} for at in range(len(steps) - _SIX + 2))


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the values that are none; one finding tells of each field."""
    found: dict[str, list[Fact]] = {}
    for name, facts in view.by_field.items():
        values = {fact.value for fact in facts} if FIELDS[name].of != COURSE else ()
        redacted = {value for value in values if is_redacted(name, value)}
        if redacted:
            found[name] = [fact for fact in facts if fact.value in redacted]
    for name, facts in found.items():
        yield Doubt(facts=tuple(facts), reason="redacted")
        yield finding(
            "redacted",
            f"{name} was blacked out, or is an example out of a manual: no value",
            signup=facts[0].locator.evidence,
            field=name,
            locators=tuple(fact.locator for fact in facts[:5]),
        )
