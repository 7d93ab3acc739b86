"""Manifest plus settings give the Plan: what would happen to each account, or why it is blocked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from laerecover.credentials import changes_of
from laerecover.hosts.identity import restored_introducer, restored_storage, unfit, unfit_store
from laerecover.mail.letters import audience, grade_means
from laerecover.mail.outbox import CONFIRMATION
from laerecover.manifest import GRADES, Account, Manifest
from laerecover.planning.costs import Costs
from laerecover.planning.forecast import Forecast
from laerecover.ports.endpoints import region_of
from laerecover.ports.own_side import Seen
from laerecover.shared_buckets import REMEDY, SHARED_BUCKET

if TYPE_CHECKING:
    from laerecover.settings import Settings

RECOVER, BLOCKED, LEFT_OUT = "recover", "blocked", "left out"
UNREACHABLE = "DATA_UNREACHABLE"
UNFIT = "UNFIT"
WAITS = "waits for better evidence"
NEVER_ACCEPTED = (UNREACHABLE, "BUCKET_SERVED", "recovered_before", UNFIT, SHARED_BUCKET, WAITS)
"""With these words begins why an account is blocked whatever anybody accepts."""
_NO_IMAGE = {
    True: "no image or size is known: add its product to the config, or ec2.image and ec2.size to the settings",
    False: "no image or size is known so far: the settings are not whole, the notes say what is missing",
}
_NOT_PROVED = {"STATED": "is not vouched for", "BROKEN": "is damaged"}
_NAMED = 3  # so many accounts are named in a note
_UNFIT = (
    "cannot be read, or holds what no such value can: take another from other evidence (laeforensics), "
    "or plan with --new-identity in another state folder"
)
_UNFIT_STORE = (
    "holds a line break, a control or invisible character, or a space at an end: take another from other evidence "
    "(laeforensics), or name the right one in files.credentials"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAccount:
    """One account: what will be done, or why not. No secret."""

    account_id: str
    customer: str
    action: str
    why: str
    guarded: bool
    grade: str | None
    price: str
    server: str
    image: str | None
    size: str | None
    restores: tuple[str, ...]
    mail: str


def can_accept(guarded: bool, why: str) -> bool:
    """Whether an account that is blocked so is let through by `--accept`."""
    return guarded and not why.startswith(NEVER_ACCEPTED)


def not_planned(account_id: str) -> PlannedAccount:
    """An account that was begun, but stands in the manifest no more."""
    return PlannedAccount(
        account_id=account_id,
        customer="(not in the manifest)",
        action=BLOCKED,
        why="it is not in the manifest any more",
        guarded=False,
        grade=None,
        price="",
        server="UNKNOWN",
        image=None,
        size=None,
        restores=(),
        mail="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All accounts of the manifest, in its order. `digest` names exactly this plan."""

    mode: str
    manifest_digest: str
    concurrency: int
    accounts: tuple[PlannedAccount, ...]
    notes: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    """Ids of those to recover that are not yet, in the order in which they start."""
    first: str = ""
    """The canary: the one of them that goes through to its end before the others start; "" if none does."""
    forecast: Forecast = field(default_factory=Forecast)
    """How long one account takes."""
    costs: Costs | None = None
    """None where no price is set."""
    changed: tuple[tuple[str, str], ...] = ()
    """Account, and what a human says of its credentials: whoever approves a plan approves where it leads."""
    min_grade: str = ""
    """Accounts of a lesser grade wait; "" if none does for that."""
    missing: tuple[str, ...] = ()
    """What is missing in the settings, each with its place: a run would be refused."""
    own_side: tuple[Seen, ...] = ()
    """What was found on the operator's side; empty if nobody looked."""

    @property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Who starts together: the canary alone, then as many as work at a time. Who ends makes room for the next."""
        others, alone = [each for each in self.starts if each != self.first], (self.first,)
        together = (tuple(others[at : at + self.concurrency]) for at in range(0, len(others), self.concurrency))
        return (*[alone] * bool(self.first), *together)

    @property
    def recover(self) -> tuple[PlannedAccount, ...]:
        """Those that will be recovered."""
        return tuple(a for a in self.accounts if a.action == RECOVER)

    @property
    def blocked(self) -> tuple[PlannedAccount, ...]:
        """Those that will not, though nobody left them out."""
        return tuple(a for a in self.accounts if a.action == BLOCKED)

    @property
    def seconds(self) -> float:
        """About how long all of them will take; `forecast.seconds` is what one account takes."""
        return self.seconds_of(len(self.recover))

    def seconds_of(self, accounts: int) -> float:
        """About how long so many of its accounts take, the canary alone before the others."""
        alone = min(accounts, bool(self.first))
        return (alone + math.ceil((accounts - alone) / self.concurrency)) * self.forecast.seconds

    @property
    def digest(self) -> str:
        """SHA-256 of what would be done to each account, whichever of them are selected now."""
        names = ("account_id", "grade", "image", "size", "restores", "mail")
        rows = [[getattr(a, name) for name in names] for a in self.accounts]
        told = [self.manifest_digest, rows, *([self.changed] if self.changed else [])]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def body(self) -> dict[str, object]:
        """As JSON values."""
        told = {name: value for name, value in asdict(self).items() if name not in ("starts", "changed", "min_grade")}
        told |= {"waves": self.waves, "digest": self.digest, "seconds": self.seconds}
        return told | {"instances": len(self.recover)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan depends on, beside manifest and settings.

    `mode`: `run` or `drill`, where the old servers are gone: that is the disaster which is rehearsed; `selected`: ids
    of accounts; `accepted`: those of whom a human said that their old servers do no harm; `inventory`: account -> GONE,
    RUNNING or UNKNOWN, as the cloud said, None if it was not asked; `obstacles`: account -> what the check found
    against it (see NEVER_ACCEPTED); `is_whole`: whether nothing is missing in the settings.
    """

    mode: str
    selected: frozenset[str]
    concurrency: int
    accepted: frozenset[str] = frozenset()
    inventory: Mapping[str, str] | None = None
    obstacles: Mapping[str, str] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)
    region: str = ""
    """Which was asked about the old servers; "" if none was."""
    is_whole: bool = True
    min_grade: str = ""

    def server_of(self, account: Account) -> str:
        """What is known of the account's old server."""
        return "GONE" if self.mode == "drill" else (self.inventory or {}).get(account.account_id, account.server)


