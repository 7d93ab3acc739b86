"""SmtpMailer's sessions with a real mail server: many messages in one, each once, whatever the server makes of it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from laerecover.adapters import smtp_session
from laerecover.adapters.smtp import SmtpMailer
from laerecover.mail.addresses import address_of
from laerecover.ports.refusals import MAIL_ABOUT_US, MailInDoubt, Refusal, Transient
from laerecover.rehearsal.rig.authority import make_certificate
from laerecover.sections import MailSettings

NAMES = [f"<{number}@example.org>" for number in range(5)]


class Desk:
    """aiosmtpd's handler: takes everything, but for what a test wants of the Nth message of each session."""

    def __init__(self) -> None:
        self.taken, self.sessions = list[str](), list[object]()
        self.at_mail: Callable[[int], str] = lambda number: ""
        self.after_data: Callable[[int], str] = lambda number: ""
        self.refused = ""
        self._lock = threading.Lock()

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:
        said = self.at_mail(self._served(session))
        if said.startswith("421"):
            await server.push(said)
            server.transport.close()
        if said:
            return said
        envelope.mail_from, envelope.mail_options = address, [*envelope.mail_options, *options]
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address == self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        with self._lock:
            self.envelope = envelope
            self.taken.append(
                next(line for line in envelope.content.decode().splitlines() if "Message-ID" in line)[12:]
            )
            self.sessions.append(session.peer)
        what = self.after_data(self._served(session))
        if what == "hang up":
            server.transport.abort()
        elif what == "close":
            await server.push("250 taken")
            server.transport.close()
        return "250 taken"

    def _served(self, session) -> int:
        return self.sessions.count(session.peer)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    """The certificate of 127.0.0.1, its key, and whoever vouches for it."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder, "127.0.0.1", datetime.now(UTC))
    return folder


@pytest.fixture
def office(certificates) -> Iterator[Callable[..., tuple[Desk, MailSettings]]]:
    """Starts a mail server with STARTTLS, or with TLS from the first byte; gives its desk and the settings for it."""
    running = []

    def make(*, at_once: bool = False, **more: object) -> tuple[Desk, MailSettings]:
        desk, context = Desk(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        tls = {"ssl_context": context} if at_once else {"tls_context": context, "require_starttls": True}
        running.append(Controller(desk, "127.0.0.1", port, **tls, **more))
        running[-1].start()
        return desk, drill_mail(port).model_copy(update={"ca_file": certificates / "ca.pem"})

    yield make
    for controller in running:
        controller.stop()


def drill_mail(port: int) -> MailSettings:
    """By a server of this machine."""
    return MailSettings(host="127.0.0.1", port=port, sender="support@example.org", staff="staff@example.org")


def message(name: str, recipient: str = "zoe@example.net") -> EmailMessage:
    reader = address_of(recipient, "Zoë Ø")
    made = EmailMessage(policy=policy.SMTP if reader.addr_spec.isascii() else policy.SMTPUTF8)
    made["From"], made["To"] = Address(addr_spec="support@example.org"), reader
    made["Message-ID"] = name
    made.set_content("introducer.furl = pb://canarytub@203.0.113.7:12345/canaryswissnum\n")
    return made


def test_many_messages_go_in_one_session(office):
    """One greeting, one handshake, one log-in for all of them; each arrives once."""
    desk, settings = office()
    mailer = SmtpMailer(settings)
    for name in NAMES:
        mailer.send(message(name))
    assert (desk.taken, len(set(desk.sessions))) == (NAMES, 1)


def test_a_session_that_has_had_its_share_is_followed_by_another(office):
    """421 to the third message of each session, and the server hangs up: all go, each once."""
    desk, settings = office()
    desk.at_mail = lambda served: "421 4.7.0 too many messages in one session" if served >= 2 else ""
    mailer = SmtpMailer(settings)
    for name in NAMES:
        mailer.send(message(name))
    assert desk.taken == NAMES
    assert sorted(Counter(desk.sessions).values()) == [1, 2, 2]


@pytest.mark.parametrize("said", ["452 4.5.3 too many messages", "550 5.7.1 too many messages, sender blocked"])
def test_what_a_used_session_has_against_us_is_asked_again_in_a_new_one(office, said):
    """A server says in many ways that a session is used up: only a new one tells what it has against the mail."""
    desk, settings = office()
    desk.at_mail = lambda served: said if served >= 1 else ""
    mailer = SmtpMailer(settings)
    for name in NAMES:
        mailer.send(message(name))
    assert (desk.taken, len(set(desk.sessions))) == (NAMES, len(NAMES))


def test_a_server_that_closed_between_two_messages_is_called_again(office):
    """It took the message, said so and hung up: the next goes in a new session, and none twice."""
    desk, settings = office()
    desk.after_data = lambda served: "close"
    mailer = SmtpMailer(settings)
    for name in NAMES:
        mailer.send(message(name))
    assert (desk.taken, len(set(desk.sessions))) == (NAMES, len(NAMES))


def test_an_answer_lost_in_mid_session_is_in_doubt_and_the_next_go_on(office):
    """The second message of a session gets no answer: in doubt, not given away again; the third goes in a new one."""
    desk, settings = office()
    desk.after_data = lambda served: "hang up" if served == 2 else ""
    mailer, doubted = SmtpMailer(settings), []
    for name in NAMES[:3]:
        try:
            mailer.send(message(name))
        except MailInDoubt:
            doubted.append(name)
    assert (desk.taken, doubted, len(set(desk.sessions))) == (NAMES[:3], NAMES[1:2], 2)


def test_a_refused_reader_costs_the_others_nothing(office):
    """550 to one recipient is about that mail alone; those before and after it arrive."""
    desk, settings = office()
    desk.refused = "gone@example.net"
    mailer = SmtpMailer(settings)
    mailer.send(message(NAMES[0]))
    with pytest.raises(Refusal, match="no such mailbox") as caught:
        mailer.send(message(NAMES[1], "gone@example.net"))
    mailer.send(message(NAMES[2]))
    assert (caught.value.kind, desk.taken) == ("mail_refused", [NAMES[0], NAMES[2]])


def test_who_sends_at_the_same_time_shares_no_session(office):
    """Eight threads, five messages each: every message once, in no more sessions than threads."""
    desk, settings = office()
    mailer = SmtpMailer(settings)
    names = {thread: [f"<{thread}.{n}@example.org>" for n in range(5)] for thread in range(8)}
    threads = [
        threading.Thread(target=lambda mine=mine: [mailer.send(message(name)) for name in mine])
        for mine in names.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(desk.taken) == sorted(name for mine in names.values() for name in mine)
    assert len(set(desk.sessions)) <= len(threads)


def test_starttls_on_a_port_for_tls_is_named(office, monkeypatch):
    """Both wait for the other's first word: it is asked whether it speaks TLS, and the settings to mend are named."""
    monkeypatch.setattr(smtp_session, "_TIMEOUT", 1.0)
    desk, settings = office(at_once=True)
    with pytest.raises(Refusal, match=r"speaks TLS from the first byte; set mail\.security to `tls`") as caught:
        SmtpMailer(settings).send(message(NAMES[0]))
    assert caught.value.kind in MAIL_ABOUT_US
    SmtpMailer(settings.model_copy(update={"security": "tls"})).send(message(NAMES[0]))
    assert desk.taken == NAMES[:1]


