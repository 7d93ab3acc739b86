"""Living instances that a state does not know are taken into it: those of a lost state folder, or of another one."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laerecover.afterwards.found import Found, find_living, found, ours
from laerecover.errors import LaeRecoverError
from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION, Mail, Outbox, message_id
from laerecover.manifest import Manifest
from laerecover.options import Options, now
from laerecover.ports.compute import RECOVERED_TAG
from laerecover.ports.world import World
from laerecover.runbook.ledger import read_ledger
from laerecover.state.lock import locked
from laerecover.state.opening import open_state, read_state
from laerecover.state.state import State
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.settings import Settings


def adopt(
    options: Options, *, recovery: str | None, stop: threading.Event, worlds: Worlds
) -> tuple[State, list[Found]]:
    """Make the state folder anew for the recovery whose id the accounts' living instances bear.

    A state in which nothing was begun yet is taken for it. Raises LaeRecoverError: a recovery was begun in the folder,
    there is nothing to adopt, or there are several recoveries.
    """
    folder = options.places.folder("run")
    manifest, settings = options.read("run", folder)
    before = read_state(folder)
    if before is not None and before.started_at is not None:
        raise LaeRecoverError(
            "there is a state already",
            where=str(folder),
            next_step=f"`{options.again('run')}` goes on with it; nothing was changed",
        )
    world = worlds.cloud(settings, stop).world
    known = {a.account_id for a in manifest.accounts}
    alive = [i for i in find_living(world.compute, {"lae-mode": "run"}) if i.tags.get("lae-account") in known]
    ids = sorted({i.tags.get("lae-recovery", "") for i in alive})
    if recovery not in ids and (recovery is not None or len(ids) != 1):
        raise LaeRecoverError(
            f"{len(ids)} recoveries have instances for these accounts"
            if recovery is None
            else f"no instance bears the recovery id {recovery!r}",
            where=", ".join(ids) or "the cloud",
            next_step="say which with --recovery ID" if ids else "there is nothing to adopt: `laerecover run`",
        )
    whose = recovery or ids[0]
    terms: dict[str, Any] = {"recovery_id": whose, "started_at": now().isoformat(), "cloud": settings.ec2.place}
    open_state(folder, mode="run", digest=manifest.digest, now=now(), **terms)
    with locked(folder, "adopt"):
        state = open_state(folder, mode="run", digest=manifest.digest, now=now())
        state = state if state.started_at is not None else replace(state, **terms).write()
        return state, adopt_unknown(state, manifest, settings, world)


def adopt_unknown(state: State, manifest: Manifest, settings: Settings, world: World) -> list[Found]:
    """Living instances of this recovery that the state's ledger knows nothing of: another state folder made them.

    Its outbox is not here, so where a server was recorded, or is tagged as recovered, the mail after it may have been
    sent: it is in doubt.
    """
    rounds = read_ledger(state.ledger)
    outbox, accounts = Outbox(state.outbox), {a.account_id: a for a in manifest.accounts}
    foreign = [
        i
        for i in find_living(world.compute, ours(state))
        if i.tags.get("lae-account") in accounts and i.tags["lae-account"] not in rounds
    ]
    recorded = {row.instance_id for row in world.register.rows()} if foreign else set()
    for instance in foreign:
        account = accounts[instance.tags["lae-account"]]
        witnessed = instance.instance_id in recorded or RECOVERED_TAG in instance.tags
        # One that is prepared is this very mail, of a runner that died before it was doubted.
        if not witnessed or any(mail.state != "prepared" for mail in outbox.of(account.account_id)):
            continue
        kind, reason = audience(account)
        mail = Mail(
            message_id=message_id(state.recovery_id, account.account_id, CONFIRMATION, 1, sender=settings.mail.sender),
            account_id=account.account_id,
            kind=kind,
            state="prepared",
            detail=reason,
            prepared_at=now(),
        )
        outbox.prepare(mail)
        answer = "another state folder may have sent it"
        outbox.move(mail.message_id, to="in_doubt", of=["prepared"], now=now(), answer=answer)
    return [found(i, manifest, rounds, recorded) for i in foreign]
