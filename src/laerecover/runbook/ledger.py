"""The ledger: DBOS over its file; what it recorded of each account's latest round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from laerecover.databases import Connect, connect, durable, readable
from laerecover.runbook.tables import WORKFLOW, Kept, Record, read_tables
from laerecover.runbook.values import ALL_STEPS, DEPLOY, Effect, Recorded, RoundOutcome, Step, step_named

if TYPE_CHECKING:
    import sqlalchemy
    from dbos import DBOSClient

T = TypeVar("T", bound=Recorded)
Span = tuple[datetime, datetime]
AT_WORK = ("PENDING", "ENQUEUED", "DELAYED")
"""What the engine calls a workflow that is not over."""
_VERSION = "runbook-1"
_PAUSE = 5.0
"""Seconds without a step that are a pause: a runner that goes on needs less for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Effect):
    """What the ledger has of one step: its last effect; when its first try began, when the last ended (ISO 8601)."""

    attempts: int
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    """Of the last try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The latest try at one account, as the ledger has it. `steps` are those that have a recorded effect."""

    workflow_id: str
    account_id: str
    number: int
    status: str
    ended: RoundOutcome | None
    """None while it is on its way, or where it was given up."""
    ended_at: datetime | None
    steps: tuple[Done, ...] = ()
    launched: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()
    """When a step was at work, of all the account's rounds."""

    @property
    def outcome(self) -> str:
        """recovered, failed or on its way."""
        if self.ended is not None:
            return self.ended.outcome
        return "on its way" if self.status in AT_WORK else "failed"

    @property
    def went_well(self) -> list[Step[Any]]:
        """Which steps did, in the order of their first tries."""
        return [each.step for each in self.steps if each.ok]

    def done(self, step: Step[T]) -> Done | None:
        """What came of that step last; None if nothing is recorded of it."""
        return next((each for each in self.steps if each.step == step), None)

    def has(self, step: Step[T]) -> bool:
        """Whether it went well."""
        return step in self.went_well

    def values_of(self, step: Step[T]) -> T:
        """What that step told when it went well. Raises KeyError."""
        done = self.done(step)
        if done is None or not done.ok:
            raise KeyError(step.name)
        return step.tells.read(done.values)


def read_ledger(ledger: Path, *, with_steps: bool = True) -> dict[str, Round]:
    """Account -> its latest round. A ledger that does not exist, or in which nothing was written yet, is empty, and is
    not made.
    """
    if not ledger.is_file():
        return {}
    with readable(ledger) as look:
        kept = read_tables(look, with_steps=with_steps)
        return _rounds(_asked(look, with_steps=with_steps) if kept is None else kept)


def _asked(look: Connect, *, with_steps: bool) -> Sequence[Kept]:
    """By the engine's client."""
    with _client(look) as client:
        kept = []
        for told in client.list_workflows(name=WORKFLOW):
            if told.input is not None:
                steps = client.list_workflow_steps(told.workflow_id) if with_steps else ()
                records = [
                    Record(s["function_name"], s["output"], s["started_at_epoch_ms"], s["completed_at_epoch_ms"])
                    for s in steps
                ]
                over = told.completed_at is not None
                kept.append(Kept(told.workflow_id, told.status, over, told.input["args"], told.output, records))
        return kept


def _rounds(kept: Iterable[Kept]) -> dict[str, Round]:
    rounds: dict[str, Round] = {}
    launched: dict[str, set[str]] = {}
    spans: dict[str, list[Span]] = {}
    for each in kept:
        account_id, number = str(each.args[0]), int(each.args[1])
        steps = _steps(each.records)
        spans.setdefault(account_id, []).extend(_spans(each.records))
        launched.setdefault(account_id, set()).update(_instances(steps))
        if account_id in rounds and rounds[account_id].number > number:
            continue
        rounds[account_id] = Round(
            workflow_id=each.workflow_id,
            account_id=account_id,
            number=number,
            status=each.status,
            ended=RoundOutcome.read(each.output) if each.status == "SUCCESS" and each.output is not None else None,
            ended_at=_ended(steps) if each.over else None,
            steps=steps,
            launched=frozenset(launched[account_id]),
            spans=tuple(spans[account_id]),
        )
    return rounds


