"""A later server of the account, of which a file tells more than is believed: it may be the one that counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.doubting.account_views import AccountView
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.sorting import seed_of_file
from laeforensics.doubting.views import Said
from laeforensics.evidence.names import accounts_named, s4_name, start_of
from laeforensics.facts.beliefs import Doubt, Hearing
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import OF_ONE_SERVER
from laeforensics.facts.node_keys import host_of_furl
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

_FINISHED = frozenset({"servers_running", "settings_told", "mail_sent"})
_BEGINS = BEFORE_DEPLOYMENT | {"deploying"}
_KNOWN_BY = ("instance_id", "launch_time", "public_host")
_PLACES = 5
"""So many places are told of what contradicts."""


@dataclass(kw_only=True)
class _Deployment:
    """What one log tells, believed or not, from the deployment of one server on."""

    signup: Signup
    told: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    unread: tuple[Locator, ...] = ()
    """Of a log that tells of no server: the lines that could not be read."""

    @property
    def places(self) -> tuple[Locator, ...]:
        """Where it stands."""
        return tuple(fact.locator for fact in self.facts)[:_PLACES] or self.unread

    @property
    def facts(self) -> list[Fact]:
        """The facts that tell of the server itself."""
        return [fact for name in _KNOWN_BY for fact in self.told[name]]

    @property
    def instances(self) -> set[str]:
        """The ids of its server: one, unless another log's rest follows."""
        return {fact.value for fact in self.told["instance_id"]}

    @property
    def time(self) -> str:
        """When the server was launched; where no line tells that, when the file's name says that its run began.

        (A time without its server beside it may be another log's rest.)
        """
        told = self.told["launch_time"]
        prints = {fact.print for fact in self.told["instance_id"]}
        return min((f.value for f in [f for f in told if f.print in prints] or told), default=_begun(self.signup))

    @property
    def until_unread(self) -> _Deployment:
        """Its beginning, up to the first line that could not be read: there another log's piece may begin."""
        residue = self.signup.log.residue if self.signup.log is not None else []
        start = min(fact.locator.start for fact in self.facts)
        end = next((each.start for each in residue if each.start > start), None)
        begun = _Deployment(signup=self.signup)
        for name, facts in self.told.items():
            begun.told[name] = [fact for fact in facts if end is None or fact.locator.start < end]
        return begun

    @property
    def is_sure(self) -> bool:
        """True if what the log tells of the server, of its bucket and of its end stands."""
        return not self.not_heard and bool(self.signup.asserted("bucket_name"))

    @property
    def not_heard(self) -> list[Fact]:
        """The facts that tell of the server and of its end, and do not stand."""
        ends = [fact for fact in self.told["stage"] if fact.value in _FINISHED]
        heard = {(fact.field, fact.value) for fact in self.signup.hearing.asserting([*self.facts, *ends])}
        is_ended = not ends or any((fact.field, fact.value) in heard for fact in ends)
        return [f for f in (*self.facts, *(() if is_ended else ends)) if (f.field, f.value) not in heard]


class DatedFurl(NamedTuple):
    """A furl beside its own server's address: since when, which buckets are told there, for what it is doubted."""

    began: str
    fact: Fact
    buckets: frozenset[str]
    reasons: frozenset[str]


