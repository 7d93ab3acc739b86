"""One account is one durable workflow, one HOWTO function is one step; DBOS is the ledger."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
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
from laerecover.instances.tags import mark_recovered, token_of
from laerecover.manifest import Account
from laerecover.runbook.inside import Inside
from laerecover.runbook.ledger import AT_WORK, Round, launched, read_ledger
from laerecover.runbook.limits import Brake, Limits
from laerecover.runbook.runbook import execute, recover
from laerecover.runbook.tables import WORKFLOW
from laerecover.runbook.values import DEPLOY, GUARD_KINDS, Effect, Known, RoundOutcome, Step, Values
from laerecover.runbook.work import Means, Work
from laerecover.state.state import State

_LOOK = 0.1
"""Seconds in which somebody who wants to stop is heard."""
_SETTLE = 0.02
"""Seconds in which the engine writes down what has left, and others leave, too."""
_TICK = 5.0
"""Seconds after which the ledger is asked of all in hand, though nobody was heard to leave."""
_ASKED = 50
"""How often it is asked of one that has left, and that it still takes for at work."""
_CALM_STOP = 60.0
_ROOM = 8 * 2**20
"""Bytes of disk that the ledger may want for the steps in hand, and for its log of 4 MB to be written back."""


class RunStep(Protocol):
    """Has a step of that name done, and gives what it gave; what was recorded of it before is given instead."""

    def __call__(self, name: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]: ...


class Watcher(Protocol):
    """Is told what happens, from several threads."""

    def began(self, account_id: str, step: Step[Any]) -> None: ...
    def waits(self, account_id: str, what: str, seconds: float) -> None: ...
    def ended(self, account_id: str, effect: Effect) -> None: ...
    def finished(self, account_id: str, outcome: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that the workflows of one run share. It lives in memory only: the ledger gets account ids."""

    state: State
    accounts: Mapping[str, Account]
    means: Means
    watcher: Watcher
    stop: threading.Event
    point: Callable[[str, str], None]
    """The crash points of its world."""
    concurrency: int = 8
    limits: Limits = field(default_factory=Limits)
    canary: str = ""
    """The account that goes through to its end before the others start; "" if none does."""
    inside: Inside = field(init=False, default_factory=Inside)
    brake: Brake = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "brake", Brake(self.limits))

    def carry_out(self, account_id: str, number: int, run_step: RunStep) -> RoundOutcome:
        """One round of the account's runbook, each step by `run_step`; its outcome."""
        instances: list[str] = []

        def perform(step: Step[Any], attempt: int, known: Known, failure: str) -> Effect:
            act = partial(self.perform, account_id, number, step, attempt, known, failure)
            effect = Effect.read(run_step(step.name, act))
            self.watcher.ended(account_id, effect)
            if effect.ok and step == DEPLOY:
                instances.append(DEPLOY.tells.read(effect.values).instance_id)
            return effect

        ended = recover(perform, listen_tries=self.means.settings.waits.listen_tries)
        if ended.outcome == "recovered" and instances:
            mark_recovered(self.state, self.means.world, account_id, instances[-1])
        return ended

    def perform(
        self, account_id: str, number: int, step: Step[Any], attempt: int, known: Known, failure: str
    ) -> dict[str, Any]:
        """Carry out one step now. Raises Stopped, of which the ledger keeps nothing."""
        if self.stop.is_set() or self.is_full():
            raise Stopped
        self.watcher.began(account_id, step)
        work = Work(
            **{each.name: getattr(self.means, each.name) for each in fields(self.means)},
            account=self.accounts[account_id],
            round=number,
            attempt=attempt,
            known=known,
            failure=failure,
            permit_launch=self.brake.permit,
            point=lambda point: self.point(step.name, point),
            waiting=lambda what, seconds: self.watcher.waits(account_id, what, seconds),
        )
        effect = execute(step, work)
        if effect.kind in GUARD_KINDS:
            self.brake.halts.append(effect.message)
        return effect.body

    def ended(self, account_id: str, output: Values | None) -> None:
        """Count what failed, so that one cause does not fail them all; so does what an earlier runner has recorded."""
        ended = RoundOutcome.read(output)
        self.brake.halts.extend(ended.unreached)
        self.watcher.finished(account_id, ended.outcome)
        if ended.outcome == "failed":
            self.brake.count_failure(account_id)

    def is_full(self) -> bool:
        """What cannot be written down is not begun."""
        free = shutil.disk_usage(self.state.folder).free
        if free >= _ROOM:
            return False
        room = f"{free / 1e6:.1f} MB are free, {_ROOM / 1e6:.1f} MB are wanted"
        self.break_off(f"the disk is full ({room}): what cannot be written down was not begun")
        return True

    def break_off(self, why: str) -> None:
        """Stop everything: the ledger cannot be trusted to keep what is done next."""
        self.brake.broken.append(why)
        self.stop.set()

    def count_launched(self) -> None:
        """Learn which launches this recovery has made before; needed for --max-instances only."""
        if self.limits.max_instances is not None:
            mine = {"lae-recovery": self.state.recovery_id, "lae-mode": self.state.mode}
            for found in self.means.world.compute.find(mine):
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
    with job.inside.of(account_id):
        return job.carry_out(account_id, number, lambda name, act: DBOS.run_step({"name": name}, act)).body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """The round of an account that is to be seen through; `fresh`: it has to be begun."""

    account_id: str
    number: int
    workflow_id: str
    fresh: bool

    def begin(self) -> None:
        """Start it, or let it go on where an earlier runner left it."""
        if self.fresh:
            with SetWorkflowID(self.workflow_id):
                DBOS.start_workflow(recover_account, self.account_id, self.number)
        else:
            DBOS.resume_workflow(self.workflow_id)


