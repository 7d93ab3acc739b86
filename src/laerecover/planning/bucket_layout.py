"""How shares lie in a bucket, told from the names of its objects."""

from __future__ import annotations

from collections.abc import Iterable

_BASE32 = frozenset("abcdefghijklmnopqrstuvwxyz234567")
_INDEX = 26
"""Characters of a storage index in base32."""


def first_piece(names: Iterable[str]) -> str | None:
    """The first object that is a piece of a share: `…/ab/INDEX/N.1`, `N.2`, … beside `N`; None if there is none.

    Some Tahoe-LAFS cut shares into pieces of half a megabyte. A mount would serve `N` alone, a file cut short. Only large
    shares are cut: a listing without a piece proves nothing unless it is complete, one with a piece proves it all.
    """
    return next((name for name in names if _is_piece(name)), None)


def _is_piece(name: str) -> bool:
    prefix, index, share = (["", "", "", *name.split("/")])[-3:]
    number, dot, piece = share.partition(".")
    return (
        len(index) == _INDEX
        and set(index) <= _BASE32
        and prefix == index[:2]
        and bool(dot)
        and all(part.isascii() and part.isdigit() for part in (number, piece))
    )
