"""The outbox: every mail from its intention to its outcome, without its text."""

from __future__ import annotations

import hashlib
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from laerecover.databases import connect, durable, readable
from laerecover.mail.replies import ABOUT_US, ALIKE, IN_A_ROW, alike

CONFIRMATION, STAFF_NOTE, FAILURE = "confirmation", "staff_note", "failure"
COPIED = "this state folder is a copy or was moved: the mail may have been sent from where it was"
FOREIGN = "another state folder recorded this server: it may have sent the mail"
LOST = "the outbox was lost: nobody knows whether the mail was sent"
TAKEN = "taken by the mail server"

_TABLE = """CREATE TABLE IF NOT EXISTS mails (
    message_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    detail TEXT NOT NULL, prepared_at TEXT NOT NULL, changed_at TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '',
    host TEXT NOT NULL DEFAULT '')"""
_RECORDS = """CREATE TABLE IF NOT EXISTS records (
    account_id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, recorded_at TEXT NOT NULL)"""
DECIDED = "a human decided"
"""In place of what shows that this state recorded a server: whoever did, its mail may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail. Its text is rendered again from the manifest when it is shown or sent; only `detail` is kept of it."""

    message_id: str
    account_id: str
    kind: str
    state: str
    """`prepared`, `held`, `sending`, `sent`, `in_doubt`, `refused` or `withdrawn`."""
    detail: str
    prepared_at: datetime
    answer: str = ""
    host: str = ""
    """The address that it told when it was given away; "" if it was not, or nobody knows."""

    def tells(self, public_host: str) -> bool:
        """Whether it tells that address: one that waits is rendered with the latest."""
        return self.state in ("prepared", "held", "sending") or self.host in ("", public_host)

    @property
    def guarded(self) -> bool:
        """Whether it is held because its refusal stopped the sending."""
        return self.state == "held" and self.answer.startswith((ABOUT_US, IN_A_ROW))


def stopped(mails: Sequence[Mail]) -> str:
    """Why the sending was stopped and is not mended yet, as the mails say; "" if it was not."""
    guarded = [mail for mail in mails if mail.guarded]
    many = "1 mail is" if len(guarded) == 1 else f"{len(guarded)} mails are"
    return f"{guarded[-1].answer}; {many} held for it" if guarded else ""


def current(mails: Sequence[Mail]) -> frozenset[str]:
    """Of one account's mails, oldest first: the last one, and the last that is no failure notice.

    The others were overtaken.
    """
    letters = [mail for mail in mails if mail.kind != FAILURE]
    return frozenset(mail.message_id for mail in (*letters[-1:], *mails[-1:]))


def message_id(recovery_id: str, account_id: str, kind: str, number: int | str, *, sender: str) -> str:
    """The same mail has the same Message-ID, however often it is prepared; what stands before the @ names it."""
    digest = hashlib.sha256("\0".join([recovery_id, account_id, kind, str(number)]).encode()).hexdigest()
    return f"<{digest[:32]}@{sender.rpartition('@')[2]}>"


