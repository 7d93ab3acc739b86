"""Joined logs become accounts: an account is a bucket, and each of its logs has a role in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laeforensics import identities
from laeforensics.facts import BROKEN_KEY, LAST_ASSERTING_STANDING, OWN, SITE, STANDING, Fact
from laeforensics.fields import SIGNUP_FIELDS
from laeforensics.findings import Finding, finding
from laeforensics.masking import excerpt
from laeforensics.signups import ATTEMPT, DUPLICATE, ORIGIN, RE_RECORD, attested_bucket, is_ready, outcome
from laeforensics.witnesses import Signup, product_code_of, start_of, stem, weigh

REQUIRED = ("bucket_name", "user_access_key_id", "user_secret_key")
REQUIRED_DEVPAY = (*REQUIRED, "user_token", "product_token")
MUST_BE_RIGHT = frozenset(
    {*REQUIRED_DEVPAY, "customer_email", "introducer_furl", "introducer_node_pem", "server_node_pem"}
)
_OF_THE_SERVER = ("instance_id", "launch_time", "public_host", "private_host", "ami_image_id", "instance_size")
_IDENTITY = (
    "introducer_furl",
    "introducer_node_pem",
    "introducer_nodeid",
    "server_node_pem",
    "server_nodeid",
    "server_node_privkey",
)
_OF_THE_SIGNUP = tuple(name for name in SIGNUP_FIELDS if name not in _OF_THE_SERVER and name not in _IDENTITY)


@dataclass(slots=True, kw_only=True)
class Account:
    """One account, or one attempt. `values` are the account's; `witnesses` those that they rest on."""

    account_id: str
    is_attempt: bool
    signups: list[Signup]
    origin: Signup | None = None
    values: dict[str, str] = field(default_factory=dict, repr=False)
    witnesses: dict[str, list[Fact]] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)
    missing: tuple[str, ...] = ()
    ready: bool | None = None
    introducer_identity: str | None = None
    storage_identity: str | None = None
    furl_fits: bool = False
    email_confirmed: bool = False
    history: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    server: str = "UNKNOWN"
    server_source: str | None = None
    matched_by: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def accounts(signups: Sequence[Signup], roles: dict[str, str]) -> list[Account]:
    """Every account and every attempt, sorted by id."""
    groups: dict[str, list[Signup]] = defaultdict(list)
    for signup in signups:
        bucket = None if roles[signup.name] == ATTEMPT else attested_bucket(signup)
        start = start_of(signup.name)
        groups[bucket or f"attempt:{start[1] if start else stem(signup.name)}"].append(signup)
    return [_account(account_id, group, roles) for account_id, group in sorted(groups.items())]


def _account(account_id: str, group: list[Signup], roles: dict[str, str]) -> Account:
    group = sorted(group, key=lambda s: ((start_of(s.name) or ("", ""))[0], s.name))
    account = Account(account_id=account_id, is_attempt=account_id.startswith("attempt:"), signups=group)
    account.origin = next((s for s in group if roles[s.name] in (ORIGIN, ATTEMPT)), None)
    if not account.is_attempt:
        group = account.signups = _leave_out_strangers(account, group, roles)
    account.history += tuple(_history_line(s, roles[s.name]) for s in group)
    account.matched_by = tuple(sorted({how for s in group for how in s.matched_by}))
    _settle_signup(account, roles)
    if account.is_attempt:
        _settle_newest(account, group, (*_OF_THE_SERVER, *_IDENTITY))
        return account
    account.ready = _ready(account, group)
    servers = _servers(group, roles)
    _settle_newest(account, servers, _OF_THE_SERVER)
    _settle_identity(account, servers)
    _settle_furl(account, servers)
    _email_findings(account)
    required = REQUIRED_DEVPAY if product_code_of(account_id) else REQUIRED
    account.missing = tuple(name for name in required if name not in account.values and name not in account.contested)
    return account


_SAME_CUSTOMER = ("user_access_key_id", "user_secret_key", "user_token", "customer_email")


