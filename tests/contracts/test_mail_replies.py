"""What SmtpMailer makes of each reply, at each stage: a server over TLS that says what a test puts into its mouth."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest

from laerecover.adapters.smtp import SmtpMailer
from laerecover.manifest import Secret
from laerecover.ports.refusals import MAIL_ABOUT_US, MailInDoubt, Refusal, Transient
from laerecover.rehearsal.rig.authority import make_certificate
from laerecover.settings import drill_settings
from parrot import Parrot

FURL, SWISSNUM = "pb://canarytub@203.0.113.7:12345/canaryswissnum", "canaryswissnum"
SENDER, PASSWORD = "support@example.org", "canary password"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with the certificate of 127.0.0.1 and of whoever vouches for it."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder, "127.0.0.1", datetime.now(UTC))
    return folder


@pytest.fixture
def parrot(certificates):
    """The server, taking everything."""
    made = Parrot(certificates)
    yield made
    made.close()


@pytest.fixture
def mailer(parrot, certificates):
    """Logs in, over STARTTLS."""
    places = {"host": "127.0.0.1", "port": parrot.port, "ca_file": certificates / "ca.pem"}
    login = {"user": "signup", "password": Secret(PASSWORD)}
    return SmtpMailer(drill_settings(Path()).mail.changed(sender=SENDER, **places, **login))


def message(recipient: str = "zoe@example.net") -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = Address(addr_spec=SENDER)
    made["To"] = Address(addr_spec=recipient)
    made["Message-ID"] = "<1@example.org>"
    made.set_content(f"Dear Zoë,\n\nintroducer.furl = {FURL}\n")
    return made


def said(mailer: SmtpMailer, recipient: str = "zoe@example.net") -> tuple[str, str]:
    """What comes of sending: a word for it, and the error's text."""
    try:
        mailer.send(message(recipient))
    except Transient as error:
        return "later", str(error)
    except MailInDoubt as error:
        return "in doubt", str(error)
    except Refusal as error:
        assert error.kind in (*MAIL_ABOUT_US, "mail_refused")
        return ("this mail" if error.kind == "mail_refused" else "us"), str(error)
    return "taken", ""


