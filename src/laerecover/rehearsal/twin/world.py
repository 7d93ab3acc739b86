"""The twin world's file: every effect is in it the moment it happens, so it survives the runner's death."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from laerecover.ports.ingress import EVERYWHERE, Ingress, covered, sources
from laerecover.ports.refusals import Transient

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS instances (
    instance_id TEXT PRIMARY KEY, client_token TEXT NOT NULL UNIQUE, request_digest TEXT NOT NULL,
    account_id TEXT NOT NULL, tags TEXT NOT NULL, state TEXT NOT NULL, launch_time TEXT NOT NULL,
    hidden INTEGER NOT NULL, pending INTEGER NOT NULL, public_host TEXT NOT NULL UNIQUE, private_host TEXT NOT NULL,
    host_key TEXT NOT NULL, boots INTEGER NOT NULL DEFAULT 1, refusals INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    instance_id TEXT NOT NULL, path TEXT NOT NULL, sealed BLOB NOT NULL, sha256 TEXT NOT NULL,
    owner TEXT NOT NULL, mode INTEGER NOT NULL, PRIMARY KEY (instance_id, path));
CREATE TABLE IF NOT EXISTS services (
    instance_id TEXT NOT NULL, name TEXT NOT NULL, tub_id TEXT NOT NULL, PRIMARY KEY (instance_id, name));
CREATE TABLE IF NOT EXISTS mailbox (
    n INTEGER PRIMARY KEY, message_id TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL,
    sha256 TEXT NOT NULL, received_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS serverinfo (
    n INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL, launch_time TEXT NOT NULL, instance_id TEXT NOT NULL,
    public_host TEXT NOT NULL, recorded_by TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS monitored (public_host TEXT PRIMARY KEY, since TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effects (n INTEGER PRIMARY KEY, at TEXT NOT NULL, effect TEXT NOT NULL, subject TEXT NOT
NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinFaults:
    """How often the twin is wrong, as probabilities; how slow it is, as seconds of its own clock."""

    connection_lost: float = 0.05
    throttled: float = 0.05
    mail_barred: float = 0.0
    """The mail server refuses whatever we send."""
    mail_busy: float = 0.15
    mail_lost: float = 0.0
    mail_refused: float = 0.0
    monitoring_down: float = 0.15
    instance_dies: float = 0.0
    slowness: float = 1.0


RUNNER = "192.0.2.1/32"
"""From where the twin's hosts are called."""
_OPEN = [(22, 22, EVERYWHERE), (12345, 12346, EVERYWHERE)]


def faults_of(text: str) -> TwinFaults:
    """`seed:N` draws how bad the world is, worse things than usual too; the empty text is the usual world."""
    if not text:
        return TwinFaults()
    dice = random.Random(int(text.removeprefix("seed:")))  # noqa: S311  mishaps need no secrecy
    return TwinFaults(
        connection_lost=dice.uniform(0, 0.2),
        throttled=dice.uniform(0, 0.2),
        mail_busy=dice.uniform(0, 0.5),
        mail_lost=dice.choice((0.0, 0.3)),
        mail_refused=dice.choice((0.0, 0.3)),
        monitoring_down=dice.uniform(0, 0.6),
        instance_dies=dice.choice((0.0, 0.2)),
    )


class TwinFile:
    """The file, its dice, and its clock. The dice are rolled by seed, subject and count: no kill changes the future."""

    def __init__(
        self, path: Path, *, seed: int = 0, pace: float = 1.0, faults: TwinFaults | None = None, crash_at: str = ""
    ) -> None:
        self._pace = pace
        self.faults = faults or TwinFaults()
        self._crash_step, _, self._crash_point = crash_at.partition(":")
        self._turn = threading.Lock()
        self._db = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        for pragma in ("synchronous = OFF", "journal_mode = TRUNCATE"):
            self._db.execute(f"PRAGMA {pragma}")
        with self.change() as db:
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            if "recorded_by" not in [column["name"] for column in db.execute("PRAGMA table_info(serverinfo)")]:
                db.execute("ALTER TABLE serverinfo ADD COLUMN recorded_by TEXT NOT NULL DEFAULT ''")
            db.execute("INSERT OR IGNORE INTO meta VALUES ('seed', ?)", (str(seed),))
            self.seed = str(db.execute("SELECT value FROM meta WHERE key = 'seed'").fetchone()[0])

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction of its own, safe between processes; nothing of it happened if it fails."""
        # SQLite lets threads that wait for each other sleep much longer than the change takes: a queue is faster.
        with self._turn, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def note(self, db: sqlite3.Connection, effect: str, subject: str) -> None:
        """The world's own diary, for whoever doubts the ledger."""
        db.execute("INSERT INTO effects (at, effect, subject) VALUES (?, ?, ?)", (self.now(), effect, subject))

    def roll(self, db: sqlite3.Connection, die: str) -> float:
        """A number in [0, 1), the next one of this die."""
        db.execute("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", (die,))
        count = db.execute("SELECT n FROM counters WHERE name = ?", (die,)).fetchone()[0]
        digest = hashlib.sha256(f"{self.seed} {die} {count}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56

    def mishap(self, db: sqlite3.Connection, die: str) -> bool:
        """Whether the answer to what was just done gets lost. Roll it inside the transaction, lose it after."""
        return self.roll(db, f"lost {die}") < self.faults.connection_lost

    def throttle(self, die: str) -> None:
        """Refuse now and then before anything is done."""
        with self.change() as db:
            refused = self.roll(db, f"throttled {die}") < self.faults.throttled
        if refused:
            raise Transient("RequestLimitExceeded", kind="throttled")

    @property
    def ingress(self) -> list[Ingress]:
        """What the security group lets in: it is one for all instances."""
        with self.change() as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'ingress'").fetchone()
        rules = json.loads(row["value"]) if row is not None else _OPEN
        return [Ingress(first=first, last=last, source=source) for first, last, source in rules]

    def let_in(self, rules: Iterable[tuple[int, int, str]]) -> None:
        """Replace the security group's rules: first port, last port, source."""
        with self.change() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES ('ingress', ?)", (json.dumps(list(rules)),))

    def reachable(self, port: int) -> bool:
        """Whether the group lets this runner in at the port."""
        return covered(RUNNER, sources(self.ingress, port))

    def spend(self, seconds: float) -> None:
        """Let the twin's time pass."""
        time.sleep(seconds * self._pace * self.faults.slowness)

    def now(self) -> str:
        """The time as EC2 prints it."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def point(self, step: str, point: str) -> None:
        """A crash point: die here, at once and uncleanly, if this is the one that was asked for."""
        if step == self._crash_step and point == self._crash_point:
            os.kill(os.getpid(), signal.SIGKILL)


def lose(lost: bool) -> None:
    """The answer is lost, though the effect is done."""
    if lost:
        raise Transient("connection lost")
