"""Whose each bucket is: two accounts on one bucket would be two servers that write into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from laerecover.ports.compute import folded
from laerecover.text import clean

SHARED_BUCKET = "SHARED_BUCKET"
"""With this word begins why an account is blocked that names another's bucket."""
REMEDY = (
    "name each account's own bucket and keys in files.credentials; if the manifest is wrong, decide it in the evidence "
    "(laeforensics) and audit again; nothing is launched for it"
)
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A bucket that an account has, or had: `place` says who tells so; `former`: another one holds now."""

    account_id: str
    bucket: str
    place: str
    former: bool = False


def shared_buckets(claims: Iterable[Claim]) -> Mapping[str, str]:
    """Account -> with whom it would serve one bucket, for those that would: that of another account now, or the one
    that another has in the manifest, even if that one is said to have moved: its data lie there.

    Names are compared without case and path, whatever the endpoint: one store answers to many addresses.
    """
    of_bucket: dict[str, list[Claim]] = {}
    for claim in claims:
        of_bucket.setdefault(folded(claim.bucket).strip("/").partition("/")[0], []).append(claim)
    shared = {}
    for group in of_bucket.values():
        for claim in group:
            others = [other for other in group if other.account_id != claim.account_id]
            if others and not claim.former:
                shared[claim.account_id] = _said(claim, others)
    return shared


def _said(claim: Claim, others: list[Claim]) -> str:
    named = ", ".join(f"{other.account_id} ({other.place})" for other in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return clean(
        f"its bucket {claim.bucket} ({claim.place}) is also that of {named}{more}: two servers on one bucket would be "
        "worse than none"
    )
