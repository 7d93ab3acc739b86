"""One account is one durable workflow, one HOWTO function is one step; DBOS is the ledger."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

# DBOS reads its environment and makes its console handler when it is set up: neither is wanted here.
# ruff: noqa: E402
for _name in [name for name in os.environ if name.startswith("DBOS_")]:
    del os.environ[_name]
_log = logging.getLogger("dbos")
_log.addHandler(logging.NullHandler())
_log.propagate = False

from dbos import DBOS, SetWorkflowID

from laerecover.errors import Guarded, Stopped
from laerecover.hosts.vault import Vault
from laerecover.mail.delivery import Sending
from laerecover.mail.dialling import unreached
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account
from laerecover.ports.world import OpenWorld
from laerecover.runbook.ledger import WORKFLOW, Round, launched, read_ledger
from laerecover.runbook.limits import Brake, Limits
from laerecover.runbook.rebuilt import Rebuilt
from laerecover.runbook.runbook import GUARD_KINDS, Effect, execute, recover
from laerecover.runbook.tags import mark_recovered, token_of
from laerecover.runbook.work import Values, Work
from laerecover.settings import Settings
from laerecover.state.state import State

_POLL = 0.1
_POLLS, _ASKED = 50, 250
"""How often nothing is heard of a workflow before the ledger is asked; how often it is asked of one that has left (5
s).
"""
_CALM_STOP = 60.0
_ROOM = 8 * 2**20
"""Bytes of disk that the ledger may want for the steps in hand, and for its log of 4 MB to be written back."""


class Watcher(Protocol):
    """Is told what happens, from several threads."""

    def began(self, account_id: str, step: str) -> None: ...
    def waits(self, account_id: str, what: str, seconds: float) -> None: ...
    def ended(self, account_id: str, effect: Effect) -> None: ...
    def finished(self, account_id: str, outcome: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that the workflows of one run share. It lives in memory only: the ledger gets account ids."""

    state: State
    accounts: Mapping[str, Account]
    settings: Settings
    vault: Vault
    outbox: Outbox
    open_world: OpenWorld
    watcher: Watcher
    stop: threading.Event
    mail: str = "hold"
    concurrency: int = 8
    limits: Limits = field(default_factory=Limits)
    canary: str = ""
    """The account that goes through to its end before the others start; "" if none does."""
    rebuilt: Rebuilt = field(default_factory=Rebuilt)
    slots: threading.Semaphore = field(init=False)
    left: Mapping[str, threading.Event] = field(init=False)
    """Is set once an account's workflow has left its last step: only then is the ledger worth asking."""
    brake: Brake = field(init=False)
    sending: Sending = field(init=False, default_factory=Sending)

    def __post_init__(self) -> None:
        object.__setattr__(self, "brake", Brake(self.limits))
        object.__setattr__(self, "slots", threading.Semaphore(self.concurrency))
        object.__setattr__(self, "left", {account_id: threading.Event() for account_id in self.accounts})

    def perform(
        self, account_id: str, number: int, step: str, attempt: int, known: Mapping[str, Values], failure: str
    ) -> dict[str, Any]:
        """Carry out one step now. Raises Stopped, of which the ledger keeps nothing."""
        if self.stop.is_set() or self.is_full():
            raise Stopped
        self.watcher.began(account_id, step)
        work = Work(
            account=self.accounts[account_id],
            recovery_id=self.state.recovery_id,
            mode=self.state.mode,
            world=self.open_world.world,
            settings=self.settings,
            vault=self.vault,
            outbox=self.outbox,
            mail=self.mail,
            sending=self.sending,
            round=number,
            attempt=attempt,
            known=known,
            failure=failure,
            new_identity=self.state.new_identity,
            dial=self.state.decisions.not_dialled is None,
            rebuilt=self.rebuilt,
            permit_launch=self.brake.permit,
            point=lambda point: self.open_world.point(step, point),
            waiting=lambda what, seconds: self.watcher.waits(account_id, what, seconds),
        )
        effect = execute(step, work)
        if effect.kind in GUARD_KINDS:
            self.brake.halts.append(effect.message)
        return effect.to_json()

    def ended(self, account_id: str, output: object) -> None:
        """Count what failed, so that one cause does not fail them all; so does what an earlier runner has recorded."""
        outcome = str(output["outcome"]) if isinstance(output, dict) else "failed"
        self.brake.halts.extend(unreached(output))
        self.watcher.finished(account_id, outcome)
        if outcome == "failed":
            self.brake.count_failure(account_id)

    def is_full(self) -> bool:
        """What cannot be written down is not begun."""
        if shutil.disk_usage(self.state.folder).free >= _ROOM:
            return False
        self.break_off("the disk is full: what cannot be written down was not begun")
        return True

    def break_off(self, why: str) -> None:
        """Stop everything: the ledger cannot be trusted to keep what is done next."""
        self.brake.broken.append(why)
        self.stop.set()

    def count_launched(self) -> None:
        """Learn which launches this recovery has made before; needed for --max-instances only."""
        if self.limits.max_instances is not None:
            mine = {"lae-recovery": self.state.recovery_id, "lae-mode": self.state.mode}
            for found in self.open_world.world.compute.find(mine):
                self.brake.launches.add(token_of(found))