class Outbox:
    """One SQLite file. Every change is on disk before the method returns. Raises LaeRecoverError if it cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        weakref.finalize(self, durable(path).close)
        with self._open() as db:
            db.execute(_TABLE)
            if "host" not in [column["name"] for column in db.execute("PRAGMA table_info(mails)")]:
                db.execute("ALTER TABLE mails ADD COLUMN host TEXT NOT NULL DEFAULT ''")
            db.execute(_RECORDS)

    def prepare(self, mail: Mail) -> Mail:
        """Write the intention down, once: a mail that exists already, of whichever sender, is returned as it stands."""
        same = (mail.message_id, mail.message_id.partition("@")[0] + "@%")
        with self._open() as db:
            when, changed = mail.prepared_at.isoformat(), _later(db, mail.prepared_at)
            values = (mail.message_id, mail.account_id, mail.kind, "prepared", mail.detail, when, changed, mail.host)
            found = db.execute("SELECT * FROM mails WHERE message_id = ? OR message_id LIKE ?", same).fetchone()
            if found is None:
                db.execute("INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, '', ?)", values)
        return _mail(found) if found is not None else self.get(mail.message_id)

    def get(self, message_id: str) -> Mail:
        """Raises KeyError."""
        with self._open() as db:
            row = db.execute("SELECT * FROM mails WHERE message_id = ?", (message_id,)).fetchone()
        if row is None:
            raise KeyError(message_id)
        return _mail(row)

    def all(self) -> Sequence[Mail]:
        """Every mail, oldest first."""
        with self._open() as db:
            return [_mail(row) for row in db.execute("SELECT * FROM mails ORDER BY rowid")]

    def of(self, account_id: str) -> Sequence[Mail]:
        """The account's mails, oldest first."""
        with self._open() as db:
            return _of(db, account_id)

    def numbers(self) -> dict[str, int]:
        """State of mail -> how many; failure notices left out."""
        numbers: dict[str, int] = {}
        for mail in self.all():
            if mail.kind != FAILURE:
                numbers[mail.state] = numbers.get(mail.state, 0) + 1
        return numbers

    def move(
        self, message_id: str, *, to: str, of: Sequence[str], now: datetime, answer: str = "", host: str = ""
    ) -> bool:
        """Change the state if it is one of `of`; False if it is another. The check and the change are one.

        `host`: what it tells from now on, if not "".
        """
        marks = ", ".join("?" * len(of))
        with self._open() as db:
            cursor = db.execute(
                "UPDATE mails SET state = ?, changed_at = ?, answer = ?, "  # noqa: S608  marks alone
                f"host = coalesce(nullif(?, ''), host) WHERE message_id = ? AND state IN ({marks})",
                (to, _later(db, now), answer, host, message_id, *of),
            )
            return cursor.rowcount == 1

    def waiting(self) -> Sequence[Mail]:
        """What is prepared or held, in the order in which it is to be tried: one that keeps being refused keeps nobody
        back.
        """
        asked = "SELECT * FROM mails WHERE state IN ('prepared', 'held') ORDER BY changed_at, rowid"
        with self._open() as db:
            return [_mail(row) for row in db.execute(asked)]

    def refuse(self, message_id: str, *, now: datetime, answer: str) -> bool:
        """A mail that was being sent is refused.

        True if ALIKE accounts in a row were refused so: theirs are held instead, and none is burnt.
        """
        refused = (
            "UPDATE mails SET state = 'refused', changed_at = ?, answer = ? WHERE message_id = ? AND state = 'sending'"
        )
        latest = "SELECT * FROM mails ORDER BY message_id = ? DESC, changed_at DESC"
        held = "UPDATE mails SET state = 'held', answer = ? || answer WHERE message_id = ? AND state = 'refused'"
        with self._open() as db:
            db.execute(refused, (_later(db, now), answer, message_id))
            row = _alike_in_a_row(_mail(found) for found in db.execute(latest, (message_id,)))
            row = [mail for mail in row if mail.message_id in current(_of(db, mail.account_id))]
            if len({mail.account_id for mail in row}) < ALIKE:
                return False
            db.executemany(held, [(IN_A_ROW, mail.message_id) for mail in row])
            return True

    def doubt_interrupted(self, now: datetime) -> int:
        """Mails that a dead runner was sending are in doubt now.

        Call it only while holding the lock, before any sending.
        """
        with self._open() as db:
            cursor = db.execute(
                "UPDATE mails SET state = 'in_doubt', changed_at = ?, answer = 'the runner died while sending' WHERE "
                "state = 'sending'",
                (_later(db, now),),
            )
            return cursor.rowcount

    def record(self, account_id: str, instance_id: str, recorded_by: str) -> None:
        """Write down, before it is done, that this state records that server, by that word; `""`: another one did."""
        with self._open() as db:
            db.execute(
                "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET "
                "instance_id = excluded.instance_id, recorded_at = excluded.recorded_at "
                "WHERE recorded_at != ?",
                (account_id, instance_id, recorded_by, DECIDED),
            )

    def recorded(self, account_id: str) -> tuple[str, str] | None:
        """The account's server, and by what this state knows its row: the row's word, or, where an older version
        wrote it, its time. None if no server was looked for yet.
        """
        with self._open() as db:
            row = db.execute("SELECT * FROM records WHERE account_id = ?", (account_id,)).fetchone()
        return None if row is None else (row["instance_id"], row["recorded_at"])

    def decide(self, account_id: str) -> None:
        """A human wants this account's mail sent, whoever recorded its server."""
        with self._open() as db:
            db.execute(
                "INSERT INTO records VALUES (?, '', ?) ON CONFLICT (account_id) DO UPDATE SET recorded_at = "
                "excluded.recorded_at",
                (account_id, DECIDED),
            )

    def doubt_copied(self, now: datetime) -> int:
        """This folder is a copy, or was moved: what waits may have been sent from the other place, and what it
        recorded is not ours.
        """
        with self._open() as db:
            db.execute("UPDATE records SET recorded_at = ''")
            cursor = db.execute(
                "UPDATE mails SET state = 'in_doubt', changed_at = ?, answer = ? "
                "WHERE state IN ('prepared', 'held', 'sending') AND kind != ?",
                (_later(db, now), COPIED, FAILURE),
            )
            return cursor.rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = connect(self._path)
        db.row_factory = sqlite3.Row
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()