def abandon(ledger: Path, latest: Round) -> None:
    """Give up the account's latest round: the next run begins another, and takes up nothing of this one."""
    with _client(partial(connect, ledger, isolation_level="IMMEDIATE")) as client:
        client.cancel_workflow(latest.workflow_id)


@contextmanager
def launched(ledger: Path) -> Iterator[None]:
    """DBOS at work, as often as it is entered. Raises LaeRecoverError where the ledger cannot be kept."""
    from dbos import DBOS, DBOSPortableJSONSerializer

    opened = partial(connect, ledger, isolation_level="IMMEDIATE")
    with closing(durable(ledger)), _engine_over(opened) as engine:
        DBOS(
            config={
                "name": "laerecover",
                "system_database_engine": engine,
                "serializer": DBOSPortableJSONSerializer(),
                "application_version": _VERSION,
                # Nobody was called so before: what others left goes on when its turn comes, and not all of it at once.
                "executor_id": f"laerecover-{uuid4()}",
                "log_level": "CRITICAL",
                "enable_otlp": False,
                "use_listen_notify": False,
                # Nobody sends notifications here; the thread that looks for them is waited for at the end.
                "notification_listener_polling_interval_sec": 0.1,
            }
        )
        try:
            DBOS.launch()
            yield
        finally:
            DBOS.destroy()


@contextmanager
def _engine_over(opened: Connect) -> Iterator[sqlalchemy.Engine]:
    """What DBOS works with. It gets no URL, in which a folder's `?`, `#` or `%` would name another file."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        "sqlite:///ledger.sqlite", creator=opened, pool_size=20, max_overflow=0, pool_timeout=30, pool_pre_ping=True
    )
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _client(opened: Connect) -> Iterator[DBOSClient]:
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    with _engine_over(opened) as engine:
        client = DBOSClient(system_database_engine=engine, serializer=DBOSPortableJSONSerializer())
        try:
            yield client
        finally:
            client.destroy()


def _spans(records: Iterable[Record]) -> Iterator[Span]:
    for record in records:
        begun, ended = _time(record.started), _time(record.ended)
        if begun is not None and ended is not None:
            yield begun, ended


def pauses(rounds: Iterable[Round], since: datetime | None) -> list[Span]:
    """When no step of any account was at work, from the recovery's begin to the last: nobody ran it then."""
    found: list[Span] = []
    until = since
    for begun, ended in sorted(span for latest in rounds for span in latest.spans):
        if until is not None and (begun - until).total_seconds() > _PAUSE:
            found.append((until, begun))
        until = max(until or ended, ended)
    return found


def _instances(steps: Sequence[Done]) -> Iterator[str]:
    for each in steps:
        if each.step == DEPLOY and each.ok:
            yield DEPLOY.tells.read(each.values).instance_id


def _steps(records: Iterable[Record]) -> tuple[Done, ...]:
    steps: dict[str, Done] = {}
    for record in records:
        if step_named(record.name) not in ALL_STEPS or record.output is None:
            continue
        started, ended = _time(record.started), _time(record.ended)
        earlier = steps.get(record.name)
        times = {
            "attempts": 1 + (earlier.attempts if earlier else 0),
            "started_at": earlier.started_at if earlier else written_time(started),
            "ended_at": written_time(ended),
            "seconds": round((ended - started).total_seconds(), 3) if started and ended else None,
        }
        steps[record.name] = Done.read({**record.output, **times})
    return tuple(steps.values())


def _ended(steps: Sequence[Done]) -> datetime | None:
    """When the last step ended: the engine's own time of completion knows whole seconds only."""
    return max((datetime.fromisoformat(step.ended_at) for step in steps if step.ended_at), default=None)


def _time(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)


def written_time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds")
