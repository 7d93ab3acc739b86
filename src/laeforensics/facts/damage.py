"""What damage makes of a value."""

from __future__ import annotations


def is_damage(one: str, other: str) -> bool:
    """True if one value is the other with a stretch lost, or a long one with a character or two overwritten."""
    if len(one) == len(other):
        return len(one) > 40 and sum(a != b for a, b in zip(one, other, strict=True)) <= 2
    short, long = sorted((one, other), key=len)
    head = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    tail = next(
        (i for i, (a, b) in enumerate(zip(reversed(short), reversed(long), strict=False)) if a != b), len(short)
    )
    return head + tail >= len(short)


def is_misprint(one: str, other: str) -> bool:
    """True if of two addresses, told of one server, one is the other with a stretch lost or one character changed."""
    changed = sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else 0
    return changed == 1 or is_damage(one, other)


def is_near(one: str, other: str) -> bool:
    """True if a character or two are overwritten, lost or added: an edit distance of 1 or 2."""
    if one == other or abs(len(one) - len(other)) > 2:
        return False
    start, limit = 0, min(len(one), len(other))
    while start < limit and one[start] == other[start]:
        start += 1
    end = 0
    while end < limit - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return _is_within(one[start : len(one) - end], other[start : len(other) - end], 2)


def _is_within(one: str, other: str, edits: int) -> bool:
    """True if so many edits make one of the other; what both begin with is passed over."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    if not one or not other:
        return max(len(one), len(other)) <= edits
    if edits == 0 or abs(len(one) - len(other)) > edits:
        return False
    return any(_is_within(a, b, edits - 1) for a, b in ((one[1:], other[1:]), (one[1:], other), (one, other[1:])))
