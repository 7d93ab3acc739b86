"""Joined logs become accounts: an account is a bucket, in which each of its logs has a role."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from laeforensics.accounts.account import REQUIRED, REQUIRED_DEVPAY, CaseAccount, settle_newest, take
from laeforensics.accounts.attempts import hear_others
from laeforensics.accounts.furls import Node, by_node, follow_address, settle_furl
from laeforensics.accounts.nodes import NODE_KEYS, contest_identity, settle_identity
from laeforensics.accounts.outcome import PERHAPS_READY, is_ready, outcome, perhaps_ready
from laeforensics.accounts.relayed_furls import take_relayed_furl
from laeforensics.accounts.roles import ATTEMPT, ORIGIN, RE_RECORD, attested_bucket
from laeforensics.accounts.servers import best_first, doubts_beside_unfinished, settle_server
from laeforensics.companions.products import is_offered, of_another_time
from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.unknown_server import DatedFurl, doubts_beside_others, furls_beside
from laeforensics.doubting.voices import print_of, voice
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.beliefs import Beliefs, Doubt
from laeforensics.facts.buckets import product_code_of, seed_of
from laeforensics.facts.channels import SITE, STANDING
from laeforensics.facts.damage import has_same_end, is_head, is_misread, is_near
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import CREDENTIALS, CUSTOMER, IDENTITY, SERVER, fields_of, was_quoted
from laeforensics.facts.findings import finding
from laeforensics.facts.masking import excerpt

_OF_THE_SIGNUP = fields_of(CREDENTIALS, CUSTOMER)


def accounts(signups: Sequence[Signup], roles: dict[str, str], files: Iterable[SecretsFile]) -> list[CaseAccount]:
    """Every account and every attempt, sorted by id; `files` are the secrets files, believed or not."""
    groups: dict[str, list[Signup]] = defaultdict(list)
    told = {stem(s.name): bucket for s in signups if s.log is not None and (bucket := attested_bucket(s))}
    buckets = {name: bucket for name, bucket in told.items() if product_code_of(bucket) or "/" in name}
    for signup in signups:
        # A cut copy may not tell its fellow's bucket; one of the S4 years in a log of a DevPay name is another log's.
        bucket = None if roles[signup.name] == ATTEMPT else attested_bucket(signup) or buckets.get(stem(signup.name))
        start = start_of(signup.name)
        groups[bucket or f"attempt:{start[1] if start else stem(signup.name)}"].append(signup)
    known = {f"attempt:{seed_of(bucket)}" for bucket in groups if not bucket.startswith("attempt:")}
    elsewhere = cache(lambda: by_node(furls_beside(signups, files)))
    found = [_account(id_, groups, roles, elsewhere, is_known=id_ in known) for id_ in sorted(groups)]
    hear_others(found)
    return found


def _account(
    account_id: str,
    groups: Mapping[str, list[Signup]],
    roles: dict[str, str],
    elsewhere: Callable[[], Mapping[Node, Sequence[DatedFurl]]],
    *,
    is_known: bool,
) -> CaseAccount:
    """One account or attempt of the `groups`; `is_known` says that an account bears the attempt's seed.

    Then it is a log of that run, of which something made another text: what it tells, it tells of nobody.
    """
    group = sorted(groups[account_id], key=lambda s: ((start_of(s.name) or ("", ""))[0], s.name))
    account = CaseAccount(
        account_id=account_id,
        is_attempt=account_id.startswith("attempt:"),
        signups=group,
        beliefs=Beliefs(under=group[0].beliefs),
    )
    account.origin = next((s for s in group if roles[s.name] in (ORIGIN, ATTEMPT)), None)
    left_out = [] if account.is_attempt else _leave_out_other_customers(account, roles)
    group = account.signups
    account.history += tuple(_history_line(s, roles[s.name]) for s in group)
    account.matched_by = tuple(sorted({how for s in group for how in s.matched_by}))
    if is_known:
        return account
    _settle_signup(account, roles, left_out)
    if account.is_attempt:
        settle_newest(account, group, (*fields_of(SERVER), *fields_of(IDENTITY)))
        return account
    account.ready = _ready(account, group)
    servers = best_first(group, roles)
    printed = [s for s in servers if roles[s.name] != RE_RECORD]
    contest_identity(account, account.origin, printed, [s for s in servers if roles[s.name] == RE_RECORD])
    account.beliefs.add(doubts_beside_unfinished(servers, groups.get(f"attempt:{seed_of(account_id)}", ())))
    if not account.contested.isdisjoint(NODE_KEYS):
        servers = printed  # what the re-record says of its server waits with its keys for the decision
    settle_server(account, servers, roles)
    settle_identity(account, servers)
    settle_furl(account, servers)
    follow_address(account, left_out, elsewhere)
    take_relayed_furl(account, servers)
    for name in NODE_KEYS & account.contested:
        account.values.pop(name, None)
    _email_findings(account)
    names = REQUIRED_DEVPAY if product_code_of(account_id) else REQUIRED
    account.missing = tuple(name for name in names if name not in account.values and name not in account.contested)
    account.findings += [
        finding("missing-field", f"{name} is not known", signup=account.account_id, field=name)
        for name in account.missing
    ]
    if account.ready is False:
        perhaps = tuple(fact.locator for signup in account.signups for fact in perhaps_ready(signup))
        words = "no server of it was ever ready" + (f", or {PERHAPS_READY}" if perhaps else "")
        account.findings.append(finding("never-ready", words, signup=account.account_id, locators=perhaps[:5]))
    return account


_TOLD_TOGETHER = ("user_access_key_id", "user_secret_key", "user_token")
_SAME_CUSTOMER = (*_TOLD_TOGETHER, "customer_email")


def _leave_out_other_customers(account: CaseAccount, roles: dict[str, str]) -> list[Signup]:
    """Logs that name this bucket but another customer are left out: a bucket's name alone makes no member of it.

    Gives them. What a re-record says was read out of a server, so it must also agree with an access key that is known.
    """
    anchor = account.origin or account.signups[0]
    kept, left_out = list[Signup](), list[Signup]()
    for signup in account.signups:
        # A copy is no other customer: where it differs, one of them is damaged.
        if stem(signup.name) == stem(anchor.name) and (signup.log is None) == (anchor.log is None):
            kept.append(signup)
            continue
        ours, theirs = anchor.values, _customer_of(signup)
        shared = [name for name in _SAME_CUSTOMER if name in ours and name in theirs]
        other = [n for n in shared if ours[n] != theirs[n] and not is_near(ours[n], theirs[n])]
        if any(n not in other for n in shared):
            other = [n for n in other if n in signup.values]
        if len(other) == 1 and _is_one_value(other[0], shared, ours, theirs):
            other = other if len({print_of(f) for each in kept for f in each.sure(other[0])}) > 1 else []
        if not other and (roles[signup.name] != RE_RECORD or "user_access_key_id" in shared):
            kept.append(signup)
            continue
        left_out.append(signup)
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
    account.beliefs.add(doubts_beside_others(kept, left_out))
    account.signups = kept
    return left_out


def _is_one_value(name: str, shared: Sequence[str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """True if of keys and token, told together, one alone is another, with one end of the account's own.

    That is no other customer, but one value that has a piece of another's, here or there.
    """
    return name in _TOLD_TOGETHER and set(_TOLD_TOGETHER) <= set(shared) and has_same_end(ours[name], theirs[name])


_OF_ANOTHER = frozenset({"of-another-account", "in-two-accounts", "outvoted"})


def _customer_of(signup: Signup) -> dict[str, str]:
    """What a signup tells of its customer, even where it is another account's: that, too, tells whose it is."""
    foreign = {
        fact.field: fact.value
        for name in _SAME_CUSTOMER
        for fact in signup.witnesses_of(name)
        if any(note.reason in _OF_ANOTHER for note in signup.hearing.notes(fact))
    }
    return {**foreign, **signup.values}


