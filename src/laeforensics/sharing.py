"""What only one account can have, told by two: a piece of one log stands in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from laeforensics.facts import FOREIGN, LAST_ASSERTING_STANDING, Fact
from laeforensics.findings import finding
from laeforensics.witnesses import Signup, product_code_of, weigh

_CREDENTIALS = ("activation_key", "user_access_key_id", "user_secret_key", "user_token")


def doubt_shared(signups: Sequence[Signup]) -> None:
    """Where the logs of two buckets tell one access key or one activation key: the damaged log's are not sure.

    If none of them is damaged, nobody's credentials are sure that no secrets file confirms. (An activation key alone may
    have been sent twice. The S4 accounts share one access key, and are not asked.)
    """
    for name, fields in (("user_access_key_id", _CREDENTIALS), ("activation_key", ("activation_key",))):
        for tellers in _shared(signups, name):
            unsure = [s for s in tellers if not _is_confirmed(s)]
            damaged = [s for s in unsure if s.log is not None and (s.log.torn or s.log.residue)]
            for signup in damaged or (unsure if name == "user_access_key_id" else ()):
                other = next(s for s in tellers if _bucket(s) != _bucket(signup))
                signup.findings.append(
                    finding(
                        "several-signups",
                        f"{name} stands in {other.name} too, which is of another bucket: one of them holds a piece of the other",
                        signup=signup.name,
                        field=name,
                        locators=tuple(f.locator for f in _of_the_log(signup, name)),
                    )
                )
                for told in fields:
                    doubted = _of_the_log(signup, told)
                    if doubted:
                        signup.witnesses[told] = [
                            f._replace(channel=FOREIGN) if f in doubted else f for f in signup.witnesses[told]
                        ]


def _shared(signups: Sequence[Signup], name: str) -> Iterator[list[Signup]]:
    tellers: dict[str, list[Signup]] = defaultdict(list)
    for signup in signups:
        if product_code_of(_bucket(signup) or ""):
            for value in {f.value for f in _of_the_log(signup, name)}:
                tellers[value].append(signup)
    return (told for told in tellers.values() if len({_bucket(s) for s in told}) > 1)


def _of_the_log(signup: Signup, name: str) -> list[Fact]:
    return [
        f
        for f in signup.witnesses[name]
        if f.standing <= LAST_ASSERTING_STANDING
        and signup.log is not None
        and f.locator.evidence == signup.log.evidence
    ]


def _bucket(signup: Signup) -> str | None:
    return weigh(signup.witnesses["bucket_name"])[0]


def _is_confirmed(signup: Signup) -> bool:
    """True if a secrets file tells the same access key of the same bucket."""
    file = signup.secrets
    key, _ = weigh(signup.witnesses["user_access_key_id"])
    return (
        file is not None
        and key is not None
        and (file.value("user_access_key_id"), file.value("bucket_name")) == (key, _bucket(signup))
    )
