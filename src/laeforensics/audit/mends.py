"""What evidence would mend an account: the smallest set for each, ranked by how many accounts it would unlock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import rules
from laeforensics.audit.gaps import Kind
from laeforensics.evidence.names import stem
from laeforensics.facts.buckets import product_code_of
from laeforensics.facts.findings import Finding

WORD = "the customer's word that the signup should be finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One piece of evidence (or one decision): what it would give, to which accounts."""

    evidence: str
    effect: str
    """`unlocks` accounts that cannot be recovered without it, `betters` the grade of accounts that can, or `completes`
    what is known of them."""
    fields: tuple[str, ...]
    accounts: tuple[str, ...]


def shopping_list(accounts: Iterable[CaseAccount]) -> list[Mend]:
    """Missing evidence, most useful first."""
    wanted: dict[tuple[str, str], tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for account in accounts:
        for evidence, effect, fields in mends(account):
            names, ids = wanted[evidence, effect]
            names.update(fields)
            ids.add(account.account_id)
    found = [
        Mend(evidence=evidence, effect=effect, fields=tuple(sorted(names)), accounts=tuple(sorted(ids)))
        for (evidence, effect), (names, ids) in wanted.items()
    ]
    return most_useful_first(found)


def most_useful_first(found: Iterable[Mend]) -> list[Mend]:
    """What unlocks before what betters, then by the number of accounts."""
    return sorted(found, key=lambda m: (m.effect != "unlocks", -len(m.accounts), m.evidence))


def of_missing_kinds(kinds: Iterable[Kind], accounts: Sequence[CaseAccount]) -> list[Mend]:
    """The kinds of evidence that are missing wholly, with the accounts of which they would tell more."""
    found = []
    for kind in kinds:
        open_to = {a.account_id: [n for n in kind.fields if n not in a.values] for a in accounts if not a.is_attempt}
        fields = tuple(name for name in kind.fields if any(name in lacking for lacking in open_to.values()))
        ids = tuple(sorted(account for account, lacking in open_to.items() if lacking))
        if ids:
            found.append(Mend(evidence=kind.name, effect="completes", fields=fields, accounts=ids))
    return found


def of_lost_accounts(findings: Iterable[Finding]) -> list[Mend]:
    """Signups that are told as finished, of which no bucket is known.

    Their log or their secrets file would bring them back.
    """
    return [
        Mend(
            evidence=f"the log or secrets file of {f.message.split(', but')[0].partition(' signup of ')[2]}",
            effect="unlocks",
            fields=("bucket_name",),
            accounts=(f"{f.signup}",),
        )
        for f in findings
        if f.code == "account-without-evidence"
    ]


def mends(account: CaseAccount) -> list[tuple[str, str, tuple[str, ...]]]:
    """The smallest set of evidence that would make the account recoverable, or better its grade."""
    if account.is_attempt:
        return []
    name = _run_name(account)
    verdict = rules.verdict(account).name
    if verdict == rules.CLOSED:
        return []
    if verdict == rules.UNFINISHED:
        return [(WORD, "unlocks", ())]
    if verdict == rules.CONTESTED:
        return [(f"a decision on {field}", "unlocks", (field,)) for field in sorted(account.contested)]
    if account.unread:
        return [(f"{file}, in a form that can be read", "unlocks", account.missing) for file in account.unread]
    if verdict == rules.INCOMPLETE:
        code = product_code_of(account.account_id)
        if account.missing == ("product_token",) and code:
            return [(f"the product {code} in lae_automation_config.json", "unlocks", account.missing)]
        return [(f"secrets/{name}", "unlocks", account.missing)]
    return _better_grade(account, name)


def _better_grade(account: CaseAccount, name: str) -> list[tuple[str, str, tuple[str, ...]]]:
    grade = rules.grade(account)
    if grade is None or grade is rules.GRADES[0] or account.finishes_signup:
        return []
    fields = []
    if account.introducer_identity != "PROVED":
        fields.append("introducer_node_pem")
    elif not account.furl_fits:
        fields.append("introducer_furl")
    if account.storage_identity != "PROVED":
        fields += ["server_node_pem", "server_nodeid"]
    if account.signups and all(s.log is not None and s.log.dialect in ("x00", "d01") for s in account.signups):
        # The oldest programs wrote no secrets file: only a re-record or the server's disk has the keys.
        return [("a re-record log, or node.pem from the server's disk", "betters", tuple(fields))]
    return [(f"secrets/{name}", "betters", tuple(fields))]


def _run_name(account: CaseAccount) -> str:
    if account.origin is not None:
        return stem(account.origin.name).removeprefix("secrets/")
    return next((stem(s.name) for s in account.signups), account.account_id)
