"""Mail by SMTP, over TLS or not at all."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from typing import TYPE_CHECKING

from laerecover.mail.replies import SAYS, about_us
from laerecover.ports.refusals import MailInDoubt, Refusal, Transient
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.sections import MailSettings

_TIMEOUT = 60.0
_LOGINS = ("CRAM-MD5", "PLAIN", "LOGIN")
"""Those that smtplib knows."""
_LONGEST_LINE, _MOST_LINES = 8192, 100
_GO_ON = 354
# RFC 5321, 4.2: three digits within these bounds, then nothing, a space or a hyphen with text, and both characters of
# the end.
_REPLY_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r\n")
_FURL = re.compile(r"pb:\S*")


class _NoReply(Exception):
    """What came is no reply as RFC 5321 has it: nobody can say what it means."""

    def __init__(self, came: bytes) -> None:
        super().__init__()
        self.came = came


class SmtpMailer:
    """One connection per message: mails are few, and a fresh connection has no past."""

    def __init__(self, mail: MailSettings) -> None:
        self._mail = mail

    def send(self, message: EmailMessage) -> None:
        """Until the message itself is given away every trouble is Transient or a Refusal; from then on, in doubt.

        A 5xx before RCPT is about us, whatever it says; one to RCPT or to the message is, if its words say so.
        """
        smtp = self._reached()
        try:
            self._introduce(smtp, message)
            self._give_away(smtp, message)
        finally:
            smtp.close()

    def proved(self) -> str:
        """Log in, name the sender, and take it back: what was agreed. No mail is sent. Raises as `send` does."""
        smtp = self._reached()
        try:
            offered = smtp.esmtp_features.get("auth", "").upper().split()
            tls = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else "no TLS"
            logged_in = "logged in" if self._mail.user else "no log-in"
            self._asked(smtp, "MAIL", "FROM:", self._mail.sender)
            with suppress(smtplib.SMTPException, OSError):
                smtp.rset()
                smtp.quit()
            kinds = f", which takes {clean(' '.join(offered))}" if offered else ""
            return f"{tls}, {logged_in}{kinds}; it takes mail from {clean(self._mail.sender)}"
        finally:
            smtp.close()

    def _reached(self) -> smtplib.SMTP:
        """A connection that is encrypted and logged in."""
        try:
            return self._connect()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as error:
            raise Transient(f"the mail server was not reached: {type(error).__name__}", kind="mail_busy") from None
        except ssl.SSLCertVerificationError as error:
            raise Refusal(
                f"the mail server's certificate is not trusted: {clean(error.reason)}", kind="mail_tls"
            ) from None
        except ssl.SSLError as error:
            what = f"no TLS could be agreed with the mail server: {clean(error.reason)}"
            raise Refusal(f"{what}; is its port one for `tls` or for `starttls`?", kind="mail_tls") from None
        except smtplib.SMTPAuthenticationError as error:
            # Its text may repeat what we sent, the password with it.
            if _permanent(error.smtp_code):
                raise Refusal(
                    f"the mail server refuses our user or password: {error.smtp_code}", kind="mail_login"
                ) from None
            raise Transient(
                f"the mail server cannot check our login now: {error.smtp_code}", kind="mail_busy"
            ) from None
        except smtplib.SMTPResponseException as error:
            said = _said(error.smtp_code, error.smtp_error)
            if _permanent(error.smtp_code):
                raise Refusal(said, kind="mail_sender") from None
            raise Transient(said, kind="mail_busy") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server was not reached: {type(error).__name__}", kind="mail_busy") from None
        except UnicodeEncodeError:
            raise Refusal("our user or password has characters that no login can send", kind="mail_login") from None

    def _connect(self) -> smtplib.SMTP:
        s = self._mail
        context = ssl.create_default_context(cafile=s.ca_file)
        smtp: smtplib.SMTP
        if s.security == "tls":
            smtp = smtplib.SMTP_SSL(s.host, s.port, timeout=_TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(s.host, s.port, timeout=_TIMEOUT)
        try:
            _greet(smtp)
            if s.security != "tls":
                if not smtp.has_extn("starttls"):
                    raise Refusal("the mail server offers no TLS; a furl is a capability", kind="mail_tls")
                smtp.starttls(context=context)
                _greet(smtp)
            if s.user and s.password is not None:
                offered = smtp.esmtp_features.get("auth", "").upper().split()
                if not set(_LOGINS).intersection(offered):
                    what = f"the mail server offers no login that we know, but {clean(', '.join(offered)) or 'none'}"
                    raise Refusal(f"{what}; known are {', '.join(_LOGINS)}", kind="mail_login")
                smtp.login(s.user, s.password.reveal())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _introduce(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        """Everything before the message: as long as this lasts, nothing was taken."""
        for name, prefix, address in (
            ("MAIL", "FROM:", self._mail.sender),
            ("RCPT", "TO:", _recipient(message)),
            ("DATA", "", ""),
        ):
            self._asked(smtp, name, prefix, address, message)

    def _asked(
        self, smtp: smtplib.SMTP, name: str, prefix: str, address: str, message: EmailMessage | None = None
    ) -> None:
        """One command of the envelope, and the reply that it wants."""
        try:
            smtp.putcmd(name, prefix + smtplib.quoteaddr(address) if address else "")
            code, text = _reply(smtp)
        except _NoReply as error:
            said = f"what the mail server says to {name} is no reply: {_shown(error.came)!r}"
            raise Transient(said, kind="mail_busy") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server hung up: {type(error).__name__}", kind="mail_busy") from None
        except UnicodeEncodeError:
            what = f"the address in {name} has characters that no envelope can bear"
            raise Refusal(what, kind="mail_sender" if name == "MAIL" else "mail_refused") from None
        if not (code == _GO_ON if name == "DATA" else code // 100 == 2):
            raise self._no(code, text, message, always_us=name != "RCPT")

    def _give_away(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        content = smtplib._quote_periods(message.as_bytes())  # type: ignore[attr-defined]
        try:
            smtp.send(content + b".\r\n")
            code, text = _reply(smtp)
        except _NoReply as error:
            said = _shown(error.came, message)
            raise MailInDoubt(f"what the mail server says to the message is no reply: {said!r}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailInDoubt(f"the connection was lost after DATA: {type(error).__name__}") from None
        if code // 100 == 3:
            raise MailInDoubt(f"what the mail server says to the message is no answer to it: {code}")
        if code // 100 != 2:
            raise self._no(code, text, message)

    def _no(
        self, code: int, text: bytes, message: EmailMessage | None, *, always_us: bool = False
    ) -> Refusal | Transient:
        """What a reply that is not the wanted one means."""
        said = _said(code, text, message)
        if not _permanent(code):
            return Transient(said, kind="mail_busy")
        reply, recipient = said.removeprefix(SAYS), _recipient(message) if message is not None else ""
        ours = always_us or about_us(reply, sender=self._mail.sender, recipient=recipient)
        return Refusal(said, kind="mail_sender" if ours else "mail_refused")


def _recipient(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].addr_spec)


def _greet(smtp: smtplib.SMTP) -> None:
    code, text = smtp.ehlo()
    if code // 100 != 2:
        raise smtplib.SMTPHeloError(code, text)


def _reply(smtp: smtplib.SMTP) -> tuple[int, bytes]:
    """The next reply, read more strictly than smtplib does: there, any three characters that Python takes for a number
    will do.
    """
    lines: list[bytes] = []
    first = None
    while len(lines) < _MOST_LINES:
        line = smtp.file.readline(_LONGEST_LINE)  # type: ignore[union-attr]
        if not line:
            raise smtplib.SMTPServerDisconnected
        match = _REPLY_LINE.fullmatch(line)
        if match is None or match[1] != (first or match[1]):
            raise _NoReply(line)
        first = match[1]
        lines.append(match[3] or b"")
        if match[2] != b"-":
            return int(first), b"\n".join(lines)
    raise _NoReply(b"".join(lines))


def _said(code: int, text: bytes | str, message: EmailMessage | None = None) -> str:
    return f"{SAYS}{clean(f'{code} {_shown(text, message)}')}"


def _shown(text: bytes | str, message: EmailMessage | None = None) -> str:
    """What a server says, made fit to be kept: it may quote what it refuses, so the furl is taken out."""
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for furl in _FURL.findall(message.get_content()) if message is not None else ():
        shown = shown.replace(furl.rpartition("/")[2] or furl, "…")
    return clean(_FURL.sub("…", " ".join(shown.split())))


def _permanent(code: int) -> bool:
    return 500 <= code <= 599
