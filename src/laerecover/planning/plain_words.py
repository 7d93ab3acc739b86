"""Why an account is not back, for somebody who does not know these programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from laerecover.manifest import Account
from laerecover.runbook.values import Effect

_FIELDS = {
    "user_access_key_id": "the access key of its bucket",
    "user_secret_key": "the secret key of its bucket",
    "user_token": "the customer's token",
    "product_token": "the product's token",
    "bucket_name": "the name of its bucket",
    "introducer_furl": "the line by which its clients find it",
    "introducer_node_pem": "the key of its introducer",
    "server_node_pem": "the key of its storage",
    "ami_image_id": "the image of its server",
    "instance_size": "the size of its server",
    "customer_email": "the customer's e-mail address",
}
_CODES = {
    "closed": "the customer left ({})",
    "missing": "the evidence lacks {}",
    "contested": "the evidence is not sure of {}",
    "unread": "a file that may tell of it could not be read: {}",
}
_VERDICTS = {
    "UNFINISHED": "its signup was never finished",
    "CLOSED": "the customer left before",
    "ABANDONED": "it was an attempt that never became an account",
}
_VERDICT = re.compile(r"the verdict is ([A-Z]+): (.+?)(?=\)?$)")


def in_plain_words(account: Account, why: str, failures: Sequence[Effect]) -> str:
    """`why`: as the plan says it; `failures`: of its last round, if it was begun."""
    if failures:
        return "; ".join(f"{each.step.plain} failed: {each.message}" for each in failures)
    if account.verdict == "RECOVERABLE" or not why:
        return why
    said = _in_words((*account.blocking, *(f"missing:{name}" for name in account.missing)))
    return said or _VERDICTS.get(account.verdict, "its evidence was judged not to be enough")


def without_codes(said: str) -> str:
    """What a plan says of a verdict, with the reasons in words."""
    return _VERDICT.sub(lambda found: f"{found[1]}: {_in_words(found[2].split(', ')) or found[2]}", said)


def _in_words(codes: Iterable[str]) -> str:
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(codes):
        kind, _, about = code.partition(":")
        found.setdefault(kind, []).append(_FIELDS.get(about, about.replace("_", " ")))
    said = [_CODES[kind].format(_listed(names)) for kind, names in found.items() if kind in _CODES]
    if "never-ready" in found:
        said.append("its server was never seen ready")
    return "; ".join(said)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
