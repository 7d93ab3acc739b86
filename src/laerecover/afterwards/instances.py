"""Instances found by their tags: taken into a state that does not know them, or ended."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from laerecover.errors import Guarded, LaeRecoverError
from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION, Mail, Outbox, message_id
from laerecover.manifest import Manifest
from laerecover.options import Options, now
from laerecover.planning.guards import guard_cloud
from laerecover.ports.compute import RECOVERED_TAG, Compute, Instance
from laerecover.ports.refusals import WorldError
from laerecover.ports.world import OpenWorld, World
from laerecover.report.review import find_state
from laerecover.runbook.ledger import Round, abandon, read_ledger
from laerecover.settings import Settings
from laerecover.state.lock import locked
from laerecover.state.state import State, open_state, read_state
from laerecover.worlds import open_real, open_world
from laerecover.writing import write_atomically

_ONE_WRITER = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A living instance of ours, with how far its account came."""

    instance_id: str
    account_id: str
    customer: str
    launch_time: str
    holds: str

    @property
    def body(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def adopt(
    options: Options, *, recovery: str | None, stop: threading.Event, world: OpenWorld | None = None
) -> tuple[State, list[Found]]:
    """Make the state folder anew for the recovery whose id the accounts' living instances bear.

    Raises LaeRecoverError: a state exists, there is nothing to adopt, or there are several recoveries.
    """
    manifest, folder = options.read(), options.folder("run")
    if read_state(folder) is not None:
        raise LaeRecoverError(
            "there is a state already",
            where=str(folder),
            next_step="`laerecover run` goes on with it; nothing was changed",
        )
    settings = options.settings_for("run", folder)
    world_ = (world or open_real(settings, stop)).world
    known = {a.account_id for a in manifest.accounts}
    alive = [i for i in _find(world_.compute, {"lae-mode": "run"}) if i.tags.get("lae-account") in known]
    ids = sorted({i.tags.get("lae-recovery", "") for i in alive})
    if recovery not in ids and (recovery is not None or len(ids) != 1):
        raise LaeRecoverError(
            f"{len(ids)} recoveries have instances for these accounts"
            if recovery is None
            else f"no instance bears the recovery id {recovery!r}",
            where=", ".join(ids) or "the cloud",
            next_step="say which with --recovery ID" if ids else "there is nothing to adopt: `laerecover run`",
        )
    state = open_state(
        folder,
        mode="run",
        digest=manifest.digest,
        now=now(),
        recovery_id=recovery or ids[0],
        started_at=now().isoformat(),
        cloud=settings.cloud,
    )
    with locked(folder, "adopt"):
        return state, adopt_unknown(state, manifest, settings, world_)


def adopt_unknown(state: State, manifest: Manifest, settings: Settings, world: World) -> list[Found]:
    """Living instances of this recovery that the state's ledger knows nothing of: another state folder made them.

    Its outbox is not here, so where a server was recorded, the mail after it may have been sent: it is in doubt.
    """
    rounds = read_ledger(state.ledger)
    outbox, accounts = Outbox(state.outbox), {a.account_id: a for a in manifest.accounts}
    foreign = [
        i
        for i in _find(world.compute, _ours(state))
        if i.tags.get("lae-account") in accounts and i.tags["lae-account"] not in rounds
    ]
    recorded = {row.instance_id for row in world.register.rows()} if foreign else set()
    for instance in foreign:
        account = accounts[instance.tags["lae-account"]]
        if instance.instance_id not in recorded or outbox.of(account.account_id):
            continue
        kind, reason = audience(account)
        mail = Mail(
            message_id=message_id(state.recovery_id, account.account_id, CONFIRMATION, 1, sender=settings.sender),
            account_id=account.account_id,
            kind=kind,
            state="prepared",
            detail=reason,
            prepared_at=now(),
        )
        outbox.prepare(mail)
        answer = "another state folder may have sent it"
        outbox.move(mail.message_id, to="in_doubt", of=["prepared"], now=now(), answer=answer)
    return [_found(i, manifest, rounds, recorded) for i in foreign]


def cleanup(
    options: Options,
    *,
    stop: threading.Event,
    confirm: Callable[[list[Found], str], bool],
    everyones: bool = False,
    world: OpenWorld | None = None,
) -> list[Found]:
    """End the living instances of accounts that are not recovered; gives what was ended.

    Those that this state's own ledger did not launch only with `everyones`: another operator may be building them.
    `confirm` gets them with the word that must be typed. Raises Guarded.
    """
    state = find_state(options)
    manifest, settings = state.seen(options.read()), options.settings_for(state.mode, state.folder)
    guard_cloud(state, settings)
    with locked(state.folder, "cleanup"):
        opened = world or open_world(state, settings, options.vault(state.folder), stop)
        rounds = read_ledger(state.ledger)
        recorded = {row.instance_id for row in opened.world.register.rows()}
        half_made = [
            _found(i, manifest, rounds, recorded)
            for i in _find(opened.world.compute, _ours(state))
            if not _kept(i, rounds.get(i.tags.get("lae-account", "")), recorded)
        ]
        launched = {instance_id for latest in rounds.values() for instance_id in latest.launched}
        foreign = [each for each in half_made if each.instance_id not in launched]
        if foreign and not everyones:
            half_made = [each for each in half_made if each.instance_id in launched]
        if not half_made and foreign:
            raise Guarded(
                f"{len(foreign)} half-made instances were launched from another state folder: another operator may be at work",
                where=", ".join(sorted(each.instance_id for each in foreign)),
                next_step="ask who it is; `laerecover cleanup --all` lists them, too; nothing was ended",
            )
        if not half_made:
            return []
        ids = " ".join(sorted(each.instance_id for each in half_made))
        word = f"{len(half_made)}-{hashlib.sha256(ids.encode()).hexdigest()[:4]}"
        if not confirm(half_made, word):
            raise Guarded(
                "the removal was not confirmed",
                where=f"{len(half_made)} instances",
                next_step=f"add --confirm {word} if these instances are to end; nothing was ended",
            )
        left: dict[str, WorldError] = {}
        for each in half_made:
            if each.account_id in rounds:
                abandon(state.ledger, rounds[each.account_id])
            try:
                opened.world.compute.terminate(each.instance_id)
            except WorldError as error:
                left[each.instance_id] = error
        if left:
            raise Guarded(
                f"{len(left)} of {len(half_made)} instances were not ended: {next(iter(left.values()))}",
                where=", ".join(left),
                next_step="run the same command again, with the word that it shows then; the others were ended",
            )
        return half_made


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


def _ours(state: State) -> dict[str, str]:
    """The tags of this recovery's instances: those of a drill with the same manifest are none of a run's."""
    return {"lae-recovery": state.recovery_id, "lae-mode": state.mode}


def _kept(instance: Instance, latest: Round | None, recorded: set[str]) -> bool:
    """A recovered account's instance is nobody's to clean up, whoever says so: its tag, our own ledger, the register.

    Of a row that our own round wrote before it failed we know better.
    """
    if RECOVERED_TAG in instance.tags or (latest is not None and latest.outcome == "recovered"):
        return True
    wrote = latest is not None and any(step["step"] == "append_record" and step["ok"] for step in latest.steps)
    return instance.instance_id in recorded and not wrote


def _find(compute: Compute, tags: dict[str, str]) -> list[Instance]:
    try:
        return [i for i in compute.find(tags) if not i.dead]
    except WorldError as error:
        raise Guarded(
            f"EC2 did not say which instances there are: {error}",
            where=", ".join(tags),
            next_step="mend the connection and run again; nothing was started or ended",
        ) from None


def _found(instance: Instance, manifest: Manifest, rounds: dict[str, Round], recorded: set[str]) -> Found:
    account_id = instance.tags.get("lae-account", "")
    customers = {a.account_id: a.customer_email or a.customer_name or "(unknown)" for a in manifest.accounts}
    latest = rounds.get(account_id)
    done = [str(step["step"]) for step in latest.steps if step["ok"]] if latest is not None else []
    told = ["recorded in serverinfo.csv"] if instance.instance_id in recorded else []
    if latest is None or instance.instance_id not in latest.launched:
        told.insert(0, "launched from another state folder: another operator may be at work on it")
        done = []
    if done:
        told.insert(0, f"{_keys(done)}; last done: {done[-1]}")
    return Found(
        instance_id=instance.instance_id,
        account_id=account_id,
        customer=customers.get(account_id, "(not in this manifest)"),
        launch_time=instance.launch_time,
        holds="; ".join(told) or "nobody recorded how far it came",
    )


def _keys(done: Sequence[str]) -> str:
    return "may hold the account's keys" if "install_server" in done else "no secret yet"
