"""A secrets file that tells two buckets: a piece of another file lies in it."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt


def judge(view: FileView) -> Iterator[Said]:
    """Doubt both names, of which the log beside it tells its own, and all that is told with them."""
    names = tuple(fact for fact in view.facts if fact.field == "bucket_name") if view.secrets is not None else ()
    if len({fact.value for fact in names}) > 1:
        places = tuple(fact.locator for fact in names)
        yield Doubt(facts=names, reason="two-buckets", because=places)
        told = (fact for fact in view.facts if fact not in names and fact.field != "product_token")  # no customer's own
        yield Doubt(facts=tuple(told), reason="tied", because=places)