def _leave_out_strangers(account: Account, group: list[Signup], roles: dict[str, str]) -> list[Signup]:
    """Logs that name this bucket but another customer are left out: a bucket's name alone makes no member of it.

    What a re-record says was read out of a server, so it must also agree with an access key that is known.
    """
    anchor = account.origin or group[0]
    kept = [anchor]
    for signup in group:
        if signup is anchor:
            continue
        shared = [name for name in _SAME_CUSTOMER if name in anchor.values and name in signup.values]
        other = [name for name in shared if anchor.values[name] != signup.values[name]]
        if not other and (roles[signup.name] != RE_RECORD or "user_access_key_id" in shared):
            kept.append(signup)
            continue
        why = f"another {other[0]}" if other else "no access key to compare"
        account.history += (f"left out {signup.name} ({why})",)
        account.findings.append(
            finding(
                "stranger-in-bucket",
                f"{signup.name} names this bucket but has {why}; it was left out",
                signup=account.account_id,
                field=other[0] if other else "user_access_key_id",
            )
        )
    return [s for s in group if any(s is k for k in kept)]


def _history_line(signup: Signup, role: str) -> str:
    log = signup.log
    error = f" ({excerpt(log.failure)})" if log is not None and log.failure else ""
    return f"{role} {signup.name} {outcome(signup)}{error}"


def _ready(account: Account, group: Iterable[Signup]) -> bool | None:
    told = {is_ready(s) for s in group}
    if True in told:
        return True
    if False in told:
        for signup in group:
            if signup.success_row is not None:
                account.findings.append(
                    finding(
                        "success-despite-failure", "signups.csv says success, the log says failure", signup=signup.name
                    )
                )
        return False
    account.findings.append(
        finding("ready-unknown", "nothing tells whether a server was ever ready", signup=account.account_id)
    )
    return None


def _settle_signup(account: Account, roles: dict[str, str]) -> None:
    """What the customer signed up with: the origin's witnesses, with those of every filled secrets file of the bucket.

    A re-record read its values out of a server: it only fills gaps.
    """
    first = [s for s in account.signups if roles[s.name] != RE_RECORD]
    later = [s for s in account.signups if roles[s.name] == RE_RECORD]
    for name in _OF_THE_SIGNUP:
        facts = [f for s in first for f in s.witnesses.get(name, ()) if f.standing <= LAST_ASSERTING_STANDING]
        _take(account, name, facts)
    for signup in later:
        for name in _OF_THE_SIGNUP:
            if name not in account.values and name not in account.contested:
                facts = [f for f in signup.witnesses.get(name, ()) if f.standing <= LAST_ASSERTING_STANDING]
                _take(account, name, facts)
    email = account.values.get("customer_email")
    account.email_confirmed = any(
        f.value == email and f.standing <= STANDING[SITE] for f in account.witnesses.get("customer_email", ())
    )


def _email_findings(account: Account) -> None:
    if "customer_email" not in account.values:
        account.findings.append(
            finding(
                "missing-email",
                "nothing tells the customer's address",
                signup=account.account_id,
                field="customer_email",
            )
        )
    elif not account.email_confirmed:
        account.findings.append(
            finding(
                "unconfirmed-email",
                "only the web form tells this address",
                signup=account.account_id,
                field="customer_email",
            )
        )


def _take(account: Account, name: str, facts: list[Fact]) -> None:
    if not facts:
        return
    account.witnesses[name] = facts
    value, contested = weigh(facts)
    if value:
        account.values[name] = value
    if contested and name in MUST_BE_RIGHT:
        account.contested.add(name)


def _servers(group: Sequence[Signup], roles: dict[str, str]) -> list[Signup]:
    """The account's servers, best first: finished ones, newest first, then the others."""
    newest = [s for s in reversed(group) if roles[s.name] != DUPLICATE] + [
        s for s in group if roles[s.name] == DUPLICATE
    ]
    return [s for s in newest if is_ready(s)] + [s for s in newest if not is_ready(s)]


def _settle_newest(account: Account, servers: Sequence[Signup], names: Iterable[str]) -> None:
    for name in names:
        for signup in servers:
            facts = [f for f in signup.witnesses.get(name, ()) if f.standing <= LAST_ASSERTING_STANDING]
            if facts:
                _take(account, name, facts)
                break