@pytest.mark.parametrize(
    ("stage", "reply", "means"),
    [
        ("greeting", b"554 5.7.1 you are blocked\r\n", "us"),
        ("greeting", b"421 too busy\r\n", "later"),
        ("greeting", b"hello\r\n", "later"),
        ("greeting", b"", "later"),
        ("EHLO", b"550 who are you\r\n", "us"),
        ("EHLO", b"421 closing\r\n", "later"),
        ("EHLO", b"\r\n", "later"),
        ("EHLO", b"250 no TLS here\r\n", "us"),
        ("EHLO", b"250-mail.example.org\r\n250 STARTTLS\r\n", "us"),
        ("EHLO", b"250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH XOAUTH2\r\n", "us"),
        ("STARTTLS", b"454 no TLS at the moment\r\n", "later"),
        ("STARTTLS", b"502 what\r\n", "us"),
        ("AUTH", b"535 5.7.8 wrong\r\n", "us"),
        ("AUTH", b"454 4.7.0 ask again\r\n", "later"),
        ("AUTH", b"421 closing\r\n", "later"),
        ("AUTH", b"what?\r\n", "later"),
        ("MAIL", b"550 no such mailbox\r\n", "us"),
        ("MAIL", b"553 5.7.1 not your address\r\n", "us"),
        ("MAIL", b"451 4.7.1 try again\r\n", "later"),
        ("MAIL", b"354 what\r\n", "later"),
        ("MAIL", b"999 what\r\n", "later"),
        ("MAIL", b"what?\r\n", "later"),
        ("MAIL", b"", "later"),
        ("DATA", b"554 no\r\n", "us"),
        ("DATA", b"451 not now\r\n", "later"),
        ("DATA", b"250 OK\r\n", "later"),
        ("DATA", b"what?\r\n", "later"),
        ("RCPT", b"550 no such mailbox\r\n", "this mail"),
        ("RCPT", b"550 5.1.1 zoe@example.net: user unknown in relay recipient table\r\n", "this mail"),
        ("RCPT", b"550-5.2.1 The account is\r\n550 5.2.1 disabled by policy\r\n", "this mail"),
        ("RCPT", b"553 mailbox name not allowed\r\n", "this mail"),
        ("RCPT", b"554 5.7.1 <zoe@example.net>: Relay access denied\r\n", "us"),
        ("RCPT", b"550 relay not permitted\r\n", "us"),
        ("RCPT", b"553 5.7.1 <support@example.org>: not owned by user signup\r\n", "us"),
        ("RCPT", b"550 5.1.8 domain not found\r\n", "us"),
        ("RCPT", b"550 support@example.org is unknown to us\r\n", "us"),
        ("RCPT", b"550-Verification failed\r\n550-unrouteable\r\n550 Sender verify failed\r\n", "us"),
        ("RCPT", b"530 5.7.0 log in first\r\n", "us"),
        ("RCPT", b"503 MAIL first\r\n", "us"),
        ("RCPT", b"450 greylisted\r\n", "later"),
        ("RCPT", b"650 what\r\n", "later"),
        ("RCPT", b"what?\r\n", "later"),
    ],
)
def test_before_the_message_nothing_is_in_doubt(parrot, mailer, stage, reply, means):
    """5xx is about us until a recipient is named, and then if its words say so; what is no reply is asked for again."""
    parrot.says[stage] = reply
    assert (said(mailer)[0], parrot.messages) == (means, [])


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        (b"250 taken\r\n", "taken"),
        (b"250\r\n", "taken"),
        (b"250-taken,\r\n250-\r\n250 as 4bQx\r\n", "taken"),
        (b"250 pris en charge, Zo\xc3\xab\r\n", "taken"),
        (b"250 angenommen, Zo\xeb\r\n", "taken"),
        (b"451 4.3.0 disk full\r\n", "later"),
        (b"421 closing\r\n", "later"),
        (b"550 no\r\n", "this mail"),
        (b"552 5.2.2 mailbox full, over quota\r\n", "this mail"),
        (b"550 5.1.0 no such user\r\n", "this mail"),
        (b"550 5.7.17 mailbox owner has changed\r\n", "this mail"),
        (b"550 5.1.0 sender rejected\r\n", "us"),
        (b"550 sender not verified\r\n", "us"),
        (b"554 Message rejected: Email address is not verified. The following failed: support@example.org\r\n", "us"),
        (b"550-5.7.26 This mail has been blocked because the\r\n550 5.7.26 sender is unauthenticated\r\n", "us"),
        (b"550 5.7.1 rejected by policy\r\n", "us"),
        (b"554 Refused. Your IP is listed in a black list\r\n", "us"),
        (b"550 Daily sending limit exceeded\r\n", "us"),
    ],
)
def test_a_well_formed_reply_to_the_message_settles_it(parrot, mailer, reply, means):
    """2xx, 4xx, 5xx: taken, later, refused.

    The refusal is about this mail unless status or words are about sender or policy.
    """
    parrot.says["message"] = reply
    assert (said(mailer)[0], len(parrot.messages)) == (means, 1)


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        # Those of the large providers, and of common servers.
        ("554 Message rejected: Sending paused for this account. For more information, see the console", "us"),
        ("550 5.4.5 Daily user sending quota exceeded. x1-20020a gsmtp", "us"),
        ("554 Throttling failure: Maximum sending rate exceeded.", "us"),
        ("554 Daily message quota exceeded", "us"),
        ("550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", "us"),
        ("554 Your account has been suspended", "us"),
        ("550 account suspended", "us"),
        ("550 Sending domain not allowed", "us"),
        ("550 domain example.org is not permitted here", "us"),
        ("550-5.7.25 The IP address sending this message does not have a PTR record setup", "us"),
        ("554 Bad DNS PTR resource record.", "us"),
        ("550 no reverse DNS for 203.0.113.9", "us"),
        ("550 rDNS lookup failed", "us"),
        ("554 5.2.252 SendAsDenied; support@example.org not allowed to send as other@example.org", "us"),
        ("550 You have exceeded the number of messages per hour", "us"),
        ("550 Hourly quota exceeded", "us"),
        ("554 The SMTP account is locked, contact your administrator", "us"),
        ("550 Your sending privileges were revoked", "us"),
        ("550 #5.4.5 congestion", "us"),
        ("550 Outbound mail is disabled for this customer", "us"),
        ("554 Access denied: not entitled to use this service", "us"),
        ("550 Invoice overdue, service stopped", "us"),
        ("550 Your domain has been disabled", "us"),
        ("550 Message submission rate for this client has exceeded the configured limit", "us"),
        ("554 Email sending has been put on hold", "us"),
        ("550 IP not whitelisted", "us"),
        # What is the reader's own.
        ("550 user over quota", "this mail"),
        ("550 Account not found", "this mail"),
        ("550 5.2.1 This mailbox has been blocked due to inactivity", "this mail"),
        ("550 user is suspended, mailbox closed", "this mail"),
        ("550 5.2.1 The user you are trying to contact gets mail at a rate that exceeds the limit", "this mail"),
        ("550 The email account that you tried to reach is disabled", "this mail"),
        ("552 zoe@example.net: account suspended", "this mail"),
        ("550 mailbox suspended for lack of use", "this mail"),
        ("552 quota exceeded", "this mail"),
        ("552 5.2.2 Over quota; try sending again later", "this mail"),
        ("550 No such user here, please check before sending again", "this mail"),
        ("550 5.4.1 Recipient address rejected: Access denied", "this mail"),
        ("550 5.1.10 recipient domain has a null MX and is not accepted", "this mail"),
        ("550 recipient's domain does not exist", "this mail"),
    ],
)
@pytest.mark.parametrize("stage", ["RCPT", "message"])
def test_a_refusal_of_us_is_told_from_one_of_the_reader(parrot, mailer, stage, reply, means):
    """By the status where it is registered, else by the words; in doubt it is about us, for that burns no mail."""
    parrot.says[stage] = f"{reply}\r\n".replace("550-5.7.25", "550-5.7.25 first\r\n550 5.7.25").encode()
    assert said(mailer)[0] == means


