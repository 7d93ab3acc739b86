"""What stands in the way of a recovery, found by read-only questions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from laerecover.errors import StepFailed
from laerecover.hosts.recipes.named import recipe_named
from laerecover.instances.offers import offers
from laerecover.instances.rebuilt import REBUILT, Rebuilt, described, to_accept
from laerecover.instances.tags import RECOVERED_BEFORE, of_another_recovery
from laerecover.mail.addresses import is_international
from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION
from laerecover.manifest import Account
from laerecover.planning.buckets import AS_THEY_LIE, BucketCheck, in_buckets
from laerecover.planning.kept_out import kept_out
from laerecover.planning.obstacles import Obstacle
from laerecover.ports.compute import RECOVERED_TAG, Compute, Instance, LaunchRequest
from laerecover.ports.endpoints import region_of
from laerecover.ports.own_side import ASCII_MAIL, CLOCK, CLOUD_KEY, Seen
from laerecover.ports.refusals import Transient, WorldError
from laerecover.ports.world import World

if TYPE_CHECKING:
    from laerecover.settings import Settings

_TAGS = {"lae-mode": "check"}
_RAISE = (
    "console, Service Quotas, Amazon EC2, `Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances` "
    "(L-1216C47A), region {}; as its reason: `Disaster recovery of our customers' servers: {} more {} are needed now, "
    "for good, each with a public address`"
)
OTHER_STATE = "other state"
_ADOPT = "if a state folder was lost, `laerecover adopt` makes it anew; if another operator is at work, let them be"
_TOLD = f"{_ADOPT}. The customer may have been told: here the mail is in doubt, and not sent unless somebody decides"
_UNTOLD = f"{_ADOPT}. A run goes on with that instance"
_NAMED = 3
_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccounts:
    """What is known of the manifest's accounts beside those that are asked about.

    `everyone`: all of them, to tell whose a server is; `recovered`: those of them whom others' servers are told of,
    too; `decided`: account -> ids of instances that a human has accepted; `begun`: those that this state has begun.
    """

    everyone: Sequence[Account] = ()
    recovered: Sequence[Account] = ()
    decided: Mapping[str, frozenset[str]] = field(default_factory=dict)
    begun: Collection[str] = ()


NO_OTHERS = KnownAccounts()
"""Only those that are asked about are known."""


def check(
    accounts: Sequence[Account],
    settings: Settings,
    world: World,
    *,
    recovery_id: str,
    known: KnownAccounts = NO_OTHERS,
    buckets: BucketCheck = AS_THEY_LIE,
    own: Sequence[Seen] = (),
) -> list[Obstacle]:
    """Ask the cloud and every bucket whether these accounts could be launched; changes nothing.

    Whether their old servers are gone is `old_servers`. `own`: what was found on the operator's side; with a wrong
    clock or key no answer would mean anything, so nobody is asked.
    """
    recipe, lost = recipe_named(settings.recipe.name), []
    ours = [*own_obstacles(own), *_not_mailed(accounts, own)]
    if unanswered(own):
        return ours
    if world.store is not None:
        lost = in_buckets(accounts, world.store, recipe, buckets)
    without = {obstacle.account_id for obstacle in lost}
    served = [account for account in accounts if account.account_id not in without]
    try:
        found = [*_whose(settings, world.compute), *_lacking(served, settings, world.compute)]
        requests = {request.subnet: request for account in served for request in _offers(account, settings)}
        kept = (
            each
            for request in requests.values()
            for each in kept_out(request, settings.ec2.customers_from, world.compute)
        )
        found += dict.fromkeys(kept)
        living = [i for i in world.compute.find({"lae-mode": "run"}) if not i.dead]
        elsewhere = [
            *_rebuilt(accounts, known, world.compute),
            *_recovered_before(accounts, living, recovery_id),
            *_of_another_state(known, living, recovery_id),
        ]
        without |= {obstacle.account_id for obstacle in elsewhere}
        found += _quota([a for a in served if a.account_id not in without], settings, world.compute, living)
        found += elsewhere
    except WorldError as error:
        found = [_unasked(error)]
    return ours + found + lost


def own_obstacles(own: Sequence[Seen]) -> list[Obstacle]:
    """Those on the operator's side."""
    return [
        Obstacle(what=each.what, message=f"{each.where}: {each.said}", remedy=each.remedy, blocks=each.blocks)
        for each in own
        if each.remedy
    ]


def _not_mailed(accounts: Sequence[Account], own: Sequence[Seen]) -> Iterator[Obstacle]:
    """Customers whom this mail server cannot reach: told before anything is launched, in nobody's way."""
    for account in accounts if any(each.what == ASCII_MAIL for each in own) else ():
        email = account.customer_email or ""
        if audience(account)[0] == CONFIRMATION and is_international(email):
            message = f"{account.account_id}: the mail server offers no SMTPUTF8, so no mail reaches {email}"
            remedy = "name another in [mail], or tell this customer by hand once the server is recovered"
            yield Obstacle(what=ASCII_MAIL, message=message, remedy=remedy, blocks=False)


def unanswered(own: Sequence[Seen]) -> list[Obstacle]:
    """Those for which no answer of the cloud would mean anything."""
    return [each for each in own_obstacles(own) if each.blocks and each.what in (CLOCK, CLOUD_KEY)]