def make_plan(manifest: Manifest, settings: Settings, given: Circumstances) -> Plan:
    """What would happen to each account. Pure."""
    rows = []
    for account in manifest.accounts:
        server, barred = given.server_of(account), given.obstacles.get(account.account_id)
        image, size = settings.image_of(account), settings.size_of(account)
        action, why, guarded = _decide(account, given, manifest.shared)
        if action == RECOVER and given.mode == "run" and (image is None or size is None):
            action, why = BLOCKED, _NO_IMAGE[given.is_whole]
        elif action == RECOVER and barred is not None:
            action, why, guarded = BLOCKED, barred, True
        rows.append(
            PlannedAccount(
                account_id=account.account_id,
                customer=account.customer_email or account.customer_name or "(unknown)",
                action=action,
                why=why,
                guarded=guarded,
                grade=account.grade,
                price=grade_means(account),
                server=server,
                image=image,
                size=size,
                restores=_restores(account),
                mail=_mail(account),
            )
        )
    return Plan(
        mode=given.mode,
        manifest_digest=manifest.digest,
        concurrency=given.concurrency,
        accounts=tuple(rows),
        forecast=given.forecast,
        min_grade=given.min_grade,
        changed=tuple((a.account_id, said) for a in manifest.accounts for said in changes_of(a)),
    )


def order_of(grade: str | None) -> int:
    """The place of a grade, the best one first."""
    return GRADES.index(grade) if grade in GRADES else len(GRADES)


def lacks(account: Account) -> str:
    """What would better the account's grade, and why it does not; "" where nothing could."""
    nodes = (
        ("the storage node's node.pem", account.storage_identity),
        ("the introducer's node.pem with its furl", account.introducer_identity),
    )
    lacking = [f"{what} {_NOT_PROVED.get(known or '', 'is not known')}" for what, known in nodes if known != "PROVED"]
    if account.grade == GRADES[0]:
        return ""
    return " and ".join(lacking) or "nothing certifies a furl of the introducer's key"


def missing_evidence(accounts: Sequence[Account]) -> Iterator[str]:
    """Whom evidence that may still come would spare something: for each grade and reason who they are, and the way."""
    alike: dict[tuple[str, str], list[str]] = {}
    for account in accounts:
        if (why := lacks(account)) and not account.finishes_signup:
            alike.setdefault((account.grade or "", why), []).append(account.account_id)
    for (grade, why), names in alike.items():
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        yield (
            f"{grade}, for {why}: {shown}. If a secrets file, or a copy of such a server's disk, is still expected, "
            "audit it first: once they are recovered it comes too late; `--min-grade` lets them wait"
        )


def _decide(account: Account, given: Circumstances, shared: Mapping[str, str]) -> tuple[str, str, bool]:
    server, accepted = given.server_of(account), account.account_id in given.accepted
    if account.verdict != "RECOVERABLE":
        named = dict.fromkeys((*account.blocking, *(f"missing:{name}" for name in account.missing)))
        reasons = f": {', '.join(named)}" if named else ""
        return BLOCKED, f"the verdict is {account.verdict}{reasons}", False
    if account.account_id not in given.selected:
        return LEFT_OUT, "not selected", False
    if given.min_grade and order_of(account.grade) > order_of(given.min_grade):
        why = f"{WAITS}: --min-grade is {given.min_grade}, its grade {account.grade}, for {lacks(account)}"
        return BLOCKED, why, True
    if account.account_id in shared:
        return BLOCKED, f"{SHARED_BUCKET}: {shared[account.account_id]}; {REMEDY}", True
    if wrong := unfit(account):
        return BLOCKED, f"{UNFIT}: its {wrong} {_UNFIT}", True
    if wrong := unfit_store(account):
        return BLOCKED, f"{UNFIT}: its {wrong} {_UNFIT_STORE}", True
    if server == "GONE" or accepted:
        return RECOVER, "accepted by a human" if server != "GONE" else "", False
    if server == "RUNNING":
        return BLOCKED, "its old server still runs: two servers on one bucket would be worse than none", True
    if given.inventory is not None:
        return BLOCKED, f"nobody knows whether its old server still runs{_unasked(account, given)}", True
    return RECOVER, "`run` asks EC2 whether its old server is gone", False


def _unasked(account: Account, given: Circumstances) -> str:
    """Why EC2's answer says nothing of the account's old server; "" if it was not asked about it."""
    ran = region_of(account.old_private_host)
    if account.old_instance_id is None or not given.region or ran == given.region:
        return ""
    where = f"ran in {ran}" if ran else "ran in a region that the evidence does not tell"
    return f": it {where}, and {given.region} was asked; look there, then `--accept` it"


def _restores(account: Account) -> tuple[str, ...]:
    if unfit(account):
        return ()
    pem, furl = restored_introducer(account)
    storage, _ = restored_storage(account)
    names = (("introducer key", pem), ("introducer furl", furl), ("storage key", storage))
    return tuple(name for name, secret in names if secret is not None)


def _mail(account: Account) -> str:
    kind, reason = audience(account)
    return f"to {account.customer_email}" if kind == CONFIRMATION else f"to the staff: {reason}"
