"""What is asked of EC2 for an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from laerecover.errors import StepFailed
from laerecover.manifest import Account
from laerecover.ports.compute import LaunchRequest

if TYPE_CHECKING:
    from laerecover.sections import Fallback
    from laerecover.settings import Settings


def offers(settings: Settings, account: Account) -> Sequence[LaunchRequest]:
    """What to ask for, in this order, as far as settings and account say: the next where there was no capacity.

    Raises StepFailed (`no_image`).
    """
    image, size = settings.image_of(account), settings.size_of(account)
    if image is None or size is None:
        raise StepFailed(
            "no image or no size is known for this account; add its product to the config, or ec2.image and ec2.size "
            "to the settings",
            kind="no_image",
        )
    first = LaunchRequest(
        client_token="",
        tags={"Name": account.instance_name} if settings.ec2.name_tag == "email" and account.instance_name else {},
        ami_image_id=image,
        instance_size=size,
        admin_keypair_name=settings.config.admin_keypair_name,
        security_group=settings.ec2.security_group,
        subnet=settings.ec2.subnet,
    )
    return [first, *(_elsewhere(first, row) for row in settings.ec2.fallbacks)]


def _elsewhere(first: LaunchRequest, row: Fallback) -> LaunchRequest:
    size, subnet = row.size or first.instance_size, row.subnet or first.subnet
    return replace(first, instance_size=size, subnet=subnet, zone=row.zone)