def _settle_identity(account: Account, servers: Sequence[Signup]) -> None:
    for node, pem_field, id_field in (
        ("introducer", "introducer_node_pem", "introducer_nodeid"),
        ("storage", "server_node_pem", "server_nodeid"),
    ):
        tub_ids = {
            f.value for s in servers for f in s.witnesses.get(id_field, ()) if f.standing <= LAST_ASSERTING_STANDING
        }
        if node == "introducer":
            furls = [
                f
                for s in servers
                for f in s.witnesses.get("introducer_furl", ())
                if f.standing <= LAST_ASSERTING_STANDING
            ]
            tub_ids |= {identities.tub_id_of_furl(f.value) for f in furls}
        verdict, facts = _best_key(servers, pem_field, tub_ids)
        if facts:
            account.witnesses[pem_field] = facts
            if facts[0].channel != BROKEN_KEY:
                account.values[pem_field] = facts[0].value
            if verdict == identities.BROKEN:
                account.findings.append(
                    finding(
                        "broken-identity",
                        f"the {node}'s node.pem does not fit",
                        signup=account.account_id,
                        field=pem_field,
                        locators=tuple(f.locator for f in facts),
                    )
                )
            tub_id = identities.tub_id_of_pem(facts[0].value)
            ids = [f for s in servers for f in s.witnesses.get(id_field, ()) if f.value == tub_id]
            if ids:
                account.witnesses[id_field], account.values[id_field] = ids, ids[0].value
        else:
            _settle_newest(account, servers, (id_field,))
        setattr(account, f"{node}_identity", verdict)
    _settle_newest(account, servers, ("server_node_privkey",))


def _best_key(servers: Sequence[Signup], pem_field: str, tub_ids: set[str]) -> tuple[str, list[Fact]]:
    """The first key that proves itself, of the newest finished server first; else the first that states itself; else a broken one."""
    best: tuple[int, str, list[Fact]] = (9, identities.ABSENT, [])
    for signup in servers:
        if pem_field in signup.contested:
            continue
        facts = sorted(
            (
                f
                for f in signup.witnesses.get(pem_field, ())
                if f.standing <= LAST_ASSERTING_STANDING or f.channel == BROKEN_KEY
            ),
            key=lambda f: f.standing,
        )
        for fact in facts:
            verdict = identities.BROKEN if fact.channel == BROKEN_KEY else identities.judge(fact.value, tub_ids)
            rank = (identities.PROVED, identities.STATED, identities.BROKEN).index(verdict)
            if rank < best[0]:
                best = (rank, verdict, [f for f in facts if f.value == fact.value])
    return best[1], best[2]


def _settle_furl(account: Account, servers: Sequence[Signup]) -> None:
    """The newest furl whose TubID is the proved certificate's; the others are findings. Without a proof, the newest furl."""
    per_server = [
        [f for f in s.witnesses.get("introducer_furl", ()) if f.standing <= LAST_ASSERTING_STANDING] for s in servers
    ]
    if account.introducer_identity == identities.PROVED:
        proved = identities.tub_id_of_pem(account.values["introducer_node_pem"])
        # A furl that its own log contradicts counts only if the program itself wrote down the key that proves it.
        own_key = any(f.channel == OWN for f in account.witnesses["introducer_node_pem"])
        others = tuple(f.locator for facts in per_server for f in facts if identities.tub_id_of_furl(f.value) != proved)
        if others:
            account.findings.append(
                finding(
                    "throw-away-furl",
                    "a furl of another identity than the proved one was printed",
                    signup=account.account_id,
                    field="introducer_furl",
                    locators=others,
                )
            )
        per_server = [
            [f for f in facts if identities.tub_id_of_furl(f.value) == proved]
            for s, facts in zip(servers, per_server, strict=True)
            if own_key or "introducer_furl" not in s.contested
        ]
    for facts in per_server:
        if facts:
            _take(account, "introducer_furl", facts)
            break
    account.furl_fits = account.introducer_identity == identities.PROVED and "introducer_furl" in account.values
    if "introducer_furl" in account.values and account.introducer_identity == identities.ABSENT:
        account.findings.append(
            finding(
                "furl-without-key",
                "the furl is known, the introducer's node.pem is not",
                signup=account.account_id,
                field="introducer_furl",
            )
        )
