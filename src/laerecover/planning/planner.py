"""A plan is made of manifest, options, settings, state; the state remembers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from laerecover.credentials import changes_of
from laerecover.errors import Guarded, LaeRecoverError, LockHeld, together
from laerecover.hosts.recipes.debian import TRIED
from laerecover.manifest import Manifest
from laerecover.options import Options, now
from laerecover.planning.buckets import BucketCheck, quiet
from laerecover.planning.costs import costs
from laerecover.planning.decisions import ask_old_servers, own_servers
from laerecover.planning.forecast import forecast_of
from laerecover.planning.guards import NOT_STARTED, guard_cloud, guard_files
from laerecover.planning.obstacles import Obstacle
from laerecover.planning.order import in_order
from laerecover.planning.plan import Circumstances, Plan, make_plan, missing_evidence
from laerecover.ports.own_side import Seen
from laerecover.ports.world import World
from laerecover.runbook.ledger import read_ledger
from laerecover.shared_buckets import REMEDY, SHARED_BUCKET
from laerecover.state.lock import locked
from laerecover.state.opening import open_state, read_state
from laerecover.state.state import State
from laerecover.state.terms import DrillTerms
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What a plan is made of. `manifest`: as the recovery sees it."""

    options: Options
    state: State
    manifest: Manifest
    settings: Settings
    is_whole: bool = True
    """Whether the settings are the operator's own altogether."""

    def plan(self, obstacles: Sequence[Obstacle] = (), *, checked: bool = False) -> Plan:
        """What would happen to each account, as far as is known by now. `checked`: the obstacles are a check's."""
        made = make_plan(self.manifest, self.settings, self.circumstances(obstacles))
        notes = [f"{o.message}; {o.remedy}" for o in obstacles if not o.blocks]
        if self.state.mode == "run" and not self.state.new_identity:
            todo = self.open_accounts(made)
            notes += missing_evidence([a for a in self.manifest.accounts if a.account_id in todo])
        if self.state.mode == "run" and made.recover:
            notes.append(f"tried whole are images of {TRIED}; any other is not tried: let one account go ahead, alone")
        if self.state.mode == "run" and (own := own_servers(self.state, self.manifest)):
            notes.append(
                f"of {len(own)} accounts the manifest calls the old server what this very recovery launched: they are "
                "recovered here; should these servers be lost, name another folder with --state"
            )
        notes += changed_notes(self.manifest, self.state, [a.account_id for a in made.recover])
        chosen, decided = self.options.selection.of(self.manifest), self.state.decisions.accepted.items()
        living = ((name, said["living"]) for name, said in decided if name in chosen and said.get("living"))
        notes += [f"{name}: {ids} lives, and was accepted by a human" for name, ids in living]
        rounds = read_ledger(self.state.ledger, with_steps=False)
        starts, canary, why = in_order(made, self.manifest, rounds, self.options, self.settings, is_whole=self.is_whole)
        if self.state.mode == "run" and why and len(starts) > 1:
            notes.append(
                f"nobody has chosen the canary: {canary} goes ahead, {why}; choose with --canary ACCOUNT, --order FILE "
                "or run.canary in the settings, or send nobody ahead with --no-canary"
            )
        made = replace(made, notes=tuple(notes), starts=starts, first=canary)
        added = sum(o.added_bytes for o in obstacles) if checked else None
        return replace(made, costs=costs(made, self.settings.prices, added))

    def circumstances(self, obstacles: Sequence[Obstacle] = ()) -> Circumstances:
        """What the plan depends on, as options and state say."""
        barred = {o.account_id: f"{o.what}: {o.message}; {o.remedy}" for o in obstacles if o.account_id is not None}
        return Circumstances(
            mode=self.state.mode,
            selected=self.options.selection.of(self.manifest),
            concurrency=self.options.concurrency,
            accepted=frozenset(self.state.decisions.holding_for(self.manifest)),
            inventory=self.state.inventory or None,
            obstacles=barred,
            min_grade=self.state.planned.min_grade if self.options.min_grade is None else self.options.min_grade,
            region=self.settings.ec2.region if self.state.inventory else "",
            forecast=forecast_of(self.options.places.folder("drill")),
            is_whole=self.is_whole,
        )

    def check(
        self, world: World, heard: Callable[[str], None] = quiet, own: Sequence[Seen] | None = None
    ) -> Sequence[Obstacle]:
        """What stands in the way of those that are selected and not recovered yet; `heard`: see `BucketCheck`; `own`:
        the operator's side, if somebody has looked at it.
        """
        from laerecover.planning.check import KnownAccounts, check

        planned = self.plan()
        todo, chosen = self.open_accounts(planned), {a.account_id for a in planned.recover}
        rounds = read_ledger(self.state.ledger)
        return check(
            [a for a in self.manifest.recoverable if a.account_id in todo],
            self.settings,
            world,
            recovery_id=self.state.recovery_id,
            known=KnownAccounts(
                everyone=self.manifest.accounts,
                recovered=[a for a in self.manifest.recoverable if a.account_id in chosen.difference(todo)],
                decided=self.state.decisions.instances,
                begun=rounds.keys(),
            ),
            buckets=BucketCheck(
                disaster_at=self.options.lost_at,
                serving=frozenset(account for account, latest in rounds.items() if latest.launched),
                heard=heard,
            ),
            own=look(world) if own is None else own,
        )

    def open_accounts(self, planned: Plan) -> list[str]:
        """Those of the plan that are not recovered yet."""
        rounds = read_ledger(self.state.ledger, with_steps=False)
        done = {account for account, latest in rounds.items() if latest.outcome == "recovered"}
        return [a.account_id for a in planned.recover if a.account_id not in done]


