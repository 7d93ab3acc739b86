"""CaseAccount: its fields are settled from the witnesses of its logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem, without_suffix
from laeforensics.facts.beliefs import Beliefs, Hearing
from laeforensics.facts.buckets import seed_of
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import Finding, finding
from laerecover.manifest import FINISH

REQUIRED = ("bucket_name", "user_access_key_id", "user_secret_key")
REQUIRED_DEVPAY = (*REQUIRED, "user_token", "product_token")
MUST_BE_RIGHT = frozenset(
    {*REQUIRED_DEVPAY, "customer_email", "introducer_furl", "introducer_node_pem", "server_node_pem"}
)


@dataclass(slots=True, kw_only=True)
class CaseAccount:
    """One account, or one attempt. `values` are the account's; `witnesses` those that they rest on.

    `beliefs` is what is thought of them, beside what is thought in every account.
    """

    account_id: str
    is_attempt: bool
    signups: list[Signup]
    beliefs: Beliefs = field(default_factory=Beliefs, repr=False)
    origin: Signup | None = None
    values: dict[str, str] = field(default_factory=dict, repr=False)
    witnesses: dict[str, list[Fact]] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)
    missing: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Files that name it and could not be read."""
    closed: str | None = None
    """When and why the customer left, if that is told."""
    ready: bool | None = None
    introducer_identity: str | None = None
    storage_identity: str | None = None
    furl_fits: bool = False
    email_confirmed: bool = False
    history: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    decided: dict[str, list[Fact]] = field(default_factory=dict, repr=False)
    """The witnesses among which a human chose, by field: a decision may be changed."""
    server: str = "UNKNOWN"
    server_source: str | None = None
    matched_by: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_unfinished(self) -> bool:
        """True if no server of it was ever ready, and nobody decided that the signup should be finished."""
        return self.ready is False and FINISH not in self.decided

    @property
    def finishes_signup(self) -> bool:
        """True if no server of it was ever ready, and somebody decided that the signup should be finished."""
        return self.ready is False and FINISH in self.decided

    @property
    def hearing(self) -> Hearing:
        """What its witnesses are worth here."""
        return Hearing(self.beliefs, [signup.name for signup in self.signups])


def instances(account: CaseAccount) -> dict[str, Signup]:
    """Every instance that the evidence tells of the account, with the log (or secrets file) that tells it."""
    return {fact.value: signup for signup in account.signups for fact in signup.asserted("instance_id")}


def take(account: CaseAccount, name: str, facts: Sequence[Fact]) -> None:
    """Let these witnesses settle a field of the account."""
    if not facts:
        return
    account.witnesses[name] = list(facts)
    value, contested = account.hearing.weigh(facts)
    if value:
        account.values[name] = value
    elif contested:
        account.values.pop(name, None)
    if contested and name in MUST_BE_RIGHT:
        account.contested.add(name)
        told = [f for s in account.signups for f in s.findings]
        if not any(f.code == "contested-field" and f.field == name for f in told):
            account.findings.append(
                finding(
                    "contested-field",
                    f"copies or files of this account contradict each other in {name}",
                    signup=account.account_id,
                    field=name,
                    locators=tuple(f.locator for f in facts),
                )
            )


def settle_newest(account: CaseAccount, servers: Sequence[Signup], names: Iterable[str]) -> None:
    """Settle each field by the first of the servers that tells it; copies of its log speak with it."""
    for name in names:
        first = next((s for s in servers if s.asserted(name)), None)
        copies = [s for s in servers if first is not None and stem(s.name) == stem(first.name)]
        take(account, name, [fact for s in copies for fact in s.asserted(name)])


def settle_as_newest(account: CaseAccount, servers: Sequence[Signup], name: str) -> None:
    """Settle a field by the first of the servers that tells it surely what the first that tells it at all tells."""
    told = next((told for s in servers if (told := {fact.value for fact in s.witnesses_of(name)})), set[str]())
    settle_newest(account, [s for s in servers if told & {fact.value for fact in s.asserted(name)}], (name,))


def keys_of(account: CaseAccount) -> set[str]:
    """Every name under which an account may be asked for: ids, log names, seeds, e-mail, activation key."""
    keys = {
        account.account_id,
        *(s.name for s in account.signups),
        *(s.name.rpartition("/")[2] for s in account.signups),
        *(without_suffix(s.name).rpartition("/")[2] for s in account.signups),
    }
    keys |= {start[1] for s in account.signups if (start := start_of(s.name))}
    keys |= {seed_of(account.account_id) or account.account_id}
    keys |= {v for name in ("customer_email", "activation_key", "bucket_name") if (v := account.values.get(name))}
    return keys
