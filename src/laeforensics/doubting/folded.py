"""A secret key of one case beside keys that cannot be read: its file went through something with one case."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.facts.beliefs import Doubt

_BESIDE = frozenset({"user_access_key_id", "user_token", "product_token"})


def judge(view: FileView) -> Iterator[Said]:
    """Doubt the secret key: of forty letters drawn by chance some are capitals, and some are none."""
    rejected = view.secrets.rejected if view.secrets is not None else ()
    places = tuple(place for name, place in rejected if name in _BESIDE)
    for fact in view.facts if places else ():
        if fact.field == "user_secret_key" and fact.value in (fact.value.lower(), fact.value.upper()):
            yield Doubt(facts=(fact,), reason="folded", because=places)
            yield damaged_secret(fact.field, fact.locator)
