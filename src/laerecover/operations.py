"""What the commands do, but for those about mail."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laerecover.errors import Guarded, LaeRecoverError
from laerecover.manifest import Account, Manifest, default_key_file, read_manifest
from laerecover.manifest.store import read_key
from laerecover.outbox import Outbox
from laerecover.plan import Plan, Selection, make_plan
from laerecover.ports import Compute, NotFound, Refusal, Transient
from laerecover.report import Report, make_report, read_ledger, write_report
from laerecover.settings import DEFAULT_NAME, Settings, drill_settings, read_settings
from laerecover.state import State, forget_drill, holder, locked, open_state, read_state
from laerecover.vault import Vault
from laerecover.worlds import OpenWorld, count_effects, open_real, open_twin

if TYPE_CHECKING:
    from laerecover.runner import Watcher

Confirm = Callable[[Plan], bool]
Watch = Callable[[Plan], "AbstractContextManager[Watcher]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was given on the command line; one for all commands."""

    manifest: Path
    state: Path | None = None
    key_file: Path | None = None
    settings: Path | None = None
    selection: Selection = field(default_factory=Selection)
    concurrency: int = 8
    mail: str = "hold"
    seed: int = 1
    pace: float = 0.01
    again: bool = False
    accept: tuple[str, ...] = ()
    because: str | None = None
    max_instances: int | None = None
    crash_at: str = ""
    evidence_out: Path | None = None

    def read(self) -> Manifest:
        """The manifest. Raises ManifestError."""
        return read_manifest(self.manifest, key_file=self.key_file)

    @property
    def repeated(self) -> str:
        """What every further command about this manifest must name again, with a space before it."""
        return "" if self.key_file is None else f" --key-file {self.key_file}"

    def vault(self, folder: Path) -> Vault:
        """The state's secrets, under the manifest's key."""
        key = read_key(self.key_file or default_key_file(), manifest=self.manifest)
        return Vault(folder / "secrets", key)

    def folder(self, mode: str) -> Path:
        """The state folder: --state, or `<manifest>.state` for runs and `<manifest>.drill` for drills."""
        return self.state or Path(f"{self.manifest}.{'state' if mode == 'run' else 'drill'}")

    def read_settings(self) -> Settings:
        """The operator's settings: --settings, or laerecover.toml beside the manifest."""
        return read_settings(self.settings or self.manifest.parent / DEFAULT_NAME)


def now() -> datetime:
    """The time of the machine, UTC-aware."""
    return datetime.now(UTC)


def plan(options: Options) -> Plan:
    """What a run would do; the state folder remembers which manifest was planned. Asks nobody."""
    manifest = options.read()
    settings_file = options.settings or options.manifest.parent / DEFAULT_NAME
    folder = options.folder("run")
    settings = read_settings(settings_file) if options.settings or settings_file.is_file() else drill_settings(folder)
    state = _plan_anew(folder, manifest)
    return make_plan(
        manifest,
        settings,
        mode="run",
        selected=options.selection.of(manifest),
        concurrency=options.concurrency,
        accepted=state.accepted,
    )


def _plan_anew(folder: Path, manifest: Manifest) -> State:
    """Planning is how another manifest is allowed in: the recovery's id stays, the planned digest changes."""
    state = read_state(folder)
    if state is None or state.mode != "run" or state.planned_digest == manifest.digest:
        return open_state(folder, mode="run", digest=manifest.digest, now=now())
    stamp = now().isoformat(timespec="seconds")
    with locked(folder, "plan"):
        return replace(state, planned_digest=manifest.digest, planned_at=stamp).write()


def drill(options: Options, *, watch: Watch, stop: threading.Event) -> tuple[State, Report]:
    """The whole runbook in the twin world. No settings, no confirmation."""
    manifest, folder = options.read(), options.folder("drill")
    if options.again:
        forget_drill(folder)
    state = open_state(folder, mode="drill", digest=manifest.digest, now=now(), seed=options.seed, pace=options.pace)
    settings = replace(drill_settings(folder), evidence_out=options.evidence_out or folder / "evidence")
    with locked(folder, "drill"):
        vault = options.vault(folder)
        opened = open_twin(state, vault, stop, crash_at=options.crash_at)
        chosen = options.selection.of(manifest)
        planned = make_plan(manifest, settings, mode="drill", selected=chosen, concurrency=options.concurrency)
        _guard_instances(planned, options)
        return _carry_out(options, state, manifest, settings, planned, opened, vault, watch, stop)


def run(
    options: Options, *, watch: Watch, stop: threading.Event, confirm: Confirm, world: OpenWorld | None = None
) -> tuple[State, Report]:
    """The runbook in the real world. Raises Guarded if the plan is not confirmed or asks for too many instances."""
    manifest, folder = options.read(), options.folder("run")
    if options.accept and not options.because:
        raise LaeRecoverError(
            "--accept needs a reason", where="--because", next_step='add --because "…"; nothing was started'
        )
    settings = replace(options.read_settings(), evidence_out=options.evidence_out or folder / "evidence")
    state = open_state(folder, mode="run", digest=manifest.digest, now=now())
    with locked(folder, "run"):
        state = _record_decisions(options, state, manifest)
        opened = world or open_real(settings, stop)
        chosen = options.selection.of(manifest)
        state = _ask_old_servers(state, manifest, chosen, opened.world.compute)
        planned = make_plan(
            manifest,
            settings,
            mode="run",
            selected=chosen,
            concurrency=options.concurrency,
            accepted=state.accepted,
            inventory=state.inventory,
        )
        _guard_instances(planned, options)
        vault = options.vault(folder)
        if _open_accounts(state, planned) and not confirm(planned):
            raise Guarded(
                "the plan was not confirmed",
                where=str(folder),
                next_step="run again when you are sure; nothing was started",
            )
        return _carry_out(options, state, manifest, settings, planned, opened, vault, watch, stop)


