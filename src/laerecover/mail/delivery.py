"""Delivery: an account's mails are prepared, held, or given to the mail server, each once at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING

from laerecover.errors import StepFailed
from laerecover.hosts.vault import Vault
from laerecover.mail.letters import render
from laerecover.mail.outbox import CONFIRMATION, DECIDED, FAILURE, FOREIGN, TAKEN, Mail, Outbox, message_id
from laerecover.mail.replies import ABOUT_US, IN_A_ROW
from laerecover.manifest import Account
from laerecover.ports.patience import Patience
from laerecover.ports.refusals import MAIL_ABOUT_US, MailInDoubt, Refusal, Transient
from laerecover.ports.world import World

if TYPE_CHECKING:
    from laerecover.settings import Settings


class Sending:
    """Whether mails still go out: the first refusal that is about us stops that, for every account of the command."""

    def __init__(self) -> None:
        self.stopped = ""

    def stop(self, why: str) -> None:
        """Send nothing more; the first reason counts."""
        self.stopped = self.stopped or why


def nowhere(point: str) -> None:
    """The real world has no crash points."""
    del point


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMeans:
    """What all mails of a command leave by."""

    recovery_id: str
    world: World
    settings: Settings
    vault: Vault
    outbox: Outbox
    mail: str = "hold"
    """`hold` or `send`."""
    sending: Sending = field(default_factory=Sending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One account's mails on their way. What the outbox says already stands, however often it is asked."""

    account: Account
    means: MailMeans
    patience: Patience
    recorded: str | None = None
    """The instance that the ledger says was recorded; None if it says nothing of that."""
    point: Callable[[str], None] = nowhere

    def post(self, kind: str, detail: str, *, number: int | str, there: Mail | None = None) -> Mail:
        """Prepare one mail in the outbox, if it is not `there`; then hold or send it.

        Gives it as it stands then. Raises StepFailed: `mail_refused`, `mail_in_doubt`, `mail_waiting`.
        """
        account, now = self.account, self.means.world.clock.now()
        # The customer's mail and the note to the staff are one mail to two readers: they share an id, so only one can
        # be.
        identity = CONFIRMATION if kind != FAILURE else FAILURE
        sender = self.means.settings.mail.sender
        mail = there or Mail(
            message_id=message_id(self.means.recovery_id, account.account_id, identity, number, sender=sender),
            account_id=account.account_id,
            kind=kind,
            state="prepared",
            detail=detail,
            prepared_at=now,
        )
        self._render(mail)
        self.point("before-act")
        mail = self.means.outbox.prepare(mail)
        self.point("after-act")
        foreign = self.doubt_foreign(mail)
        if self.means.mail != "send" or self.means.sending.stopped:
            self.means.outbox.move(mail.message_id, to="held", of=["prepared"], now=now)
        elif mail.state in ("prepared", "held") and not foreign:
            self.deliver_patiently(mail)
        mail = self.means.outbox.get(mail.message_id)
        if mail.state in ("refused", "in_doubt"):
            said = f"the mail is {mail.state.replace('_', ' ')}: {mail.answer}"
            raise StepFailed(said, kind=f"mail_{mail.state}", follow_up=True)
        return mail

    def deliver(self, mail: Mail) -> None:
        """Give one prepared or held mail to the mail server, once.

        The outbox says `sending` before and the outcome afterwards. Transient, or a Refusal that is not about the mail
        (no TLS, no login, our sender; or the same to several accounts in a row): surely not taken, so it is held again.
        """
        message = self._render(mail)
        clock, host = self.means.world.clock, self.means.vault.load(mail.account_id).get("public_host")
        if self.doubt_foreign(mail):
            return
        name, waiting, outbox = mail.message_id, ["prepared", "held"], self.means.outbox
        if not outbox.move(name, to="sending", of=waiting, now=clock.now(), host=host.reveal() if host else ""):
            return
        self.point("before-send")
        state, answer, in_a_row = "in_doubt", "the sending was broken off", False
        try:
            self.means.world.mailer.send(message)
            state, answer = "sent", TAKEN
        except Transient as error:
            state, answer = "held", str(error)
            raise
        except Refusal as error:
            state, answer = "refused", str(error)
            if error.kind != "mail_refused":
                state, answer = "held", f"{ABOUT_US if error.kind in MAIL_ABOUT_US else ''}{answer}"
                raise
        except MailInDoubt as error:
            answer = str(error)
        finally:
            self.point("after-send")
            if state == "refused":
                in_a_row = outbox.refuse(name, now=clock.now(), answer=answer)
            else:
                outbox.move(name, to=state, of=["sending"], now=clock.now(), answer=answer)
        if in_a_row:
            raise Refusal(f"{IN_A_ROW}{answer}", kind="mail_sender")

    def deliver_patiently(self, mail: Mail) -> None:
        """Retry a busy mail server; at the deadline the mail stays held: a follow-up, no failure of the account.

        Where the refusal is about us, nothing more is sent, for anybody. Raises StepFailed (`mail_waiting`).
        """
        until, tries = self.means.world.clock.monotonic() + self.means.settings.waits.mail_deadline, 0
        while not self.means.sending.stopped:
            try:
                return self.deliver(mail)
            except Refusal as error:
                if error.kind in MAIL_ABOUT_US:
                    self.means.sending.stop(str(error))
                raise _waiting(error) from None
            except Transient as error:
                tries += 1
                try:
                    self.patience.pause(tries, until, "mail server", str(error))
                except StepFailed:
                    raise _waiting(error) from None
        self.means.outbox.move(mail.message_id, to="held", of=["prepared"], now=self.means.world.clock.now())
        return None

    def doubt_foreign(self, mail: Mail) -> bool:
        """Whether another state folder recorded the account's server: the mail is in doubt then, for it was that one's
        to send.
        """
        if mail.kind == FAILURE:
            return False
        told = self.means.outbox.recorded(mail.account_id)
        if told is None and self.recorded is not None:
            told = (self.recorded, "")
        if told is None or told[1] == DECIDED:
            return False
        instance_id, ours = told
        rows = [row for row in self.means.world.register.rows() if row.instance_id == instance_id]
        if all((row.recorded_by or row.recorded_at) == ours for row in rows):
            return False
        now = self.means.world.clock.now()
        return self.means.outbox.move(mail.message_id, to="in_doubt", of=["prepared", "held"], now=now, answer=FOREIGN)

    def withdraw_failures(self) -> None:
        """Failure notices that nobody sent are history once the account is recovered."""
        for mail in self.means.outbox.of(self.account.account_id):
            if mail.kind == FAILURE:
                self.means.outbox.move(
                    mail.message_id,
                    to="withdrawn",
                    of=["prepared", "held"],
                    now=self.means.world.clock.now(),
                    answer="recovered since",
                )

    def _render(self, mail: Mail) -> EmailMessage:
        kept = self.means.vault.load(self.account.account_id)
        host = kept.get("public_host")
        return render(
            mail,
            self.account,
            self.means.settings,
            furl=kept.get("furl"),
            public_host=host.reveal() if host else None,
            found=kept.get("found"),
        )


def _waiting(error: Refusal | Transient) -> StepFailed:
    return StepFailed(f"the mail waits in the outbox: {error}", kind="mail_waiting", follow_up=True)
