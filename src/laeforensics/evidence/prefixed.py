"""Undo what mail, pagers, system logs or diffs put before every line of a log, where it stands before every one."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

# A log is known by lines that the programs alone print; each stands at the beginning of its line.
LOG_LINES = (
    b">Automation script started.",
    b"On separate lines: Activation key, Product code, Name, Email, Key info",
    b"Received all fields, thanks.",
    b">Signing up customer for ",
    b">Activating license...",
    b">License activated.",
    b">Verifying subscription...",
    b"DevPay License subscription active?",
    b">Creating S3 bucket",
    b">S3 bucket created.",
    b">Deploying EC2 instance...",
    b">EC2 instance started.",
    b"<txaws.ec2.model.Instance object at ",
    b">The server's public address is ",
    b">Installing dependencies...",
    b">Finished server installation.",
    b">Starting introducer...",
    b">The introducer and storage server are running.",
    b">The settings for your gateway's tahoe.cfg are:",
    b"The settings for your gateway's tahoe.cfg are:",
    b">Restoring introducer identity...",
    b">Reading secrets...",
    b">Sending confirmation e-mail to <",
    b">Notifying one of our staff",
    b"activationkey = '",
    b"-activationkey = '",
    b"entering activate_subscribed_service call.",
    b"[ubuntu@",
    b"[customer@",
    b"[monitor@",
    b"-[ubuntu@",
    b"-[customer@",
)
_LOOK = 1 << 11
_LONGEST = 200
_FEWEST = 4
"""Before fewer lines than these it may be anything that somebody wrote."""
_LINE = re.compile(b"|".join(map(re.escape, LOG_LINES)))
_OF_A_DIFF = re.compile(rb"(?:diff |index |--- |\+\+\+ |@@ |new file mode )[^\n]*")
_COUNTED = re.compile(rb"(?P<before>(?:.*[^0-9 ])? *)(?P<number>[0-9]+)(?P<behind>[^0-9]+)", re.DOTALL)
_TIME = (
    rb"(?:(?:[A-Z][a-z]{2} ){1,2} ?|[0-9]{4}[-/][0-9]{2}[-/])[0-9]{1,2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
    rb"(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DATED = re.compile(rb"(?P<before>[^0-9A-Za-z]{0,4})" + _TIME + rb"(?P<behind>.*)", re.DOTALL)
_TORN = 64


class Prefixes(NamedTuple):
    """A log without its prefixes; `back` from its offsets to those of the file."""

    data: bytes
    back: Callable[[int], int]


def undo(data: bytes) -> Prefixes | None:
    """The log as its program wrote it; None where a line bears none of the prefixes that the first line bears.

    A prefix is the same before all lines, or counts them, or tells a time. An empty line may have lost its blanks.
    """
    found = _LINE.search(data, 0, _LOOK)
    start = data.rfind(b"\n", 0, found.start()) + 1 if found is not None else 0
    if found is None or start == found.start() or found.start() - start > _LONGEST:
        return None
    prefix = data[start : found.start()]
    return next((done for shape in _shapes(prefix) if (done := _without(data, prefix, shape)) is not None), None)


def _shapes(prefix: bytes) -> list[re.Pattern[bytes]]:
    """What may stand before a line, behind each other: the prefix itself, one that counts, one that tells a time."""
    found = [re.compile(re.escape(prefix))]
    counted, dated = _COUNTED.fullmatch(prefix), _DATED.fullmatch(prefix)
    if counted is not None:
        before, behind = re.escape(counted["before"].rstrip(b" ")), re.escape(counted["behind"])
        found.append(re.compile(before + rb" *(?P<number>[0-9]{1,9})" + behind))
    if dated is not None:
        before, behind = (re.escape(dated[name]) for name in ("before", "behind"))
        found.append(re.compile(before + _TIME + behind))
    return found


def _without(data: bytes, prefix: bytes, shape: re.Pattern[bytes]) -> Prefixes | None:
    number, borne, is_head = None, 0, prefix in (b"+", b"-")
    bare = prefix.rstrip()
    parts: list[bytes] = []
    there, here = array("q"), array("q")
    position = size = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        is_head = is_head and _OF_A_DIFF.fullmatch(data, position, end) is not None
        match = shape.match(data, position, end) if not is_head else None
        body = match.end() if match is not None else end
        if match is None and not is_head and data[position:end].rstrip() != bare:
            if end < len(data) or end - position > len(prefix) + _TORN:
                return None
            body = position  # the end of the file is torn off, within a prefix
        borne += match is not None
        if match is not None and "number" in shape.groupindex:
            if number is not None and int(match["number"]) != number + 1:
                return None
            number = int(match["number"])
        there.append(size)
        here.append(body)
        parts.append(data[body : end + 1])
        size += end + 1 - body
        position = end + 1
    if borne < _FEWEST:
        return None
    view = b"".join(parts)

    def back(offset: int) -> int:
        at = bisect_right(there, offset) - 1
        return min(len(data), here[at] + offset - there[at]) if at >= 0 else offset

    return Prefixes(view, back)
