"""What the name of a log or a secrets file tells: its run, when that began, its seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
S4_NAMES = ("signup_logs", "SSEC2", "stripe")
"""The three files in each folder of the S4 layout."""

_SEED = "mn2xgx[a-z2-7]{8,}-on2wex[a-z2-7]{8,}|[a-z2-7]{32}"
_EXACT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-([0-9A-Za-z-]+)")
# Behind what a copy, an editor or a download puts before a name, in the case that a medium left of it.
_WITHIN = re.compile(
    r"(?<![0-9A-Za-z])([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-"
    rf"({_SEED})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
# In an archive's list of members a name ends where the next entry begins, letter by letter.
_LISTED = re.compile(rf"(?<![0-9A-Za-z])[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{6}}Z-({_SEED})")
_BUCKET = re.compile(r"(?<![0-9a-z])lae-[0-9a-z]{4,16}-[a-z2-7]{8,32}(?:-[a-z2-7]{8,})?", re.IGNORECASE)
_SPELLED = re.compile(
    rb"[0-9a-z]{4,16}-[a-z2-7]{32}(?![0-9a-z])|(?:mn2xgx[a-z2-7]{8,}-on2wex|on2wex[a-z2-7]{8,}-mn2xgx)[a-z2-7]{8,}"
)
_BARE_SEED = re.compile(r"(?<![a-z0-9-])[a-z2-7]{32}(?![a-z0-9])")
_MOST_SEEDS = 10_000
_S4_BASE = re.compile(rf"({'|'.join(S4_NAMES)})(?![0-9A-Za-z_]).*", re.IGNORECASE | re.DOTALL)


def without_suffix(name: str) -> str:
    """A file's name as it was before it was compressed: `X.gz` is X."""
    while name.lower().endswith(SUFFIXES):
        name = name.rpartition(".")[0]
    return name


def is_moment(stamp: str) -> bool:
    """True if `YYYY-MM-DDTHH:MM:SSZ` is a time that there was."""
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return True


def is_exact(base: str) -> bool:
    """True if a file is called just what the program called it: TIMESTAMP-SEED, but for a suffix of compression."""
    match = _EXACT.fullmatch(without_suffix(base))
    return match is not None and match[5].islower()


def stamp_in(base: str) -> str | None:
    """The TIMESTAMP-SEED name that the own name of a file or folder is or holds (`X.txt`, `Copy of X`), if any."""
    match = _EXACT.fullmatch(without_suffix(base)) or _WITHIN.search(base)
    if match is None:
        return None
    seed = match[5].lower() if _WITHIN.fullmatch(match[0]) else match[5]
    return f"{match[1]}T{match[2]}{match[3]}{match[4]}Z-{seed}"


def s4_name(name: str) -> str | None:
    """Which of S4_NAMES a file of the S4 layout is, by its own name in a folder that bears a stamp."""
    folder, _, base = without_suffix(name).rpartition("/")
    match = _S4_BASE.fullmatch(base) if stamp_in(folder.rpartition("/")[2]) or base in S4_NAMES else None
    return None if match is None else next(known for known in S4_NAMES if known.lower() == match[1].lower())


@lru_cache(maxsize=1 << 14)
def stem(name: str) -> str:
    """What a log and its secrets file share: the TIMESTAMP-SEED name, or in the S4 layout their folder."""
    folder, _, base = name.rpartition("/")
    if s4_name(name) is None:
        return stamp_in(base) or without_suffix(base)
    above, _, own = folder.rpartition("/")
    stamped = stamp_in(own)
    return folder if stamped is None else f"{above}/{stamped}".removeprefix("/")


@lru_cache(maxsize=1 << 14)
def start_of(name: str) -> tuple[str, str] | None:
    """UTC start (ISO, with colons) and seed of a TIMESTAMP-SEED name; None for a name whose digits are no time."""
    match = _EXACT.fullmatch(stem(name).rpartition("/")[2])
    if match is None:
        return None
    start = f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z"
    return (start, match[5]) if is_moment(start) else None


@dataclass(frozen=True, slots=True)
class Named:
    """Who is named in a text, in lower case: `surely` by stamps and buckets, `perhaps` by what could be a seed."""

    surely: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()

    def __or__(self, other: Named) -> Named:
        return Named(self.surely | other.surely, self.perhaps | other.perhaps)


NOBODY = Named()


def accounts_named(text: str) -> Named:
    """The seeds of stamps and the buckets that stand in the name of a file, or in what it holds."""
    surely = {match[5].lower() for match in _WITHIN.finditer(text)}
    surely |= {match[1] for match in _LISTED.finditer(text)}
    for match in _BUCKET.finditer(text):
        surely.add(match[0].lower())
    perhaps = islice((match[0] for match in _BARE_SEED.finditer(text)), _MOST_SEEDS)
    return Named(frozenset(surely), frozenset(perhaps))


def buckets_spelled(data: bytes) -> dict[str, int]:
    """The whole names of buckets that stand in a text, each with the offset of the first."""
    found: dict[str, int] = {}
    place = data.find(b"lae-")
    while place >= 0:
        if match := _SPELLED.match(data, place + 4):
            found.setdefault(f"lae-{match[0].decode()}", place)
        place = data.find(b"lae-", place + 4)
    return found
