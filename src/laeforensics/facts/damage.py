"""What damage makes of a value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from operator import ne

_BLOCKS = 3
"""Two characters overwritten leave one of so many blocks of a name whole."""


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


_LONG = 100
_SAME_TAIL = 6
_SAME_HEAD = 80


def is_hybrid(one: str, other: str) -> bool:
    """True if of two long values one has the head of another value and the tail of this one, or the other way round.

    Tokens of different customers begin alike, but never for so long, and never end alike.
    """
    if min(len(one), len(other)) < _LONG or one == other:
        return False
    return _begin_alike(one, other) or one.rstrip("=")[-_SAME_TAIL:] == other.rstrip("=")[-_SAME_TAIL:]


def has_others_head(one: str, other: str) -> bool:
    """True if of two long values one has the tail of the other, and a third one's head."""
    is_own = is_near(one, other) or is_misread(one, other) or is_damage(one, other)
    return is_hybrid(one, other) and not _begin_alike(one, other) and not is_own


def _begin_alike(one: str, other: str) -> bool:
    return one[:_SAME_HEAD] == other[:_SAME_HEAD]


_END = 3
_BEGIN = 8
"""All access keys begin alike."""


def has_same_end(one: str, other: str) -> bool:
    """True if two keys of one length begin or end alike: one may have a piece of a third."""
    return len(one) == len(other) and (one[-_END:] == other[-_END:] or one[:_BEGIN] == other[:_BEGIN])


# What a reader takes for each other, be it a person or a program. (A flipped bit makes none of them of its fellow.)
_LIKE = frozenset(
    frozenset(pair)
    for likes in ("1lI", "0OQ", "il", "IL", "5S", "8B", "2Z", "6b", "9gq", "uv", "UV", "ce", "hb", "17", "38", "56")
    for pair in combinations(likes, 2)
)


def is_misread(one: str, other: str) -> bool:
    """True if of two values of one length nothing differs but characters that are taken for each other."""
    return len(one) == len(other) and all(a == b or frozenset((a, b)) in _LIKE for a, b in zip(one, other, strict=True))


def is_head(short: str, long: str) -> bool:
    """True if one value is the other with its end cut off (a token may end in =, which tells nothing)."""
    return len(short) < len(long) and long.startswith(short.rstrip("="))


def is_near(one: str, other: str) -> bool:
    """True if a character or two are overwritten, lost or added: an edit distance of 1 or 2."""
    if one == other or abs(len(one) - len(other)) > 2:
        return False
    start = same_head(one, other)
    one, other = one[start:], other[start:]
    end = same_head(one[::-1], other[::-1])
    return _is_within(one[: len(one) - end], other[: len(other) - end], 2)


def same_head(one: str, other: str) -> int:
    """So many characters of both begin alike, found by halving."""
    known, limit = 0, min(len(one), len(other))
    while known < limit:
        middle = (known + limit + 1) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            limit = middle - 1
    return known


def _is_within(one: str, other: str, edits: int) -> bool:
    """True if so many edits make one of the other; what both begin with is passed over."""
    start = same_head(one, other)
    one, other = one[start:], other[start:]
    if not one or not other:
        return max(len(one), len(other)) <= edits
    if edits == 0 or abs(len(one) - len(other)) > edits:
        return False
    return any(_is_within(a, b, edits - 1) for a, b in ((one[1:], other[1:]), (one[1:], other), (one, other[1:])))


_BAR = r"(?:[*#•█]|\xe2\x80\xa2|\xe2\x96\x88)"  # as they are, and as their bytes look in a log
_BLACKED_OUT = re.compile(
    rf".*(?:[xX]{{4}}|\?{{3}}|{_BAR}{{3}}|…|\xe2\x80\xa6).*|{_BAR}+|[-._]{{3,}}"
    r"|\W*(?:redacted|removed|hidden|masked|deleted|censored|blacked.?out|entfernt|secret|private)\W*",
    re.IGNORECASE | re.DOTALL,
)


def is_blacked_out(text: str) -> bool:
    """True if somebody put marks or a word in the place of a value, or of its middle, so that none is left."""
    return _BLACKED_OUT.fullmatch(text.strip("'\"\n ")) is not None


class Neighbours:
    """Names, to be found by others that are near to them."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._sharing: dict[tuple[int, int, str], list[str]] = defaultdict(list)
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """One more name."""
        for key in self._keys(name):
            self._sharing[key].append(name)

    def near(self, name: str) -> set[str]:
        """The names that differ from this one in a character or two."""
        alike = set[str]().union(*(self._sharing.get(key, ()) for key in self._keys(name)))
        return {other for other in alike if is_overwritten(name, other)}

    def _keys(self, name: str) -> list[tuple[int, int, str]]:
        # Each third, of every third character: all names of a product begin alike, and would all be compared.
        return [(len(name), block, name[block::_BLOCKS]) for block in range(_BLOCKS)]


def is_overwritten(one: str, other: str) -> bool:
    """True if a character or two of one are overwritten in the other."""
    return len(one) == len(other) and 0 < sum(map(ne, one, other)) <= 2
