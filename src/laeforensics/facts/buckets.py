"""What a bucket's name tells: the product code, the seed, the activation key."""

from __future__ import annotations

import re
from functools import lru_cache

_DEVPAY_BUCKET = re.compile(r"lae-(?!on2wex)([0-9a-z]{4,16})-([a-z2-7]{32})")
_EARLY_BUCKET = re.compile(r"lae-([0-9a-zA-Z]{8})-([aA][a-zA-Z2-7]{29})")
"""For two days of November 2011 the activation key stood where the seed stands since."""
_USUAL_CODE = 8


@lru_cache(maxsize=1 << 14)
def product_code_of(bucket: str) -> str | None:
    """The product code in a DevPay bucket name (`lae-CODE-SEED`), upper case; None for other buckets."""
    match = _DEVPAY_BUCKET.fullmatch(bucket) or _EARLY_BUCKET.fullmatch(bucket)
    return match[1].upper() if match else None


def activation_key_of(bucket: str) -> str | None:
    """The activation key in the name of a bucket of November 2011 (`lae-CODE-KEY`); None for other buckets."""
    match = _EARLY_BUCKET.fullmatch(bucket)
    return match[2].upper() if match else None


def is_usual(bucket: str) -> bool:
    """True for the forms that need no second witness: a code of eight characters with a seed, or an S4 bucket."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return len(match[1]) == _USUAL_CODE if match else not _EARLY_BUCKET.fullmatch(bucket)


def seed_of(bucket: str) -> str | None:
    """The seed in a DevPay bucket name."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return match[2] if match else None


def bears_seed(bucket: str, seed: str) -> bool:
    """True if the bucket was made by the run whose file name ends with `seed`.

    In the S4 layout the two halves are swapped.
    """
    if bucket.endswith("-" + seed):
        return True
    customer, _, subscription = seed.partition("-")
    return bool(subscription) and bucket == f"lae-{subscription}-{customer}"
