"""The twin's mail server, server register and monitoring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields
from email.message import EmailMessage

from laerecover.mail.replies import SAYS
from laerecover.ports.refusals import MailInDoubt, Refusal, Transient
from laerecover.ports.services import ServerRow
from laerecover.rehearsal.twin.world import TwinFile, lose


class TwinMailer:
    """Takes mail into its mailbox; busy now and then."""

    def __init__(self, file: TwinFile) -> None:
        self._file = file

    def send(self, message: EmailMessage) -> None:
        file, message_id = self._file, str(message["Message-ID"])
        file.spend(2)
        with file.change() as db:
            if file.roll(db, f"mail busy {message_id}") < file.faults.mail_busy:
                busy, barred, refused, lost = True, False, False, False
            else:
                busy, barred = False, file.roll(db, f"mail barred {message_id}") < file.faults.mail_barred
                refused = file.roll(db, f"mail refused {message_id}") < file.faults.mail_refused
                lost = file.roll(db, f"mail lost {message_id}") < file.faults.mail_lost
            if not busy and not barred and not refused:
                digest = hashlib.sha256(message.as_bytes()).hexdigest()
                db.execute(
                    "INSERT INTO mailbox (message_id, recipient, subject, sha256, received_at) VALUES (?, ?, ?, ?, ?)",
                    (message_id, str(message["To"]), str(message["Subject"]), digest, file.now()),
                )
                file.note(db, "mail", message_id)
        if busy:
            raise Transient(f"{SAYS}451 try again later", kind="mail_busy")
        if barred:
            raise Refusal(f"{SAYS}550 5.7.1 sender not verified", kind="mail_sender")
        if refused:
            raise Refusal(f"{SAYS}550 no such mailbox", kind="mail_refused")
        if lost:
            raise MailInDoubt("the connection was lost after DATA")


class TwinRegister:
    """serverinfo.csv as a table."""

    def __init__(self, file: TwinFile) -> None:
        self._file = file

    def rows(self) -> Sequence[ServerRow]:
        names = [each.name for each in fields(ServerRow)]
        with self._file.change() as db:
            return [ServerRow(**{n: r[n] for n in names}) for r in db.execute("SELECT * FROM serverinfo ORDER BY n")]

    def append(self, row: ServerRow) -> None:
        with self._file.change() as db:
            known = db.execute("SELECT 1 FROM serverinfo WHERE instance_id = ?", (row.instance_id,)).fetchone()
            if known is None:
                db.execute(
                    "INSERT INTO serverinfo (recorded_at, launch_time, instance_id, public_host, recorded_by) "
                    "VALUES (:recorded_at, :launch_time, :instance_id, :public_host, :recorded_by)",
                    asdict(row),
                )
                self._file.note(db, "serverinfo", row.instance_id)
            lost = self._file.mishap(db, f"serverinfo {row.instance_id}")
        lose(lost)


class TwinMonitoring:
    """The zenoss server, down now and then."""

    def __init__(self, file: TwinFile) -> None:
        self._file = file

    def watches(self, public_host: str) -> bool:
        with self._file.change() as db:
            found = db.execute("SELECT 1 FROM monitored WHERE public_host = ?", (public_host,))
            return found.fetchone() is not None

    def watch(self, public_host: str) -> None:
        self._file.spend(3)
        with self._file.change() as db:
            down = self._file.roll(db, f"zenoss {public_host}") < self._file.faults.monitoring_down
            if not down:
                db.execute("INSERT OR IGNORE INTO monitored VALUES (?, ?)", (public_host, self._file.now()))
                self._file.note(db, "monitor", public_host)
        if down:
            raise Transient("the monitoring server does not answer")