class _Current:
    """The engine calls workflows by name: this is where they find their job."""

    job: Job | None = None


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
def recover_account(account_id: str, number: int) -> dict[str, Any]:
    """The runbook for one account. Abandoned (Stopped) it stays pending, and the next launch takes it up again."""
    job = _Current.job
    if job is None or account_id not in job.accounts:
        raise Stopped
    instances: list[str] = []
    with _slot(job, account_id):

        def perform(step: str, attempt: int, known: Mapping[str, Values], failure: str) -> Effect:
            effect = Effect(
                **DBOS.run_step({"name": step}, job.perform, account_id, number, step, attempt, known, failure)
            )
            job.watcher.ended(account_id, effect)
            if effect.ok and step == "deploy_ec2_instance":
                instances.append(str(effect.values["instance_id"]))
            return effect

        output = recover(perform, listen_tries=job.settings.waits.listen_tries)
        if output["outcome"] == "recovered" and instances:
            mark_recovered(job.state, job.open_world.world, account_id, instances[-1])
        return output


def run(job: Job, account_ids: Sequence[str]) -> str:
    """Recover these accounts, going on where an earlier runner stopped; returns when all ended or `job.stop` is set.

    Gives the reason for which a guard ended it early, or "". Raises Guarded when nothing can be written down,
    LaeRecoverError where the ledger cannot be kept.
    The caller holds the state's lock: two processes on one ledger would both carry out a step.
    """
    rounds = read_ledger(job.state.ledger, with_steps=False)
    todo = [(a, *_next_round(rounds.get(a))) for a in account_ids]
    todo.sort(key=lambda entry: entry[2])
    job.outbox.doubt_interrupted(job.open_world.world.clock.now())
    job.count_launched()
    _Current.job = job
    try:
        with launched(job.state.ledger):
            if job.canary:
                _send_canary(job, todo)
            with ThreadPoolExecutor(job.concurrency, thread_name_prefix="account") as feeders:
                for outcome in [feeders.submit(_see_through, job, *entry) for entry in todo]:
                    outcome.result()
            _wait_for_slots(job)
    finally:
        _Current.job = None
    if job.brake.broken:
        after = "make room and run the same command again; it goes on where it stopped"
        raise Guarded(job.brake.broken[0], where=str(job.state.folder), next_step=after)
    return job.brake.halts[0] if job.brake.halts else ""


def _send_canary(job: Job, todo: Sequence[tuple[str, int, bool]]) -> None:
    """One account goes through to its end before the others start."""
    for entry in todo:
        if entry[0] == job.canary:
            _see_through(job, *entry)
    if job.brake.failures:
        job.brake.halts.append(
            "the first account failed, so the others were not started; mend it, name another with --canary, or run "
            "with --no-canary"
        )


def _next_round(latest: Round | None) -> tuple[int, bool]:
    """Number of the round to see through, and whether it has to be started (rather than taken up)."""
    if latest is None:
        return 1, True
    if latest.outcome == "failed":
        return latest.number + 1, True
    return latest.number, False


def _see_through(job: Job, account_id: str, number: int, fresh: bool) -> None:
    """Start the account's round, or let the engine take it up again, and wait for its end."""
    if job.stop.is_set() or (fresh and job.brake.halts):
        return
    workflow_id = f"{job.state.recovery_id[:16]}/{account_id}/{number}"
    if fresh:
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(recover_account, account_id, number)
    asked = 0
    while not job.stop.is_set():
        status = DBOS.get_workflow_status(workflow_id)
        if status is None or status.status not in ("PENDING", "ENQUEUED", "DELAYED"):
            job.ended(account_id, status.output if status is not None else None)
            return
        asked += job.left[account_id].is_set()
        if asked > _ASKED and not job.is_full():
            job.break_off("the ledger could not be written: the disk was full, or failed")
        _wait_for_end(job, account_id)


def _wait_for_end(job: Job, account_id: str) -> None:
    """Until the workflow says so, which the ledger learns a moment later; after a while in any case."""
    for _ in range(_POLLS):
        if job.left[account_id].wait(_POLL) or job.stop.is_set():
            job.stop.wait(_POLL / 5)
            return


@contextmanager
def _slot(job: Job, account_id: str) -> Iterator[None]:
    """One of the `concurrency` places, until the workflow leaves.

    Those that the engine takes up again need one, too.
    """
    try:
        while not job.slots.acquire(timeout=2 * _POLL):
            if job.stop.is_set():
                raise Stopped
        try:
            yield
        finally:
            job.slots.release()
    finally:
        job.left[account_id].set()


def _wait_for_slots(job: Job) -> None:
    """After a stop: give the steps in hand time to end or to abandon themselves."""
    clock = job.open_world.world.clock
    until = clock.monotonic() + _CALM_STOP
    for _ in range(job.concurrency):
        while not job.slots.acquire(timeout=_POLL):
            if clock.monotonic() > until:
                return