def old_servers(accounts: Sequence[Account], compute: Compute, *, region: str) -> dict[str, str]:
    """Account -> GONE, RUNNING or UNKNOWN, from one complete answer about all old instances. Raises WorldError.

    A stopped instance counts as running: anybody may start it again. Of a server whose private name does not tell the
    `region` that is asked nothing is known unless it is there: everything is gone where it never was.
    """
    ids = {
        a.account_id: {i for i in (a.old_instance_id, *a.former_instance_ids) if _INSTANCE_ID.fullmatch(i)}
        for a in accounts
        if a.old_instance_id and _INSTANCE_ID.fullmatch(a.old_instance_id)
    }
    known = compute.known(sorted(set().union(*ids.values())))
    living = {instance_id for instance_id, instance in known.items() if not instance.dead}

    def answer(account: Account) -> str:
        if account.account_id in ids:
            here = region_of(account.old_private_host) == region
            return "RUNNING" if ids[account.account_id] & living else "GONE" if here else "UNKNOWN"
        return account.server if account.old_instance_id is None else "UNKNOWN"

    return {account.account_id: answer(account) for account in accounts}


def _whose(settings: Settings, compute: Compute) -> Iterator[Obstacle]:
    account = compute.identity()
    if settings.ec2.account is None:
        remedy = "compare, and set ec2.account in the settings; then a wrong account is refused"
        yield Obstacle(what="identity", message=f"these are keys of account {account}", remedy=remedy, blocks=False)
    elif settings.ec2.account != account:
        message = f"these are keys of account {account}, not of {settings.ec2.account}"
        yield Obstacle(what="identity", message=message, remedy="name the right config and ec2secret in the settings")


def _lacking(accounts: Sequence[Account], settings: Settings, compute: Compute) -> Iterator[Obstacle]:
    """Each different launch is tried once, fallbacks too; what several lack is said once."""
    wanted = (request for account in accounts for request in _offers(account, settings))
    different = {(r.ami_image_id, r.instance_size, r.subnet, r.zone): r for r in wanted}
    lacks = (lack for r in different.values() for lack in compute.lacks(replace(r, tags=_TAGS)))
    for lack in dict.fromkeys(lacks):
        yield Obstacle(what=lack.what, message=lack.message, remedy=lack.remedy)


def _rebuilt(accounts: Sequence[Account], known: KnownAccounts, compute: Compute) -> Iterator[Obstacle]:
    rebuilt = Rebuilt(everyone=known.everyone, decided=known.decided)
    todo = {account.account_id for account in accounts}
    for account_id, instances in rebuilt.found([*accounts, *known.recovered], compute).items():
        message, remedy = described(instances), to_accept(instances)
        ids = tuple(i.instance_id for i in instances)
        if account_id in todo:
            yield Obstacle(what=REBUILT, message=message, remedy=remedy, account_id=account_id, instances=ids)
        else:
            message = f"{account_id} is recovered, and {message}"
            yield Obstacle(what=REBUILT, message=message, remedy=remedy, instances=ids, blocks=False)


def _recovered_before(accounts: Sequence[Account], living: Sequence[Instance], recovery_id: str) -> Iterator[Obstacle]:
    """Two servers on one bucket would be worse than none, whichever state folder or manifest made the first."""
    known = {account.account_id for account in accounts}
    for instance in living:
        account_id = instance.tags.get("lae-account")
        if account_id in known and instance.tags.get("lae-recovery") != recovery_id:
            message, remedy = of_another_recovery(instance)
            yield Obstacle(what=RECOVERED_BEFORE, message=message, remedy=remedy, account_id=account_id)


def _of_another_state(known: KnownAccounts, living: Sequence[Instance], recovery_id: str) -> Iterator[Obstacle]:
    """Instances of this very recovery, whose state folder was lost or is another operator's: in nobody's way."""
    unknown = {account.account_id for account in known.everyone}.difference(known.begun)
    ours = [i for i in living if i.tags.get("lae-recovery") == recovery_id and i.tags.get("lae-account") in unknown]
    for tagged, how, then in ((True, "recovered", _TOLD), (False, "not recovered yet", _UNTOLD)):
        alike = [i for i in ours if (RECOVERED_TAG in i.tags) == tagged]
        if alike:
            named = ", ".join(f"{i.instance_id} of {i.tags['lae-account']}" for i in alike[:_NAMED])
            more = f" and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
            message = f"{named}{more}: of this recovery, alive and {how}, though this state knows nothing of it"
            ids = tuple(i.instance_id for i in alike)
            yield Obstacle(what=OTHER_STATE, message=message, remedy=then, instances=ids, blocks=False)


def _quota(
    accounts: Sequence[Account], settings: Settings, compute: Compute, living: Sequence[Instance]
) -> Iterator[Obstacle]:
    there = {i.tags.get("lae-account") for i in living}
    firsts = [each for a in accounts if a.account_id not in there for each in _offers(a, settings)[:1]]
    for size, wanted in sorted(Counter(each.instance_size for each in firsts).items()):
        room = compute.room(size)
        if room is not None and room < wanted:
            message = f"{wanted} instances of {size} are wanted, the quota of vCPUs leaves room for {room}"
            by = _RAISE.format(settings.ec2.region, wanted - room, size)
            remedy = f"begin with --first {room}, or raise the quota: {by}"
            yield Obstacle(what="quota", message=message, remedy=remedy, blocks=room == 0)


def _offers(account: Account, settings: Settings) -> Sequence[LaunchRequest]:
    try:
        return offers(settings, account)
    except StepFailed:
        return []


def _unasked(error: WorldError) -> Obstacle:
    remedy = (
        "mend the connection and run again" if isinstance(error, Transient) else "mend the keys in config and ec2secret"
    )
    return Obstacle(what="cloud", message=str(error), remedy=f"{remedy}; nothing was started")