def plan(
    options: Options, *, worlds: Worlds, check: bool = False, heard: Callable[[str], None] = quiet
) -> tuple[Plan, Sequence[Obstacle]]:
    """What a run would do; the state folder remembers which manifest was planned. Asks nobody, unless to `check`."""
    folder, missing = options.places.folder("run"), tuple[str, ...]()
    if check:
        manifest, settings = options.read("run", folder, also=guard_files)
    else:
        manifest, (settings, missing) = together(options.places.read, lambda: options.settings_to_plan(folder))
    real = check or (not missing and options.has_settings)
    state = _plan_anew(folder, manifest, options)
    manifest = state.seen(manifest)
    planner = Planner(
        options=options,
        state=replace(state, inventory={}),
        manifest=manifest,
        settings=settings,
        is_whole=not missing and (check or options.has_settings),
    )
    shared = shared_obstacles(manifest, options.selection.of(manifest))
    obstacles: Sequence[Obstacle] = shared
    own: Sequence[Seen] = ()
    if check:
        guard_cloud(state, settings)
        opened = worlds.cloud(settings, threading.Event())
        own = look(opened.world)
        try:
            asked = ask_old_servers(state, manifest, options.selection.of(manifest), opened, settings.ec2.region)
            planner = replace(planner, state=asked)
        except Guarded:
            if not any(each.blocks for each in own):
                raise
        obstacles = [*planner.check(opened.world, heard, own), *shared]
    made = replace(planner.plan(obstacles, checked=check), own_side=tuple(own))
    if not options.has_settings and not check:
        made = replace(made, notes=(*made.notes, "there are no settings yet: images, sizes and times are a drill's"))
    lacking = (f"the settings are not whole, and a run will want this: {each}" for each in missing)
    made = replace(made, notes=(*made.notes, *lacking), missing=missing)
    return _remembered(state, made, obstacles) if real else made, obstacles