def _carry_out(
    options: Options,
    state: State,
    manifest: Manifest,
    settings: Settings,
    planned: Plan,
    opened: OpenWorld,
    vault: Vault,
    watch: Watch,
    stop: threading.Event,
) -> tuple[State, Report]:
    todo = _open_accounts(state, planned)
    if todo:
        from laerecover.runner import Job
        from laerecover.runner import run as run_job

        if state.started_at is None:
            state = replace(state, started_at=now().isoformat()).write()
        with watch(planned) as watcher:
            job = Job(
                state=state,
                accounts={a.account_id: a for a in manifest.recoverable if a.account_id in todo},
                settings=settings,
                vault=vault,
                outbox=Outbox(state.outbox),
                open_world=opened,
                watcher=watcher,
                stop=stop,
                mail=options.mail,
                concurrency=options.concurrency,
                max_instances=options.max_instances,
            )
            run_job(job, todo)
    return state, _report(options, state, manifest, planned, settings)


def _open_accounts(state: State, planned: Plan) -> list[str]:
    """Those of the plan that are not recovered yet."""
    rounds = read_ledger(state.ledger, with_steps=False)
    done = {account for account, latest in rounds.items() if latest.outcome == "recovered"}
    return [a.account_id for a in planned.recover if a.account_id not in done]


def _guard_instances(planned: Plan, options: Options) -> None:
    if options.max_instances is not None and len(planned.recover) > options.max_instances:
        raise Guarded(
            f"the plan wants {len(planned.recover)} instances, --max-instances allows {options.max_instances}",
            where=str(options.manifest),
            next_step="allow more, or select fewer with --only, --except, --first; nothing was started",
        )


def _record_decisions(options: Options, state: State, manifest: Manifest) -> State:
    known = {a.account_id for a in manifest.accounts}
    for account_id in options.accept:
        if account_id not in known:
            raise LaeRecoverError(
                f"no account is called {account_id!r}",
                where="--accept",
                next_step="see `laerecover plan`; nothing was started",
            )
        state = state.accept(account_id, because=options.because or "", by=getpass.getuser(), now=now())
    return state.write() if options.accept else state


def _ask_old_servers(state: State, manifest: Manifest, chosen: frozenset[str], compute: Compute) -> State:
    """Ask the cloud whether each old server is gone; what was launched for is not asked again."""
    begun = read_ledger(state.ledger, with_steps=False)
    answers = {account: answer for account, answer in state.inventory.items() if account in begun}
    for account in manifest.recoverable:
        if account.account_id in chosen and account.account_id not in answers:
            answers[account.account_id] = _old_server(account, compute)
    return replace(state, inventory=answers).write()


def _old_server(account: Account, compute: Compute) -> str:
    if account.server == "GONE":
        return "GONE"
    if account.old_instance_id is None:
        return account.server
    try:
        return "GONE" if compute.describe(account.old_instance_id).dead else "RUNNING"
    except NotFound:
        return "GONE"
    except (Transient, Refusal) as error:
        raise Guarded(
            f"EC2 did not say whether {account.old_instance_id} is gone: {error}",
            where=account.account_id,
            next_step="mend the connection and run again, or decide with --accept; nothing was started",
        ) from None


def _report(options: Options, state: State, manifest: Manifest, planned: Plan, settings: Settings | None) -> Report:
    counts = count_effects(state, settings)
    report = make_report(
        state, manifest, planned, counts, name=str(options.manifest), repeated=options.repeated, now=now()
    )
    write_report(state, report)
    return report


def find_state(options: Options) -> State:
    """The state that `status`, `report`, `notify`, `resolve` look at: --state, the run's, else the drill's."""
    folders = [options.state] if options.state else [options.folder("run"), options.folder("drill")]
    for folder in folders:
        state = read_state(folder)
        if state is not None and (state.started_at is not None or options.state):
            return state
    raise LaeRecoverError(
        "nothing was started yet",
        where=", ".join(str(folder) for folder in folders),
        next_step=f"begin with `laerecover drill {options.manifest}{options.repeated}`",
    )


def report(options: Options) -> tuple[State, Report]:
    """The report of the state as it is now; starts nothing, asks the ledger only."""
    state, manifest = find_state(options), options.read()
    settings = drill_settings(state.folder) if state.mode == "drill" else options.read_settings()
    planned = make_plan(
        manifest,
        settings,
        mode=state.mode,
        selected=options.selection.of(manifest),
        concurrency=options.concurrency,
        accepted=state.accepted,
        inventory=state.inventory,
    )
    return state, _report(options, state, manifest, planned, settings)


def status(options: Options) -> dict[str, Any]:
    """The state in numbers, read beside a working runner without disturbing it."""
    state = find_state(options)
    rounds = read_ledger(state.ledger)
    mails: dict[str, int] = {}
    for mail in Outbox(state.outbox).all():
        mails[mail.state] = mails.get(mail.state, 0) + 1
    return {
        "mode": state.mode,
        "state": str(state.folder),
        "planned_digest": state.planned_digest,
        "started_at": state.started_at,
        "runner": holder(state.folder),
        "accounts": {
            account: {
                "outcome": latest.outcome,
                "round": latest.number,
                "steps": [s["step"] for s in latest.steps if s["ok"]],
            }
            for account, latest in sorted(rounds.items())
        },
        "mails": mails,
    }
