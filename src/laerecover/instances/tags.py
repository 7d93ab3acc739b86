"""The tags by which instances tell whose they are, among them the client tokens of their launches."""

from __future__ import annotations

import hashlib
import json
import threading

from laerecover.ports.compute import RECOVERED_TAG, Instance
from laerecover.ports.refusals import WorldError
from laerecover.ports.world import World
from laerecover.state.state import State
from laerecover.text import shell_word
from laerecover.writing import write_atomically


def client_token(recovery_id: str, account_id: str, generation: int, attempt: int = 1, *, mode: str = "run") -> str:
    """64 characters that name this launch and no other; two state folders of one manifest share it, drill and run do
    not.
    """
    named = [recovery_id, account_id, str(generation), str(attempt), *([] if mode == "run" else [mode])]
    return hashlib.sha256("\0".join(named).encode()).hexdigest()


def token_of(instance: Instance) -> str:
    """The client token that the instance was launched with, as its tags tell."""
    tags = instance.tags
    recovery_id, account_id = tags.get("lae-recovery", ""), tags.get("lae-account", instance.instance_id)
    attempt, mode = int(tags.get("lae-attempt", 1)), tags.get("lae-mode", "run")
    return client_token(recovery_id, account_id, generation_of(instance), attempt, mode=mode)


def generation_of(instance: Instance) -> int:
    """1 for the account's first instance, 2 for the one after its death, and so on."""
    return int(instance.tags.get("lae-generation", 1))


def tags_of(recovery_id: str, account_id: str) -> dict[str, str]:
    """The tags by which an account's instances are found again."""
    return {"lae-recovery": recovery_id, "lae-account": account_id}


RECOVERED_BEFORE = "recovered_before"


def of_another_recovery(instance: Instance) -> tuple[str, str]:
    """Of a living instance that another recovery launched for the account: what it means, and what to do."""
    recovery_id = instance.tags.get("lae-recovery", "(unknown)")
    return (
        f"{instance.instance_id} ({instance.state}) of the recovery {recovery_id} serves it already",
        f"go on with that recovery: `laerecover adopt MANIFEST --recovery {shell_word(recovery_id)} --state "
        f"NEW_FOLDER`, then run there; or end {instance.instance_id} if it is not wanted",
    )


_ONE_WRITER = threading.Lock()


def mark_recovered(state: State, world: World, account_id: str, instance_id: str) -> None:
    """Tell other state folders, by a tag, that this instance serves: nobody is to clean it up.

    Where EC2 refuses the tag they ask the register; the report says so, and the next run tries again.
    """
    refused: dict[str, dict[str, str]] = {}
    try:
        world.compute.tag(instance_id, {RECOVERED_TAG: world.clock.now().isoformat(timespec="seconds")})
    except WorldError as error:
        refused[account_id] = {"instance_id": instance_id, "why": str(error)}
    with _ONE_WRITER:
        before = state.untagged
        untagged = {key: told for key, told in before.items() if key != account_id} | refused
        if untagged != before:
            write_atomically(state.folder / "untagged.json", json.dumps(untagged).encode())
