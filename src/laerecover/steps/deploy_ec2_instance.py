"""deploy_EC2_instance: one instance for the account, however often it is asked for."""

from __future__ import annotations

import hashlib

from laerecover.hostkeys import derive_host_key
from laerecover.ports import Instance, LaunchRequest
from laerecover.steps.work import StepFailed, Values, Work

_WITHIN = 300.0


def client_token(recovery_id: str, account_id: str, generation: int) -> str:
    """64 characters that name this launch and no other; two state folders of one manifest share it."""
    return hashlib.sha256("\0".join([recovery_id, account_id, str(generation)]).encode()).hexdigest()


def tags_of(recovery_id: str, account_id: str) -> dict[str, str]:
    """The tags by which an account's instances are found again."""
    return {"lae-recovery": recovery_id, "lae-account": account_id}


def deploy_ec2_instance(work: Work) -> Values:
    """Launch, or find by its tags, the account's one living instance.

    Values: instance_id, launch_time, generation, client_token, host_key (public half).
    Fails: `no_image`, `doubled` (two living instances), `max_instances`, what EC2 refuses.
    """
    account = work.account
    tags = tags_of(work.recovery_id, account.account_id)
    generation = 1

    def probe() -> Instance | None:
        nonlocal generation
        found = work.world.compute.find(tags)
        alive = [instance for instance in found if not instance.dead]
        if len(alive) > 1:
            ids = ", ".join(sorted(instance.instance_id for instance in alive))
            raise StepFailed(f"the account has more than one living instance: {ids}; end all but one", kind="doubled")
        generation = 1 + len(found) - len(alive)
        return alive[0] if alive else None

    def act() -> Instance:
        work.permit_launch(client_token(work.recovery_id, account.account_id, generation))
        return work.world.compute.launch(_request(work, tags, generation))

    instance = work.ensure(probe, act, within=_WITHIN, what="launch")
    launched = int(instance.tags.get("lae-generation", generation))
    token = client_token(work.recovery_id, account.account_id, launched)
    return {
        "instance_id": instance.instance_id,
        "launch_time": instance.launch_time,
        "generation": launched,
        "client_token": token,
        "host_key": derive_host_key(work.vault, token).public,
    }


def _request(work: Work, tags: dict[str, str], generation: int) -> LaunchRequest:
    image, size = work.settings.image_of(work.account), work.settings.size_of(work.account)
    if image is None or size is None:
        raise StepFailed(
            "no image or no size is known for this account; add its product to the config, or ec2.image and ec2.size to the settings",
            kind="no_image",
        )
    token = client_token(work.recovery_id, work.account.account_id, generation)
    return LaunchRequest(
        client_token=token,
        tags={**tags, "lae-mode": work.mode, "lae-generation": str(generation)},
        ami_image_id=image,
        instance_size=size,
        admin_keypair_name=work.settings.admin_keypair_name,
        security_group=work.settings.security_group,
        subnet=work.settings.subnet,
        user_data=derive_host_key(work.vault, token).user_data,
    )
