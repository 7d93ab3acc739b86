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
