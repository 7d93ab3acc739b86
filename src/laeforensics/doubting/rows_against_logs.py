"""A row of serverinfo.csv at whose address another log of the account tells another server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.account_views import AccountView, looks_at
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact

_TOLD = ("instance_id", "launch_time")


@looks_at(*_TOLD)
def judge(view: AccountView) -> Iterator[Said]:
    """Doubt the server of such a row: it was joined to a log that tells no more than the address, as a re-record.

    Unless a log tells the row's instance.
    """
    told: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for signup in view.signups:
        for host in {fact.value for fact in signup.hearing.own(signup.witnesses_of("public_host"))}:
            for name in _TOLD:
                told[name, host] += signup.hearing.own(signup.witnesses_of(name))
    for row in (row for signup in view.signups for row in signup.serverinfo_rows):
        own = [f for name in _TOLD for f in told[name, row.value("public_host") or ""]]
        facts = tuple(view.hearing.asserting([fact for name in _TOLD for fact in row.of(name)]))
        values = {fact.field: fact.value for fact in facts}
        against = [f for f in own if values.get(f.field, f.value) != f.value]
        if against and values.get("instance_id") not in {f.value for f in own}:
            places = tuple(fact.locator for fact in against[:5])
            yield Doubt(facts=facts, reason="another-at-its-address", because=places, about=view.names)
