"""A server of the account of which no believed log tells: it may be the one that counts, the newest finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.views import Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import SERVER, fields_of

_FINISHED = frozenset({"servers_running", "settings_told", "mail_sent"})


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt what is told of an account's servers where a log names its bucket, then a server that no account has.

    The log is believed to be nobody's, or another's: but it stands there. An older server counts where no believed one
    was ever finished.
    """
    known = {fact.value for signup in view.signups() for fact in signup.asserted("instance_id")}
    deployed: dict[str, list[Fact]] = defaultdict(list)
    for signup in view.signups():
        for bucket, launched in _deployed(signup.log.facts if signup.log is not None else (), known):
            deployed[bucket].append(launched)
    for account in view.accounts:
        times = [fact.value for signup in account.signups for fact in signup.asserted("launch_time")]
        stages = {fact.value for signup in account.signups for fact in signup.asserted("stage")}
        after = max(times, default="") if stages & _FINISHED else ""
        newer = [fact for fact in deployed.get(account.bucket or "", ()) if fact.value > after]
        if newer and times:
            told = [f for name in fields_of(SERVER) for signup in account.signups for f in signup.asserted(name)]
            places = tuple(fact.locator for fact in newer)
            yield Doubt(facts=tuple(told), reason="unknown-server", because=places, about=account.names)


def _deployed(facts: list[Fact] | tuple[()], known: set[str]) -> Iterator[tuple[str, Fact]]:
    """The buckets for which a log tells that servers were launched, each with the fact that tells when."""
    bucket = instance = ""
    for fact in facts:
        if fact.field == "stage" and fact.value == "deploying":
            bucket = instance = ""
        elif fact.field == "bucket_name" and fact.rule == "deployment":
            bucket, instance = fact.value, ""
        elif fact.field == "instance_id":
            instance = fact.value
        elif fact.field == "launch_time" and bucket and instance and instance not in known:
            yield bucket, fact