def judge(view: CaseView) -> Iterator[Said]:
    """Doubt what is told of an account's servers where a file tells of a later one, and is not believed in that.

    Whose the later one is, its bucket tells, be it in a line that could not be read; where that is lost, its log, or
    the customer's address. An older server
    counts where no believed one was ever finished. (What a copy tells whole is known.)
    """
    by_belief: dict[bool, list[_Deployment]] = {True: [], False: []}
    by_tie: dict[tuple[str, str], list[_Deployment]] = defaultdict(list)
    known = set[str]()
    for signup in view.signups():
        if _is_believed(signup):
            known |= {fact.value for fact in signup.asserted("instance_id") if _is_of_log(fact, signup)}
            continue
        told = list(_deployments(signup))
        for each in told:
            by_belief[each.is_sure].append(each)
        for bucket in _buckets_unread(signup) if not told else ():
            residue = signup.log.residue if signup.log is not None else []
            unread = tuple(Locator(r.evidence, r.line, r.start, r.end) for r in residue[:_PLACES])
            by_tie["bucket_name", bucket].append(_Deployment(signup=signup, unread=unread))
    named = {each.signup.name for some in by_belief.values() for each in some if each.told["bucket_name"]}
    known.update(*(each.instances for each in by_belief[True]))
    for each in by_belief[False]:
        if each.instances and each.instances <= known:
            continue
        name = next((name for name in ("bucket_name", "customer_email") if each.told[name]), "log")
        for value in dict.fromkeys(fact.value for fact in each.told[name]):
            by_tie[name, value].append(each)
        for bucket in _buckets_unread(each.signup) if name == "log" else ():
            by_tie["bucket_name", bucket].append(each)
        if each.signup.name not in named:  # else it is another log's rest
            by_tie["log", each.signup.name].append(each)
    beside = _beside(view)
    for account in view.accounts if by_tie or beside else ():
        if account.bucket:
            yield from _doubts_of_secrets(account, beside.get(account.bucket, ()))
            names = account.names
            later = [each for tie in _ties(account) for each in by_tie.get(tie, ())]
            yield from _doubts(account.signups, [e for e in later if not (e.unread and e.signup.name in names)])


def _is_believed(signup: Signup) -> bool:
    """True if its log tells of servers, and nobody doubts what it tells of them, of its bucket, of how far it came."""
    if not all(signup.heard(name).is_of_one_mind for name in _KNOWN_BY) or not signup.asserted("bucket_name"):
        return False
    is_told = any(_is_of_log(fact, signup) for name in _KNOWN_BY for fact in signup.asserted(name))
    return is_told and len(signup.asserted("stage")) == len(signup.witnesses_of("stage"))


def _is_of_log(fact: Fact, signup: Signup) -> bool:
    return fact.channel == OWN and signup.log is not None and fact.locator.evidence == signup.log.evidence


def _beside(view: CaseView) -> dict[str, list[Fact]]:
    """By bucket: the addresses that secrets files tell in whole objects of which nothing is believed."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for told in (told for file in view.secrets for told in file.legible):
        hosts = [fact for fact in told if fact.field == "public_host"]
        for bucket in {fact.value for fact in told if fact.field == "bucket_name"}:
            found[bucket] += hosts
    return found


def _doubts_of_secrets(account: AccountView, hosts: Iterable[Fact]) -> Iterator[Doubt]:
    """A secrets file was written when its server was ready; whose it is, the bucket in the same object tells."""
    told = _of_servers(account.signups)
    known = {fact.value for fact in told if fact.field == "public_host"}
    newest = max((_launched(s) for s in account.signups if _has_finished_server(s)), default="")
    later = [f for f in hosts if f.value not in known and (start_of(f.locator.evidence) or ("",))[0] > newest]
    if later and told:
        places = tuple(fact.locator for fact in later[:_PLACES])
        yield Doubt(facts=tuple(told), reason="unknown-server", because=places, about=account.names)


def _of_servers(signups: Sequence[Signup]) -> list[Fact]:
    return [f for name in OF_ONE_SERVER for signup in signups for f in signup.asserted(name)]


def doubts_beside_others(signups: Sequence[Signup], others: Iterable[Signup]) -> Iterable[Doubt]:
    """The same where a log of the bucket is held for another customer's: its server may be the later one."""
    return _doubts(signups, [each for other in others for each in _deployments(other)])


def furls_beside(signups: Iterable[Signup], files: Iterable[SecretsFile]) -> Iterator[DatedFurl]:
    """Every furl that stands beside its own server's address and no other's, believed or not.

    Of a secrets file that is not believed: the first object, for only its own run dates the file.
    """
    for signup in signups:
        for each in _deployments(signup):
            yield from _beside_its_address(each.time, each.told, signup.hearing)
            begun = each.until_unread
            if begun.told["bucket_name"] and begun.told["launch_time"]:
                beside = {**each.told, "public_host": begun.told["public_host"]}
                yield from _beside_its_address(begun.time, beside, signup.hearing)
    for file in files:
        told: dict[str, list[Fact]] = defaultdict(list)
        for fact in file.legible[0] if file.legible and not file.facts else ():
            told[fact.field].append(fact)
        yield from _beside_its_address((start_of(file.evidence) or ("",))[0], told)


