"""What the judges that settle an account see of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, wraps

from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import Said
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.beliefs import Hearing, Note
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import CREDENTIALS, CUSTOMER, FIELDS, SIGNUP_FIELDS

_UNTIL_LAUNCH = timedelta(hours=1)
Scope = tuple[str, Hearing, frozenset[str], list[Fact]]


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """The signups that name one bucket, with what is thought of their facts so far."""

    signups: Sequence[Signup]
    bucket: str | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """For whom a doubt about the whole account holds."""
        return frozenset(signup.name for signup in self.signups)

    @property
    def hearing(self) -> Hearing:
        """What its facts are worth so far."""
        return Hearing(self.signups[0].beliefs, self.names)

    @cached_property
    def re_records(self) -> frozenset[str]:
        """The runs (by the stems of their names) that read their values out of a server.

        Where such a log is lost, its secrets file is known by its name, which bears the time when the server was
        launched: soon after the run began whose file tells that server, too. Under a later name it may be a copy.
        """
        found, hosts = set[str](), dict[str, str]()
        for signup in sorted(self.signups, key=lambda s: (start_of(s.name) or ("",), s.log is None)):
            told = {fact.value for fact in signup.sure("public_host")}
            began = (start_of(signup.name) or ("",))[0]
            is_beside = signup.log is None and bool(told) and all(is_launch(hosts.get(h, ""), began) for h in told)
            if signup.is_re_record or is_beside:
                found.add(stem(signup.name))
            hosts = {**dict.fromkeys(told, began), **hosts}
        return frozenset(found)

    @cached_property
    def open_fields(self) -> set[str]:
        """The fields whose witnesses are not of one mind: something of them is doubted, or they tell two values."""
        if len(self.signups) == 1:
            (signup,) = self.signups
            return {name for name in SIGNUP_FIELDS if not signup.heard(name).is_of_one_mind}
        told: dict[str, list[Fact]] = defaultdict(list)
        for signup in self.signups:
            for name, facts in signup.witnesses.items():
                told[name] += facts
        hearing = self.hearing
        return {name for name, facts in told.items() if not hearing.together(facts).is_of_one_mind}

    def asserted(self, name: str) -> set[str]:
        """The values of a field that any of its signups asserts."""
        return {fact.value for signup in self.signups for fact in signup.asserted(name)}

    def hear(self, notes: Sequence[Note]) -> None:
        """Hear what the judges of a stage say."""
        if notes:
            self.signups[0].beliefs.add(notes)
            self.__dict__.pop("open_fields", None)

    def scopes(self) -> list[Scope]:
        """The facts that speak of one thing: what the customer has, in all signups; a server's, in each alone.

        Each with the field's name, the hearing, and the signups for which a doubt about them holds.
        """
        return self._scopes

    @cached_property
    def _scopes(self) -> list[Scope]:
        together = [(self.hearing, self.names, self.signups)]
        alone = [(signup.hearing, frozenset({signup.name}), [signup]) for signup in self.signups]
        found = []
        for name in SIGNUP_FIELDS:
            for hearing, names, some in together if FIELDS[name].of in (CREDENTIALS, CUSTOMER) else alone:
                told = [fact for signup in some for fact in signup.witnesses_of(name)]
                facts = list(dict.fromkeys(told)) if len(told) > 1 else told
                if len(facts) > 1:
                    found.append((name, hearing, names, facts))
        return found


AccountJudge = Callable[[AccountView], Iterable[Said]]


def looks_at(*names: str) -> Callable[[AccountJudge], AccountJudge]:
    """A judge that has nothing to say where the witnesses of each of these fields are of one mind."""

    def asked(judge: AccountJudge) -> AccountJudge:
        @wraps(judge)
        def judged(view: AccountView) -> Iterable[Said]:
            return () if view.open_fields.isdisjoint(names) else judge(view)

        return judged

    return asked


def is_launch(began: str, launched: str) -> bool:
    """True if a server may have been launched then by the run that began then."""
    if not (began and launched):
        return False
    return timedelta(0) <= datetime.fromisoformat(launched) - datetime.fromisoformat(began) <= _UNTIL_LAUNCH


def by_account(signups: Iterable[Signup]) -> Iterator[AccountView]:
    """The signups of each bucket; those that name none, each alone."""
    groups: dict[str, list[Signup]] = defaultdict(list)
    for signup in signups:
        bucket, _ = signup.weigh("bucket_name")
        groups[bucket or signup.name].append(signup)
    buckets = {name: None if name == group[0].name else name for name, group in groups.items()}
    return (AccountView(signups=group, bucket=buckets[name]) for name, group in groups.items())