def mails_in(path: Path) -> Sequence[Mail]:
    """Every mail of an outbox that is only looked at, oldest first; one that does not exist is empty, and not made."""
    if not path.is_file():
        return ()
    with readable(path) as look, closing(look()) as db:
        db.row_factory = sqlite3.Row
        known = [column["name"] for column in db.execute("PRAGMA table_info(mails)")]
        if not known:
            return ()
        host = "host" if "host" in known else "'' AS host"
        names = "message_id, account_id, kind, state, detail, prepared_at, answer"
        asked = f"SELECT {names}, {host} FROM mails ORDER BY rowid"  # noqa: S608  names of ours
        return [_mail(row) for row in db.execute(asked)]


def decided_in(path: Path) -> frozenset[str]:
    """The accounts whose mail a human wants sent, in an outbox that is only looked at."""
    if not path.is_file():
        return frozenset()
    with readable(path) as look, closing(look()) as db:
        if not list(db.execute("PRAGMA table_info(records)")):
            return frozenset()
        asked = "SELECT account_id FROM records WHERE recorded_at = ?"
        return frozenset(str(row[0]) for row in db.execute(asked, (DECIDED,)))


def _later(db: sqlite3.Connection, now: datetime) -> str:
    """The time of a change, after all changes before it though a clock jumps back: in their order fates are judged."""
    (last,) = db.execute("SELECT max(changed_at) FROM mails").fetchone()
    return (now if last is None else max(now, datetime.fromisoformat(last) + timedelta(microseconds=1))).isoformat()


def _of(db: sqlite3.Connection, account_id: str) -> list[Mail]:
    asked = "SELECT * FROM mails WHERE account_id = ? ORDER BY rowid"
    return [_mail(row) for row in db.execute(asked, (account_id,))]


def _alike_in_a_row(mails: Iterator[Mail]) -> list[Mail]:
    """Of all mails, the one whose fate was settled last first: those that were refused as the first was, one after
    another.

    Customers' mails and the staff's are counted apart: where only strangers are refused, the staff's own say nothing.
    """
    first = next(mails)
    common, found = alike(first.answer), [first]
    for mail in mails:
        refused = mail.state == "refused" or mail.guarded
        if (mail.kind == CONFIRMATION) != (first.kind == CONFIRMATION) or not (refused or mail.answer == TAKEN):
            continue
        if not (refused and common and alike(mail.answer) == common):
            break
        found.append(mail)
    return found


def _mail(row: sqlite3.Row) -> Mail:
    names = ("message_id", "account_id", "kind", "state", "detail", "answer", "host")
    return Mail(prepared_at=datetime.fromisoformat(row["prepared_at"]), **{name: row[name] for name in names})