def _beside_its_address(began: str, told: dict[str, list[Fact]], hearing: Hearing | None = None) -> Iterator[DatedFurl]:
    hosts, buckets = ({fact.value for fact in told.get(name, ())} for name in ("public_host", "bucket_name"))
    for fact in told.get("introducer_furl", ()):
        if began and hosts == {host_of_furl(fact.value)}:
            reasons = {note.reason for note in hearing.notes(fact)} if hearing is not None else set()
            yield DatedFurl(began, fact, frozenset(buckets), frozenset(reasons))


def _ties(account: AccountView) -> set[tuple[str, str]]:
    """By what a deployment is the account's."""
    emails = {fact.value for signup in account.signups for fact in signup.asserted("customer_email")}
    logs = {("log", signup.name) for signup in account.signups}
    return {("bucket_name", account.bucket or ""), *logs, *(("customer_email", email) for email in emails)}


def _doubts(signups: Sequence[Signup], deployments: Iterable[_Deployment]) -> Iterator[Doubt]:
    told = _of_servers(signups)
    about = frozenset(signup.name for signup in signups)
    known = {fact.value for fact in told if fact.field in _KNOWN_BY}
    finished = sorted(((_launched(s), s.name) for s in signups if _has_finished_server(s)), reverse=True)[:2]
    later: list[_Deployment] = []
    for each in deployments:
        after = next((launched for launched, name in finished if name != each.signup.name), "")
        if each.time > after and known - {fact.value for fact in each.facts}:
            later.append(each)
    own = _of_servers([signup for signup in signups if any(each.signup is signup for each in later)])
    others = tuple(fact for fact in told if fact not in own)
    places = tuple(place for each in later for place in each.places)[:_PLACES]
    if later and others:
        yield Doubt(facts=others, reason="unknown-server", because=places, about=about)
    if own:  # of the later server itself more is told than is believed
        not_heard = tuple(fact.locator for each in later for fact in each.not_heard)[:_PLACES]
        yield Doubt(facts=tuple(own), reason="half-told-server", because=not_heard, about=about)


def _buckets_unread(signup: Signup) -> set[str]:
    """The buckets named in lines of a log that nobody could read; in the S4 layout that of its folder's name, too."""
    residue = signup.log.residue if signup.log is not None else ()
    named = {name for each in residue for name in accounts_named(each.excerpt).surely if name.startswith("lae-")}
    is_told = signup.log is not None and any(f.field == "stage" and f.value in _BEGINS for f in signup.log.facts)
    if residue and s4_name(signup.name) is not None and (is_told or not signup.log or not signup.log.facts):
        named.add(f"lae-{seed_of_file(signup.name)}")
    return named


def _has_finished_server(signup: Signup) -> bool:
    stages = signup.stage_names
    is_finished = bool(stages & _FINISHED) or (signup.secrets is not None and signup.secrets.filled)
    return is_finished and any(signup.asserted(name) for name in _KNOWN_BY)


def _launched(signup: Signup) -> str:
    return max((fact.value for fact in signup.asserted("launch_time")), default=_begun(signup))


def _begun(signup: Signup) -> str:
    return (signup.stamp or ("", ""))[0]


def _deployments(signup: Signup) -> Iterator[_Deployment]:
    """The parts of a log that tell of servers, each from a deployment, or another bucket's name in its print, on."""
    here = _Deployment(signup=signup)
    for fact in signup.log.facts if signup.log is not None else ():
        if fact.channel != OWN:
            continue
        is_named = fact.field == "bucket_name" and any(f.value != fact.value for f in here.told["bucket_name"])
        if is_named or (fact.field == "stage" and fact.value in _BEGINS):
            if here.facts:
                yield here
            here = _Deployment(signup=signup)
        here.told[fact.field].append(fact)
    if here.facts:
        yield here