def test_a_port_where_nobody_greets_is_asked_again(monkeypatch):
    """Neither SMTP nor TLS: nobody can say what that is, so nothing is stopped for it."""
    monkeypatch.setattr(smtp_session, "_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Transient):
            SmtpMailer(drill_mail(port)).send(message(NAMES[0]))


def test_a_domain_beyond_ascii_travels_as_idna_writes_it(office):
    """In the envelope and in the head, for any server."""
    desk, settings = office()
    SmtpMailer(settings).send(message(NAMES[0], "zoe@bücher.example.net"))
    assert (desk.taken, desk.envelope.rcpt_tos) == (NAMES[:1], ["zoe@xn--bcher-kva.example.net"])
    assert b"<zoe@xn--bcher-kva.example.net>" in desk.envelope.content
    assert "SMTPUTF8" not in desk.envelope.mail_options


def test_a_name_beyond_ascii_needs_a_server_that_says_so(office):
    """With SMTPUTF8 it arrives as it is; without, nothing is given away: the mail is refused, the sending goes on."""
    desk, settings = office()
    mailer = SmtpMailer(settings)
    mailer.send(message(NAMES[0], "zoë@bücher.example.net"))
    assert (desk.envelope.rcpt_tos, "SMTPUTF8" in desk.envelope.mail_options) == (
        ["zoë@xn--bcher-kva.example.net"],
        True,
    )
    assert "<zoë@xn--bcher-kva.example.net>".encode() in desk.envelope.content
    mailer.send(message(NAMES[1]))
    assert (desk.taken, "SMTPUTF8" in desk.envelope.mail_options) == (NAMES[:2], False)
    older, settings = office(enable_SMTPUTF8=False)
    mailer = SmtpMailer(settings)
    mailer.send(message(NAMES[0]))
    with pytest.raises(Refusal, match="no SMTPUTF8") as caught:
        mailer.send(message(NAMES[1], "zoë@example.net"))
    mailer.send(message(NAMES[2]))
    assert (caught.value.kind, older.taken) == ("mail_refused", [NAMES[0], NAMES[2]])
