"""deploy_EC2_instance: one instance for the account, however often it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from laerecover.errors import StepFailed
from laerecover.hosts.host_keys import derive_host_key
from laerecover.instances.offers import offers
from laerecover.instances.rebuilt import REBUILT, described, to_accept
from laerecover.instances.tags import (
    RECOVERED_BEFORE,
    client_token,
    generation_of,
    of_another_recovery,
    tags_of,
    token_of,
)
from laerecover.manifest import Secret
from laerecover.ports.compute import FORBIDDEN, MAY, Compute, Instance, LaunchRequest
from laerecover.ports.refusals import Refusal, Transient
from laerecover.runbook.values import CAPACITY, Deployed
from laerecover.runbook.work import Work

_WITHIN = 300.0
_BY_SOMEBODY = ("Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown")


def deploy_ec2_instance(work: Work) -> Deployed:
    """Launch, or find by its tags, the account's one living instance.

    `work.attempt` says which offer: the ledger knows that the one before found no capacity, so no resumed run goes
    back. Fails: `no_image`, `doubled` (two living
    instances), `recovered_before` (one of another recovery), `rebuilt` (somebody made one meanwhile), `max_instances`,
    `capacity` (another attempt is left), `dies_alike` (its last two predecessors ended for one reason),
    `no_capacity`, `quota`, what else EC2 refuses.
    """
    compute, tags = work.world.compute, tags_of(work.recovery_id, work.account.account_id)
    account = {"lae-account": work.account.account_id}
    former: list[Instance] = []
    spent = 0

    def probe() -> Instance | None:
        # By the account alone: one of another recovery (a mended manifest, a fresh state folder) would be a second
        # server.
        ours = [i for i in compute.find(account) if i.tags.get("lae-mode", work.mode) == work.mode]
        found = [i for i in ours if i.tags.get("lae-recovery") == work.recovery_id]
        for other in ours:
            if other not in found and not other.dead:
                raise StepFailed("; ".join(of_another_recovery(other)), kind=RECOVERED_BEFORE)
        former[:] = [instance for instance in found if instance.state == "terminated"]
        living = [instance for instance in found if not instance.dead]
        if len(living) > 1:
            ids = ", ".join(sorted(instance.instance_id for instance in living))
            raise StepFailed(f"the account has more than one living instance: {ids}; end all but one", kind="doubled")
        if len(former) + len(living) < len(found):
            raise Transient("its former instance is still shutting down")
        return living[0] if living else None

    def act() -> Instance:
        nonlocal spent
        generation = 1 + max([spent, *map(generation_of, former)])
        request, former_user_data = _request(work, tags, generation)
        _not_again(former, request)
        for others in work.rebuilt.found([work.account], compute).values():
            raise StepFailed(f"{described(others)}; {to_accept(others)}", kind=REBUILT)
        work.permit_launch(request.client_token)
        try:
            return _launch(compute, request, former_user_data)
        except Refusal as error:
            if error.kind == "token_spent":
                # EC2 forgets the dead after an hour, but not their tokens.
                spent = generation
                return act()
            raise _explained(work, error) from None

    instance = work.ensure(probe, act, within=_WITHIN, what="launch")
    token = token_of(instance)
    attempt = int(instance.tags.get("lae-attempt", 1))
    chosen = offers(work.settings, work.account)[attempt - 1 : attempt]
    return Deployed(
        instance_id=instance.instance_id,
        launch_time=instance.launch_time,
        generation=generation_of(instance),
        attempt=attempt,
        size=chosen[0].instance_size if chosen else None,
        zone=chosen[0].zone if chosen else None,
        subnet=chosen[0].subnet if chosen else None,
        former=sorted(each.instance_id for each in former),
        client_token=token,
        host_key=derive_host_key(work.vault, token, "final").public,
        boot_host_key=derive_host_key(work.vault, token, "boot").public,
    )


def _not_again(former: Sequence[Instance], request: LaunchRequest) -> None:
    """What ended two instances of this image and size would end the third; what somebody has ended does not count."""
    last = sorted(former, key=generation_of)[-2:]
    reasons = {each.reason.partition(":")[0] for each in last}
    alike = len(last) == 2 and len(reasons) == 1 and not reasons & {"", *_BY_SOMEBODY}
    if alike and all((each.image, each.size) == (request.ami_image_id, request.instance_size) for each in last):
        ids = " and ".join(each.instance_id for each in last)
        raise StepFailed(
            f"{ids} ended for one reason, {last[-1].reason}: a third would, too; mend that, or name another image or "
            "type in the settings. EC2 forgets the two an hour after their end; then run again",
            kind="dies_alike",
        )


def _launch(compute: Compute, request: LaunchRequest, former_user_data: Secret) -> Instance:
    """A launch that an older version began is that launch only with the user data which that version sent."""
    try:
        return compute.launch(request)
    except Refusal as error:
        if error.kind != "idempotent_mismatch":
            raise
        return compute.launch(replace(request, user_data=former_user_data))


def _request(work: Work, tags: Mapping[str, str], generation: int) -> tuple[LaunchRequest, Secret]:
    """The launch, and what an older version sent as its user data."""
    wanted = offers(work.settings, work.account)
    attempt = min(work.attempt, len(wanted))
    offer = wanted[attempt - 1]
    token = client_token(work.recovery_id, work.account.account_id, generation, attempt, mode=work.mode)
    numbers = {"lae-mode": work.mode, "lae-generation": str(generation), "lae-attempt": str(attempt)}
    boot = derive_host_key(work.vault, token, "boot")
    tags = {**offer.tags, **tags, **numbers}
    return replace(offer, client_token=token, tags=tags, user_data=boot.user_data), boot.former_user_data


def _explained(work: Work, error: Refusal) -> Exception:
    """What EC2's refusal means for this account."""
    if error.kind == "idempotent_mismatch":
        # It is there, launched with other settings: its tags will show it.
        return Transient(f"an instance with this client token exists: {error}")
    if error.kind == CAPACITY and work.attempt >= len(offers(work.settings, work.account)):
        return Refusal(f"{error}; name other zones or types in ec2.fallbacks, and run again", kind="no_capacity")
    if error.kind == "quota":
        found = work.world.compute.find({"lae-recovery": work.recovery_id})
        living = sum(1 for instance in found if not instance.dead)
        return Refusal(
            f"{error}; {living} instances of this recovery fit; raise the quota and run again, what is done stays",
            kind="quota",
        )
    if error.code == FORBIDDEN:
        return Refusal(f"{error}; nothing was launched: {MAY}; then run again", kind=error.kind, code=error.code)
    return error