def run(job: Job, account_ids: Sequence[str]) -> str:
    """Recover these accounts, going on where an earlier runner stopped; returns when all ended or `job.stop` is set.

    Gives the reason for which a guard ended it early, or "". Raises Guarded when nothing can be written down,
    LaeRecoverError where the ledger cannot be kept.
    The caller holds the state's lock: two processes on one ledger would both carry out a step.
    """
    rounds = read_ledger(job.state.ledger, with_steps=False)
    turns = sorted((_turn(job, a, rounds.get(a)) for a in account_ids), key=lambda turn: turn.fresh)
    job.means.outbox.doubt_interrupted(job.means.world.clock.now())
    job.count_launched()
    _Current.job = job
    try:
        with launched(job.state.ledger):
            if job.canary:
                _send_canary(job, turns)
            _see_through(job, [turn for turn in turns if turn.account_id != job.canary])
            job.inside.wait_until_empty(within=_CALM_STOP)
    finally:
        _Current.job = None
    if job.brake.broken:
        after = "make room and run the same command again; it goes on where it stopped"
        raise Guarded(job.brake.broken[0], where=str(job.state.folder), next_step=after)
    return job.brake.halts[0] if job.brake.halts else ""


def _turn(job: Job, account_id: str, latest: Round | None) -> _Turn:
    """A failed round is followed by another one; one that is on its way goes on."""
    number = 1 if latest is None else latest.number + (latest.outcome == "failed")
    fresh = latest is None or latest.outcome == "failed"
    workflow_id = f"{job.state.recovery_id[:16]}/{account_id}/{number}"
    return _Turn(account_id=account_id, number=number, workflow_id=workflow_id, fresh=fresh)


def _send_canary(job: Job, turns: Sequence[_Turn]) -> None:
    """One account goes through to its end before the others start, if there are others."""
    alone = [turn for turn in turns if turn.account_id == job.canary]
    _see_through(job, alone)
    if job.brake.failures and len(turns) > len(alone):
        job.brake.halts.append(
            "the first account failed, so the others were not started; mend it, name another with --canary, or run "
            "with --no-canary"
        )


def _see_through(job: Job, turns: Sequence[_Turn]) -> None:
    """Begin these in their order, `concurrency` at a time, until all are over or the run is.

    Whoever leaves tells so. Then the ledger is asked, once for all of them, until it knows what came of each.
    """
    waiting, in_hand = deque(turns), dict[str, _Turn]()
    left = dict[str, int]()
    """Those that have left -> how often the ledger was asked of them, and did not know what came of it."""
    while waiting or in_hand:
        while waiting and len(in_hand) < job.concurrency and not job.stop.is_set():
            turn = waiting.popleft()
            if not turn.fresh or not (job.brake.halts or job.is_full()):
                in_hand[turn.account_id] = turn
                turn.begin()
        if job.stop.is_set():
            return
        left.update({each: 0 for each in _who_left(job, _LOOK if left else _TICK) if each in in_hand})
        over = _over([in_hand[each] for each in left or in_hand])
        for account_id, output in over.items():
            del in_hand[account_id]
            job.ended(account_id, output)
        left = {each: times + 1 for each, times in left.items() if each in in_hand}
        if any(times > _ASKED for times in left.values()) and not job.is_full():
            job.break_off("the ledger could not be written: the disk was full, or failed")


def _who_left(job: Job, within: float) -> set[str]:
    """Since this was last asked; where nobody has, somebody is waited for, so many seconds at the most."""
    until = time.monotonic() + within
    left: set[str] = set()
    while not left and time.monotonic() < until and not job.stop.is_set():
        left = job.inside.take_left(within=_LOOK)
    if left:
        job.stop.wait(_SETTLE)
    return left


def _over(turns: Sequence[_Turn]) -> dict[str, Values | None]:
    """Account -> what came of its round, of those that are over; one question to the ledger."""
    known = DBOS.list_workflows(workflow_ids=[turn.workflow_id for turn in turns], load_input=False) if turns else []
    found = {status.workflow_id: status for status in known}
    return {
        turn.account_id: status.output if status is not None else None
        for turn in turns
        if (status := found.get(turn.workflow_id)) is None or status.status not in AT_WORK
    }
