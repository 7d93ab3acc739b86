"""Mail by SMTP, over TLS or not at all."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from laerecover.ports import MailInDoubt, Refusal, Transient
from laerecover.settings import Settings
from laerecover.text import clean

_TIMEOUT = 60.0
_OK, _GO_ON, _PERMANENT = 250, 354, 500


class SmtpMailer:
    """One connection per message: mails are few, and a fresh connection has no past."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, message: EmailMessage) -> None:
        """Until the message itself is given away every trouble is Transient or a Refusal; from then on, in doubt."""
        try:
            smtp = self._connect()
        except ssl.SSLError as error:
            raise Refusal(
                f"the mail server's certificate is not trusted: {clean(error.reason)}", kind="mail_tls"
            ) from None
        except smtplib.SMTPAuthenticationError:
            raise Refusal("the mail server refuses our user or password", kind="mail_login") from None
        except smtplib.SMTPNotSupportedError:
            raise Refusal("the mail server offers no TLS; a furl is a capability", kind="mail_tls") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server was not reached: {type(error).__name__}", kind="mail_busy") from None
        try:
            self._converse(smtp, message)
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        s = self._settings
        context = ssl.create_default_context(cafile=s.smtp_ca_file)
        smtp: smtplib.SMTP
        if s.smtp_security == "tls":
            smtp = smtplib.SMTP_SSL(s.smtp_host, s.smtp_port, timeout=_TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(s.smtp_host, s.smtp_port, timeout=_TIMEOUT)
            smtp.ehlo()
            smtp.starttls(context=context)
        smtp.ehlo()
        if s.smtp_user and s.smtp_password is not None:
            smtp.login(s.smtp_user, s.smtp_password.reveal())
        return smtp

    def _converse(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        recipient = message["To"].addresses[0].addr_spec
        content = smtplib._quote_periods(message.as_bytes())  # type: ignore[attr-defined]
        try:
            _expect(smtp.mail(self._settings.sender), _OK)
            _expect(smtp.rcpt(recipient), _OK)
            _expect(smtp.docmd("DATA"), _GO_ON)
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server hung up: {type(error).__name__}", kind="mail_busy") from None
        try:
            smtp.send(content + b".\r\n")
            reply = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise MailInDoubt(f"the connection was lost after DATA: {type(error).__name__}") from None
        _expect(reply, _OK)


def _expect(reply: tuple[int, bytes], wanted: int) -> None:
    code, text = reply
    if code // 100 == wanted // 100:
        return
    said = clean(f"{code} {text.decode('utf-8', 'replace')}", limit=200)
    if code >= _PERMANENT:
        raise Refusal(f"the mail server says {said}", kind="mail_refused")
    raise Transient(f"the mail server says {said}", kind="mail_busy")