NO_REPLIES = [
    b"",
    b"\r\n",
    b"\r\n250 taken\r\n",
    b"taken, thank you\r\n",
    b"354 go on\r\n",
    b"334 \r\n",
    b"150 what\r\n",
    b"650 what\r\n",
    b"999 what\r\n",
    b"260 what\r\n",
    b"25 OK\r\n",
    b"2500 OK\r\n",
    b" 250 OK\r\n",
    b"+25 OK\r\n",
    b"2_5 OK\r\n",
    b"-50 no\r\n",
    b"250OK\r\n",
    b"250\tOK\r\n",
    b"550no\r\n",
    b"550_no\r\n",
    b"250 OK",
    b"550 no such mailbox",
    b"250 OK\n",
    b"250 OK\r",
    b"250 O\rK\r\n",
    b"250-taken\r\n",
    b"250-taken\r\n550 no\r\n",
    b"550-no\r\n250 taken\r\n",
    b"250-taken\r\nas 4bQx\r\n",
    b"\xd9\xa2\xd9\xa5\xd9\xa0 OK\r\n",
    b"250 " + b"x" * 20000 + b"\r\n",
    b"250-more\r\n" * 300,
    b"\x00\x00\x00\x00\r\n",
]


@pytest.mark.parametrize("reply", NO_REPLIES, ids=[repr(reply[:24]) for reply in NO_REPLIES])
def test_what_is_no_reply_leaves_the_message_in_doubt(parrot, mailer, reply):
    """Text, 354, an empty line, half a line, three digits that are no code: nobody can say whether it was taken."""
    parrot.says["message"] = reply
    assert (said(mailer)[0], len(parrot.messages)) == ("in doubt", 1)


@pytest.mark.parametrize("reply", [b"550 blocked: %s\r\n", b"550 blocked: %s now\r\n", b"what is %s?\r\n"])
@pytest.mark.parametrize("quoted", [FURL, FURL[:40], SWISSNUM])
def test_a_server_that_quotes_the_furl_is_not_repeated(parrot, mailer, reply, quoted):
    """What a server says is kept in outbox and report: the furl never is."""
    parrot.says["message"] = reply % quoted.encode()
    means, text = said(mailer)
    assert means in ("us", "in doubt")
    assert "canary" not in text
    assert re.search("blocked|what is", text)


def test_a_server_that_quotes_the_login_is_not_repeated(parrot, mailer):
    """Nor is the password, which a server that does not know AUTH may send back in base64."""
    parrot.says["AUTH"] = b"500 unknown command: AUTH PLAIN AHNpZ251cABjYW5hcnkgcGFzc3dvcmQ=\r\n"
    means, text = said(mailer)
    assert (means, "AHN" in text, PASSWORD in text) == ("us", False, False)


def test_a_sender_that_is_its_own_recipient_proves_nothing(parrot, mailer):
    """Where the staff read the sender's own mailbox, a reply that names it is about that mailbox."""
    parrot.says["RCPT"] = b"550 support@example.org is unknown to us\r\n"
    assert said(mailer, recipient=SENDER)[0] == "this mail"


@pytest.mark.parametrize("at", ["greeting", "handshake"])
def test_a_port_that_speaks_no_tls_is_named_as_what_it_is(parrot, mailer, certificates, at):
    """`tls` on a port for STARTTLS is about us; a server that is gone in the handshake is asked again."""
    secure = SmtpMailer(mailer._mail.changed(security="tls"))
    if at == "handshake":
        parrot.says["greeting"] = b""
    means, text = said(secure)
    assert means == ("us" if at == "greeting" else "later")
    assert at == "handshake" or "`starttls`" in text


@pytest.mark.parametrize("recipient", ["nospam@example.net", "sender@example.net", "zoe@policy.relay.example"])
@pytest.mark.parametrize(
    "reply", ["550 <{0}> unknown", "550 {0}: unknown", "550 {1}: unknown", "550 unknown here (at {2})"]
)
def test_a_name_that_sounds_like_us_is_still_theirs(parrot, mailer, recipient, reply):
    """A customer, or their host, may be called by any of the words that speak of sender and policy."""
    parrot.says["RCPT"] = reply.format(recipient, *recipient.split("@")).encode() + b"\r\n"
    assert said(mailer, recipient)[0] == "this mail"


@pytest.mark.parametrize("domain", ["straße.example", "xn--\u00e4.example"])
def test_an_address_that_no_envelope_can_bear_is_refused(parrot, mailer, domain):
    """A domain that the versions of IDNA write in two ways: said before anything is given away, so nothing is in
    doubt.
    """
    made = message()
    made.replace_header("To", Address(username="zoe", domain=domain))
    with pytest.raises(Refusal, match="IDNA") as caught:
        mailer.send(made)
    assert (caught.value.kind, parrot.messages) == ("mail_refused", [])