def _history_line(signup: Signup, role: str) -> str:
    return f"{role} {signup.name} {outcome(signup, role)}" + (f" ({excerpt(signup.failure)})" if signup.failure else "")


def _ready(account: CaseAccount, group: Sequence[Signup]) -> bool | None:
    failed = {stem(s.name) for s in group if s.has_failed}
    told = {is_ready(s, is_failed=stem(s.name) in failed) for s in group}
    if True in told:
        return True
    if False in told:
        for signup in group:
            if signup.success_row is not None:
                account.findings.append(
                    finding(
                        "success-despite-failure",
                        "signups.csv says success, what the run left says failure",
                        signup=signup.name,
                    )
                )
        return False
    account.findings.append(
        finding("ready-unknown", "nothing tells whether a server was ever ready", signup=account.account_id)
    )
    return None


def _settle_signup(account: CaseAccount, roles: dict[str, str], left_out: Sequence[Signup]) -> None:
    """What the customer signed up with: the origin's witnesses, with those of every filled secrets file of the bucket.

    A re-record read its values out of a server: it only fills gaps. What was left out, for its customer is another, is
    of the same product still: its token contests one that a single voice tells.
    """
    first = [s for s in account.signups if roles[s.name] != RE_RECORD]
    later = [s for s in account.signups if roles[s.name] == RE_RECORD]
    has_product = account.is_attempt or product_code_of(account.account_id) is not None  # S4 has none
    names = [name for name in _OF_THE_SIGNUP if has_product or name not in ("product_token", "product_code")]
    for name in names:
        # Each tells its own bucket's name.
        heard = account.signups if name in ("bucket_name", "product_code") else first
        facts = [f for s in heard for f in s.asserted(name)]
        if name == "product_token":
            also = [f for s in later for f in s.witnesses_of(name)]
            others = of_another_time(facts, account.hearing, also) or _outvoted(account, facts, also)
            account.beliefs.add([Doubt(facts=tuple(others), reason="of-another-time")])
            if len({voice(f) for f in account.hearing.sure(facts)}) == 1:
                facts += [f for s in left_out for f in s.sure(name) if not is_offered(f)]
        take(account, name, facts)
    for signup in later:
        for name in names:
            if name not in account.values and name not in account.contested:
                take(account, name, signup.asserted(name))
            elif name in fields_of(CREDENTIALS) and _speaks_against(account, name, signup):
                take(account, name, [*account.witnesses[name], *signup.asserted(name)])
    email, hearing = account.values.get("customer_email"), account.hearing
    account.email_confirmed = any(
        f.value == email and hearing.standing(f) <= STANDING[SITE]
        for f in dict.fromkeys(account.witnesses.get("customer_email", ()))
    )
    if email is not None and product_code_of(account.account_id) and was_quoted(email):
        account.email_confirmed = False