def shared_obstacles(manifest: Manifest, selected: Collection[str]) -> list[Obstacle]:
    """Of those that are selected, who would share a bucket: nobody need be asked about that."""
    return [
        Obstacle(what=SHARED_BUCKET, message=why, remedy=REMEDY, account_id=account_id)
        for account_id, why in manifest.shared.items()
        if account_id in selected
    ]


def changed_notes(manifest: Manifest, state: State, recovered: Sequence[str]) -> Iterator[str]:
    """Whose credentials are others than those of the evidence; after a break-in, whose are not."""
    unchanged = 0
    for account in manifest.accounts:
        said = changes_of(account)
        yield from (f"{account.account_id}: {each}" for each in said)
        unchanged += account.account_id in recovered and not said
    if state.new_identity and unchanged:
        yield (
            f"after a break-in: the S3 keys of {unchanged} accounts are those of before, and would go back onto their "
            "hosts; whoever stole them reads the buckets on; have them renewed, and name them in files.credentials"
        )


def look(world: World) -> Sequence[Seen]:
    """The operator's side, where the world has one."""
    return world.own_side.look() if world.own_side is not None else ()


def renewed(state: State, options: Options) -> State:
    """--new-identity is for the whole recovery: half of the accounts with old keys would be no answer to a break-in.

    So is --prove: nobody can store something before a disaster that has been; and --hosts: they stand. Nothing is
    written yet.
    """
    for name in ("prove", "hosts"):
        value = getattr(options.drill, name)
        if value in (getattr(DrillTerms(), name), getattr(state.drill, name)):
            continue
        if state.started_at is not None or state.rehearsal.is_file():
            raise LaeRecoverError(
                f"this drill was begun without --{name}",
                where=str(state.folder),
                next_step=f"go on without it, or begin anew with --again; {NOT_STARTED}",
            )
        state = replace(state, drill=replace(state.drill, **{name: value}))
    if options.new_identity and not state.new_identity:
        if state.started_at is not None:
            raise LaeRecoverError(
                "this recovery was begun without --new-identity",
                where=str(state.folder),
                next_step="go on without it, or `laerecover cleanup` first and name another folder with --state; "
                + NOT_STARTED,
            )
        state = replace(state, new_identity=True)
    return state


def _plan_anew(folder: Path, manifest: Manifest, options: Options) -> State:
    """Planning is how another manifest is allowed in: the recovery's id stays, the planned digest changes.

    Raises LockHeld if there is something to write, and a runner is at work.
    """
    state = read_state(folder)
    if state is None or state.mode != "run":
        return open_state(folder, mode="run", digest=manifest.digest, now=now(), new_identity=options.new_identity)
    if state.planned.digest == manifest.digest and state.new_identity >= options.new_identity:
        return state
    stamp = now().isoformat(timespec="seconds")
    with locked(folder, "plan"):
        state = renewed(read_state(folder) or state, options)
        if state.planned.digest != manifest.digest:
            state = replace(state, planned=replace(state.planned, digest=manifest.digest, at=stamp))
        return state.write()


def with_shown(state: State, made: Plan, obstacles: Sequence[Obstacle]) -> State:
    """With the plan that somebody has looked at, and the rebuilt servers that stood beside it; not written yet."""
    living = {o.account_id: " ".join(o.instances) for o in obstacles if o.account_id and o.instances}
    before = state.planned
    living = {**before.living, **living}
    return replace(state, planned=replace(before, shown=made.digest, living=living, min_grade=made.min_grade))


def _remembered(state: State, made: Plan, obstacles: Sequence[Obstacle]) -> Plan:
    """The plan, its digest written into the state as it is by now; it says so if a runner does not let it."""
    try:
        with locked(state.folder, "plan"):
            latest = read_state(state.folder)
            if latest is not None and latest.planned.digest == state.planned.digest:
                with_shown(latest, made, obstacles).write()
        return made
    except LockHeld as error:
        return replace(made, notes=(*made.notes, f"{error.what}: nothing of this plan was written down"))
