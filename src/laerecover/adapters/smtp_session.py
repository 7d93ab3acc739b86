"""A session with the mail server: encrypted, logged in, or named as what keeps it from being so."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

from laerecover.adapters.smtp_replies import is_refusal, reply_text
from laerecover.ports.refusals import Refusal, Transient
from laerecover.text import clean, reason_of

if TYPE_CHECKING:
    from laerecover.sections import MailSettings

_OPENING, _TIMEOUT = 20.0, 60.0
"""Seconds until a server has greeted, and until it has answered a question: whoever drops packets never greets."""
_ASKED_AGAIN = 5.0
_LOGINS = ("CRAM-MD5", "PLAIN", "LOGIN")
"""Those that smtplib knows."""


def open_session(mail: MailSettings) -> smtplib.SMTP:
    """A session that is encrypted and logged in; nothing was said of any mail. Raises Transient, Refusal."""
    try:
        return _connect(mail)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as error:
        raise _not_reached(error) from None
    except ssl.SSLCertVerificationError as error:
        what = f"the mail server's certificate is not trusted: {clean(error.verify_message)}"
        raise Refusal(f"{what}; name the file of its authority in mail.ca_file", kind="mail_tls") from None
    except ssl.SSLError as error:
        what = f"no TLS could be agreed with the mail server: {clean(error.reason)}"
        raise Refusal(f"{what}; is its port one for `tls` or for `starttls`?", kind="mail_tls") from None
    except smtplib.SMTPAuthenticationError as error:
        # Its text may repeat what we sent, the password with it.
        if is_refusal(error.smtp_code):
            raise Refusal(
                f"the mail server refuses our user or password: {error.smtp_code}", kind="mail_login"
            ) from None
        raise Transient(f"the mail server cannot check our login now: {error.smtp_code}", kind="mail_busy") from None
    except smtplib.SMTPResponseException as error:
        reply = reply_text(error.smtp_code, error.smtp_error)
        if is_refusal(error.smtp_code):
            raise Refusal(reply, kind="mail_sender") from None
        raise Transient(reply, kind="mail_busy") from None
    except (smtplib.SMTPException, OSError) as error:
        raise _not_reached(error) from None
    except UnicodeEncodeError:
        raise Refusal("our user or password has characters that no login can send", kind="mail_login") from None


def _connect(s: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=s.ca_file)
    smtp: smtplib.SMTP
    if s.security == "tls":
        smtp = smtplib.SMTP_SSL(s.host, s.port, timeout=_OPENING, context=context)
    else:
        smtp = _in_the_clear(s)
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(_TIMEOUT)
        _greet(smtp)
        if s.security != "tls":
            if not smtp.has_extn("starttls"):
                raise Refusal("the mail server offers no TLS; a furl is a capability", kind="mail_tls")
            smtp.starttls(context=context)
            _greet(smtp)
        if s.user and s.password is not None:
            offered = kinds_offered(smtp)
            if not set(_LOGINS).intersection(offered):
                what = f"the mail server offers no login that we know, but {clean(', '.join(offered)) or 'none'}"
                raise Refusal(f"{what}; known are {', '.join(_LOGINS)}", kind="mail_login")
            smtp.login(s.user, s.password.reveal())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _in_the_clear(s: MailSettings) -> smtplib.SMTP:
    """Before STARTTLS. A port for `tls` waits there for us, as we wait for its greeting: it is asked which it is."""
    try:
        return smtplib.SMTP(s.host, s.port, timeout=_OPENING)
    except (TimeoutError, smtplib.SMTPServerDisconnected):
        if _speaks_tls(s):
            what = f"port {s.port} of the mail server speaks TLS from the first byte"
            remedy = "set mail.security to `tls`, or mail.port to one for `starttls` (587 as a rule)"
            raise Refusal(f"{what}; {remedy}", kind="mail_tls") from None
        raise


def _speaks_tls(s: MailSettings) -> bool:
    """Whether the port agrees on TLS at once, with whomever: nothing is sent to it."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((s.host, s.port), timeout=_ASKED_AGAIN) as link:
            anybody.wrap_socket(link, server_hostname=s.host).close()
    except OSError:
        return False
    return True


def kinds_offered(smtp: smtplib.SMTP) -> list[str]:
    """The kinds of login that the server offers."""
    return smtp.esmtp_features.get("auth", "").upper().split()


def _greet(smtp: smtplib.SMTP) -> None:
    code, text = smtp.ehlo()
    if code // 100 != 2:
        raise smtplib.SMTPHeloError(code, text)


def _not_reached(error: Exception) -> Transient:
    is_silent = any(isinstance(each, TimeoutError) for each in (error, error.__context__))  # smtplib hides it so
    why = "it does not answer" if is_silent else reason_of(error)
    return Transient(f"the mail server was not reached: {why}", kind="mail_busy")