def _outvoted(account: CaseAccount, facts: Sequence[Fact], also: Sequence[Fact]) -> list[Fact]:
    """The witnesses of a token that is offered, where two files of the account's own tell another.

    Not files with damage: they may hold a piece of another file, and tell its token. Nor one that is the offered token
    misread, or with its end cut off: that may be done to all secrets files alike. Beside contested keys: none.
    """
    own = [f for f in account.hearing.sure((*facts, *also)) if not is_offered(f)]
    damaged = {file for signup in account.signups for file in signup.damaged()} if own else ()
    own = [f for f in own if f.locator.evidence not in damaged]
    is_agreed = len({f.value for f in own}) == 1 < len({print_of(f) for f in own})
    if not is_agreed or "user_access_key_id" in account.contested:
        return []
    others = [f for f in facts if is_offered(f) and f.value != own[0].value]
    return [] if any(is_head(own[0].value, f.value) or is_misread(own[0].value, f.value) for f in others) else others


def _speaks_against(account: CaseAccount, name: str, later: Signup) -> bool:
    """True if a re-record is sure of another value, and no two independent prints of the signup tell its own."""
    told = account.values.get(name)
    others = [f for f in later.sure(name) if told is not None and f.value != told]
    mine = {print_of(f) for f in account.hearing.sure(account.witnesses.get(name, ())) if f.value == told}
    return bool(others) and len(mine) < 2


def _email_findings(account: CaseAccount) -> None:
    if "customer_email" not in account.values:
        told = {f.value for f in account.witnesses.get("customer_email", ())}
        words, places = _no_address(account)
        if len(told) > 1:
            words = "addresses are told that differ in a character or two, and nothing tells the right one"
        account.findings.append(
            finding("missing-email", words, signup=account.account_id, field="customer_email", locators=places)
        )
    elif not account.email_confirmed:
        account.findings.append(
            finding(
                "unconfirmed-email",
                "the site quoted this address, so no program ever wrote to it"
                if was_quoted(account.values["customer_email"])
                else "only the web form tells this address",
                signup=account.account_id,
                field="customer_email",
            )
        )


def _no_address(account: CaseAccount) -> tuple[str, tuple[Locator, ...]]:
    """What stands where the address should be told, and is none: in words, with its places."""
    damaged = [d for s in account.signups if s.log for d in s.log.damaged_values if d.field == "customer_email"]
    rows = [row for s in account.signups for row in (s.success_row, s.failure_row) if row and row.facts]
    places = [d.locator for d in damaged] + [r.facts[0].locator for r in rows if not r.value("customer_email")]
    texts = sorted({excerpt(_as_utf8(d.value))[:80] for d in damaged if d.value})
    if not places:
        return "nothing tells the customer's address", ()
    shown = "".join(f": '{text}'" for text in texts)
    return f"what stands in place of the customer's address is none{shown}", tuple(places)


def _as_utf8(text: str) -> str:
    """Text whose characters are the bytes of a log, as it was meant."""
    return text.encode("latin-1").decode("utf-8", "backslashreplace") if max(text) <= "\xff" else text
