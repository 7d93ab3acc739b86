"""Mail by SMTP, over TLS or not at all."""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from typing import TYPE_CHECKING

from laerecover.adapters.smtp_replies import NoReply, is_refusal, read_reply, reply_text, shown
from laerecover.adapters.smtp_session import kinds_offered, open_session
from laerecover.mail.addresses import address_of, is_international
from laerecover.mail.replies import SAYS, about_us
from laerecover.ports.refusals import MailInDoubt, Refusal, Transient, WorldError
from laerecover.text import clean, reason_of

if TYPE_CHECKING:
    from laerecover.sections import MailSettings

_GO_ON = 354
_IDLE = 30.0
"""Seconds for which a session is kept for the next message: the older, the likelier somebody has dropped it."""
_UTF8 = "smtputf8"


class SmtpMailer:
    """Hands messages to the mail server, many in one session; who sends at the same time has a session of their own."""

    def __init__(self, mail: MailSettings) -> None:
        self._mail = mail
        self._kept, self._lock = list[tuple[float, smtplib.SMTP]](), threading.Lock()

    def send(self, message: EmailMessage) -> None:
        """Until the message itself is given away every trouble is Transient or a Refusal; from then on, in doubt.

        A 5xx before RCPT is about us, whatever it says; one to RCPT or to the message is, if its words say so. Only a
        session in which the message was taken is kept for the next one.
        """
        smtp = self._introduced(message)
        try:
            self._give_away(smtp, message)
        except BaseException:
            smtp.close()
            raise
        with self._lock:
            self._kept.append((time.monotonic(), smtp))

    def proved(self) -> tuple[str, bool]:
        """Log in, name the sender, and take it back: what was agreed, and whether SMTPUTF8 is offered.

        No mail is sent. Raises as `send` does.
        """
        smtp = open_session(self._mail)
        try:
            offered = kinds_offered(smtp)
            tls = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else "no TLS"
            logged_in = "logged in" if self._mail.user else "no log-in"
            self._asked(smtp, "MAIL", "FROM:", _enveloped(self._mail.sender, "MAIL"))
            with suppress(smtplib.SMTPException, OSError):
                smtp.rset()
                smtp.quit()
            kinds = f", which takes {clean(' '.join(offered))}" if offered else ""
            agreed = f"{tls}, {logged_in}{kinds}; it takes mail from {clean(self._mail.sender)}"
            return agreed, smtp.has_extn(_UTF8)
        finally:
            smtp.close()

    def _introduced(self, message: EmailMessage) -> smtplib.SMTP:
        """A session in which the message can be given away now.

        What one says that has served before may be about itself (it was idle, it has had its share of messages), and
        it says so in many ways: nothing was given away, so all is asked again in a new one.
        """
        kept = self._still_there()
        if kept is not None:
            with suppress(WorldError):
                return self._introduce(kept, message)
        return self._introduce(open_session(self._mail), message)

    def _still_there(self) -> smtplib.SMTP | None:
        """A kept session that answers as if nothing had been said in it; None if there is none."""
        while True:
            with self._lock:
                if not self._kept:
                    return None
                since, smtp = self._kept.pop()
            with suppress(smtplib.SMTPException, OSError, NoReply):
                if time.monotonic() - since < _IDLE:
                    smtp.putcmd("RSET")
                    if read_reply(smtp)[0] // 100 == 2:
                        return smtp
            smtp.close()

    def _introduce(self, smtp: smtplib.SMTP, message: EmailMessage) -> smtplib.SMTP:
        """Everything before the message: as long as this lasts, nothing was taken. Closes what does not agree."""
        try:
            sender, recipient = _enveloped(self._mail.sender, "MAIL"), _enveloped(_recipient(message), "RCPT")
            for whose, kind in ((sender, "mail_sender"), (recipient, "mail_refused")):
                if is_international(whose) and not smtp.has_extn(_UTF8):
                    what = "the address has letters beyond ASCII before its @, which the mail server cannot bear"
                    raise Refusal(f"{what}: it offers no SMTPUTF8", kind=kind)
            international = is_international(sender) or is_international(recipient)
            smtp.command_encoding = "utf-8" if international else "ascii"
            self._asked(smtp, "MAIL", "FROM:", sender, message, " SMTPUTF8 BODY=8BITMIME" if international else "")
            self._asked(smtp, "RCPT", "TO:", recipient, message)
            self._asked(smtp, "DATA", "", "", message)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _asked(
        self,
        smtp: smtplib.SMTP,
        name: str,
        prefix: str,
        address: str,
        message: EmailMessage | None = None,
        wishes: str = "",
    ) -> None:
        """One command of the envelope, and the reply that it wants."""
        try:
            smtp.putcmd(name, f"{prefix}{smtplib.quoteaddr(address)}{wishes}" if address else "")
            code, text = read_reply(smtp)
        except NoReply as error:
            what = f"what the mail server says to {name} is no reply: {shown(error.came)!r}"
            raise Transient(what, kind="mail_busy") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server hung up: {reason_of(error)}", kind="mail_busy") from None
        if not (code == _GO_ON if name == "DATA" else code // 100 == 2):
            raise self._no(code, text, message, always_us=name != "RCPT")

    def _give_away(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        content = smtplib._quote_periods(message.as_bytes())  # type: ignore[attr-defined]
        try:
            smtp.send(content + b".\r\n")
            code, text = read_reply(smtp)
        except NoReply as error:
            came = shown(error.came, message)
            raise MailInDoubt(f"what the mail server says to the message is no reply: {came!r}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailInDoubt(f"the connection was lost after DATA: {reason_of(error)}") from None
        if code // 100 == 3:
            raise MailInDoubt(f"what the mail server says to the message is no answer to it: {code}")
        if code // 100 != 2:
            raise self._no(code, text, message)

    def _no(
        self, code: int, text: bytes, message: EmailMessage | None, *, always_us: bool = False
    ) -> Refusal | Transient:
        """What a reply that is not the wanted one means."""
        reply = reply_text(code, text, message)
        if not is_refusal(code):
            return Transient(reply, kind="mail_busy")
        words, recipient = reply.removeprefix(SAYS), _recipient(message) if message is not None else ""
        ours = always_us or about_us(words, sender=self._mail.sender, recipient=recipient)
        return Refusal(reply, kind="mail_sender" if ours else "mail_refused")


def _recipient(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].addr_spec)


def _enveloped(email: str, name: str) -> str:
    """The address as the envelope bears it. Raises Refusal."""
    try:
        return address_of(email).addr_spec
    except (ValueError, LookupError, MessageError) as error:
        what = f"the address in {name} cannot stand in an envelope: {clean(error)}"
        raise Refusal(what, kind="mail_sender" if name == "MAIL" else "mail_refused") from None
