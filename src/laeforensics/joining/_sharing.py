"""What only one account can have, told by two: a piece of one log stands in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding

# What tells that a piece is another's, with all that stands beside it and is not sure then, either.
_ONLY_ONES = (
    ("user_access_key_id", ("activation_key", "user_access_key_id", "user_secret_key", "user_token")),
    ("user_token", ("user_token",)),
    ("activation_key", ("activation_key",)),
)


def doubt_shared(signups: Sequence[Signup], sources: Sources) -> None:
    """Where the logs of two buckets tell one access key, user token or activation key: the damaged log's is not sure.

    If none of them is damaged, no access key is sure that no secrets file confirms. (An activation key may have been
    sent twice. The S4 accounts share one access key, and are not asked.)
    """
    for name, fields in _ONLY_ONES:
        for tellers in _shared(signups, name):
            unsure = [s for s in tellers if not _is_confirmed(s, name, sources)]
            damaged = [s for s in unsure if _is_damaged(s)]
            for signup in damaged or (unsure if name == "user_access_key_id" else ()):
                other = next(s for s in tellers if _bucket(s) != _bucket(signup))
                signup.findings.append(
                    finding(
                        "several-signups",
                        f"{name} stands in {other.name} too, which is of another bucket: "
                        "one of them holds a piece of the other",
                        signup=signup.name,
                        field=name,
                        locators=tuple(f.locator for f in _of_the_log(signup, name)),
                    )
                )
                for told in fields:
                    signup.doubt(_of_the_log(signup, told), "of-another-account")


def _shared(signups: Sequence[Signup], name: str) -> Iterator[list[Signup]]:
    tellers: dict[str, list[Signup]] = defaultdict(list)
    for signup in signups:
        if product_code_of(_bucket(signup) or ""):
            for value in {f.value for f in _of_the_log(signup, name)}:
                tellers[value].append(signup)
    return (told for told in tellers.values() if len({_bucket(s) for s in told}) > 1)


def _of_the_log(signup: Signup, name: str) -> list[Fact]:
    return [f for f in signup.asserted(name) if signup.log is not None and f.locator.evidence == signup.log.evidence]


def _bucket(signup: Signup) -> str | None:
    return signup.weigh("bucket_name")[0]


_DAMAGE = frozenset({"cut", "host-damaged", "broken-key"})


def _is_damaged(signup: Signup) -> bool:
    log = signup.log
    if log is None:
        return False
    return bool(log.torn or log.residue) or any(
        note.reason in _DAMAGE for fact in log.facts for note in signup.hearing.notes(fact)
    )


def _is_confirmed(signup: Signup, name: str, sources: Sources) -> bool:
    """True if a secrets file of the same bucket tells the same.

    (None tells an activation key: there the access key stands for it.)
    """
    file, told = signup.secrets, "user_access_key_id" if name == "activation_key" else name
    if file is None or sources.value(file, "bucket_name") != _bucket(signup):
        return False
    return sources.value(file, told) in {f.value for f in _of_the_log(signup, told)}
