"""The mails of a recovery, given to a real mail server over STARTTLS that refuses, delays, hangs up, offers no TLS."""

from __future__ import annotations

import email
import ipaddress
import json
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from laerecover.adapters import smtp_session
from laerecover.adapters.clock import SystemClock
from laerecover.adapters.smtp import SmtpMailer
from laerecover.afterwards.notify import notify
from laerecover.afterwards.resolve import resolve_mail
from laerecover.mail.outbox import FAILURE, Mail, Outbox
from laerecover.options import make_options
from laerecover.ports.world import OpenWorld
from laerecover.rehearsal.twin.assemble import twin_world
from laerecover.rehearsal.twin.world import TwinFile
from laerecover.settings import drill_settings
from recoveries.vintages import OneWorld


class Mailbox:
    """aiosmtpd's handler. `moods`: recipient -> busy, refuses or hangs up, once each; anybody else is served."""

    def __init__(self) -> None:
        self.moods: dict[str, list[str]] = {}
        self.arrived: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        mood = self.moods[recipient].pop(0) if self.moods.get(recipient) else "takes"
        if mood == "busy":
            return "451 try again later"
        if mood == "refuses":
            return "550 no such mailbox"
        self.arrived.append((recipient, envelope.content))
        if mood == "hangs up":
            server.transport.abort()
        return "250 taken"

    def to(self, recipient):
        """What arrived for somebody."""
        return [content for who, content in self.arrived if who == recipient]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder, key, now = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def office(certificate):
    """Starts a mail server; gives its mailbox and the settings that lead to it."""
    controllers = []

    def make(*, tls=True, trusted=True, **more):
        mailbox, context = Mailbox(), None
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controllers.append(Controller(mailbox, "127.0.0.1", port, tls_context=context, require_starttls=tls, **more))
        controllers[-1].start()
        places = {"host": "127.0.0.1", "port": port, "ca_file": certificate[0] if trusted else None}
        return mailbox, drill_settings(Path()).mail.changed(**places)

    yield make
    for controller in controllers:
        controller.stop()


def recovered_with(bench, settings):
    """The bench's runbook with `--mail send` and this mail server; its outcome."""
    changed = bench.work.settings.changed(mail=settings)
    bench.work = replace(bench.work, mail="send", settings=changed, world=_world(bench, settings))
    return bench.recover()


def _world(bench, settings):
    return replace(bench.work.world, mailer=SmtpMailer(settings))


def test_a_busy_server_is_asked_again(make_bench, office):
    """4xx: the same mail goes out later, once, and the account has no follow-up."""
    bench, (mailbox, settings) = make_bench(), office()
    mailbox.moods = {"customer0@example.org": ["busy", "busy"]}
    assert recovered_with(bench, settings) == {"outcome": "recovered", "failures": [], "notice_failed": ""}
    assert len(mailbox.to("customer0@example.org")) == 1


def test_a_server_that_stays_busy_holds_nobody_up(make_bench, office):
    """At the deadline the mail is held: a follow-up, no failure of the account."""
    bench, (mailbox, settings) = make_bench(), office()
    mailbox.moods = {"customer0@example.org": ["busy"] * 1000}
    outcome = recovered_with(bench, settings)
    assert (outcome["outcome"], [f["kind"] for f in outcome["failures"]]) == ("recovered", ["mail_waiting"])
    assert [m.state for m in bench.outbox.all() if m.kind == "confirmation"] == ["held"]


def test_a_refused_address_is_for_the_staff(make_bench, office):
    """5xx: the account is recovered, the staff get a note, and the mail is not sent again."""
    bench, (mailbox, settings) = make_bench(), office()
    mailbox.moods = {"customer0@example.org": ["refuses"]}
    outcome = recovered_with(bench, settings)
    assert (outcome["outcome"], [f["kind"] for f in outcome["failures"]]) == ("recovered", ["mail_refused"])
    assert mailbox.to("customer0@example.org") == []
    (note,) = mailbox.to(settings.staff)
    assert b"customer0@example.org" in note
    assert b"canary" not in note


@pytest.mark.parametrize("utf8", [True, False])
def test_an_international_address_costs_nobody_their_server(make_account, make_bench, office, utf8):
    """It is mailed where the mail server takes it; else the staff are told. The account is recovered either way."""
    bench = make_bench(make_account(customer_email="zoë@bücher.example.net", customer_name="Zoë Ø"))
    mailbox, settings = office(enable_SMTPUTF8=utf8)
    outcome = recovered_with(bench, settings)
    assert (outcome["outcome"], [f["kind"] for f in outcome["failures"]]) == (
        "recovered",
        [] if utf8 else ["mail_refused"],
    )
    assert len(mailbox.to("zoë@xn--bcher-kva.example.net")) == utf8
    assert len(mailbox.to(settings.staff)) == (not utf8)


@pytest.mark.parametrize("lacks", [{"tls": False}, {"trusted": False}])
def test_no_mail_goes_out_in_the_clear(make_bench, office, lacks):
    """No TLS, or a certificate that nobody vouches for: nothing is said, the mail waits."""
    bench, (mailbox, settings) = make_bench(), office(**lacks)
    outcome = recovered_with(bench, settings)
    assert (outcome["outcome"], outcome["failures"][0]["kind"]) == ("recovered", "mail_waiting")
    assert mailbox.arrived == []


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: mallory@example.net", "Eve\nTo: m@example.net", "E\u2028Bcc: m@example.net"]
)
def test_a_line_break_in_a_name_costs_nobody_their_server(make_account, make_bench, office, name):
    """No mail can be addressed so: the account is recovered, the staff tell the customer; no header is forged."""
    bench, (mailbox, settings) = make_bench(make_account(customer_name=name)), office()
    assert recovered_with(bench, settings)["outcome"] == "recovered"
    assert [who for who, _ in mailbox.arrived] == [settings.staff]
    read = email.message_from_bytes(mailbox.arrived[0][1], policy=policy.default)
    assert sorted(set(read.keys()) & {"To", "Bcc", "Cc"}) == ["To"]
    assert "name holds a line break" in " ".join(read.get_content().split())


@pytest.mark.parametrize(
    "changes", [{"customer_keyinfo": "0xC0FFEE"}, {"customer_email_confirmed": False}, {"customer_email": None}]
)
def test_where_the_staff_are_told_no_furl_is_sent(make_account, make_bench, office, changes):
    """PGP key information, a doubtful address, none at all: one mail, to the staff, without a byte of the furl."""
    bench, (mailbox, settings) = make_bench(make_account(**changes)), office()
    assert recovered_with(bench, settings)["outcome"] == "recovered"
    ((who, content),) = mailbox.arrived
    swissnum = bench.vault.load(bench.work.account.account_id)["furl"].reveal().rpartition("/")[2]
    assert who == settings.staff
    assert swissnum.encode() not in content
    assert b"pb://" not in content


def test_the_furl_of_the_mail_is_that_of_the_server(make_bench, office):
    """What the customer receives, decoded, holds the furl with the new address, once."""
    bench, (mailbox, settings) = make_bench(), office()
    recovered_with(bench, settings)
    read = email.message_from_bytes(mailbox.to("customer0@example.org")[0], policy=policy.default)
    furl = bench.vault.load(bench.work.account.account_id)["furl"].reveal()
    assert read.get_content().splitlines().count(f"    introducer.furl = {furl}") == 1
    assert bench.values("wait_for_ec2_addresses")["public_host"] in furl


def test_notify_sends_each_mail_once_whatever_happens(make_account, make_manifest, key_file, commands, office):
    """Held, shown, sent; refused is told.

    A lost answer is in doubt and stays so until a human says what became of it.
    """
    accounts = [make_account(n) for n in range(4)]
    manifest = make_manifest(*accounts)
    ended = commands("drill", manifest, "--key-file", key_file, "--pace", "0.001", "--json")
    assert json.loads(ended.stdout)["accounts"][0]["mail"] == "held"
    mailbox, settings = office()
    mailbox.moods = {
        "customer1@example.org": ["refuses"],
        "customer2@example.org": ["hangs up"],
        "customer3@example.org": ["busy"] * 1000,
    }
    options = make_options(manifest=manifest, key_file=key_file)
    shown: list[str] = []

    def sent():
        stop = threading.Event()
        folder = options.places.folder("drill")
        clock = SystemClock(stop, pace=0.001)
        world = twin_world(TwinFile(folder / "world.sqlite"), options.places.vault(folder), clock)
        opened = OpenWorld(world=replace(world, mailer=SmtpMailer(settings)), point=lambda step, point: None)
        state, _, _ = notify(
            options,
            stop=stop,
            confirm=lambda s, letters: bool(shown.extend(x.text for x in letters)) or True,
            worlds=OneWorld(opened),
        )
        from laerecover.mail.outbox import Outbox

        return {m.account_id: m.state for m in Outbox(state.outbox).all()}

    ids = [a.account_id for a in accounts]
    assert sent() == dict(zip(ids, ("sent", "refused", "in_doubt", "held"), strict=True))
    assert not [text for text in shown if "canaryswissnum" in text]
    mailbox.moods.clear()
    assert sent() == dict(zip(ids, ("sent", "refused", "in_doubt", "sent"), strict=True))
    assert len(mailbox.to("customer2@example.org")) == 1
    resolve_mail(options, ids[2], sent=False)
    assert sent()[ids[2]] == "sent"
    first, second = (email.message_from_bytes(content) for content in mailbox.to("customer2@example.org"))
    assert first["Message-ID"] == second["Message-ID"]
    sent()
    numbers = [len(mailbox.to(f"customer{n}@example.org")) for n in range(4)]
    assert numbers == [1, 0, 2, 1]


def test_a_notice_that_became_stale_is_withdrawn(operator, make_account, office):
    """The account failed, then recovered; its notice, in doubt meanwhile, is wanted again: nobody is told a falsehood.

    The notice of one that still fails goes out.
    """
    ok, broken = make_account(0), make_account(1, server_nodeid="b" * 32)
    someone = operator(ok, broken)
    someone.run(canary=False, max_failures=9)
    outbox, at = Outbox(someone.folder / "outbox.sqlite"), datetime.now(UTC)
    stale = Mail(
        message_id="<stale@example.org>",
        account_id=ok.account_id,
        kind=FAILURE,
        state="prepared",
        detail="install_server: no answer",
        prepared_at=at,
    )
    outbox.prepare(stale)
    outbox.move(stale.message_id, to="in_doubt", of=["prepared"], now=at)
    resolve_mail(someone.options(state=someone.folder), ok.account_id, sent=False)
    assert outbox.get(stale.message_id).state == "held"
    mailbox, settings = office()
    world = replace(someone.world, world=replace(someone.world.world, mailer=SmtpMailer(settings)))
    notify(
        someone.options(state=someone.folder),
        stop=threading.Event(),
        confirm=lambda state, letters: stale.message_id not in [each.mail.message_id for each in letters],
        worlds=OneWorld(world),
    )
    assert outbox.get(stale.message_id).state == "withdrawn"
    (notice,) = mailbox.to("staff@example.org")
    assert broken.account_id.encode() in notice
    assert len(mailbox.to("customer0@example.org")) == 1


def test_a_stop_while_the_mail_server_is_silent_leaves_every_mail_held_with_its_reason(
    make_manifest, make_account, commands, key_file, monkeypatch
):
    """It drops packets, or never greets: what is waited for is said, and a stop ends the waiting, not with an error."""
    manifest = make_manifest(make_account(0), make_account(1))
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001", "--json").returncode == 0
    monkeypatch.setattr(smtp_session, "_OPENING", 0.1)
    monkeypatch.setattr(smtp_session, "_ASKED_AGAIN", 0.1)
    options, stop, waits = make_options(manifest=manifest, key_file=key_file), threading.Event(), []
    folder = options.places.folder("drill")
    world = twin_world(TwinFile(folder / "world.sqlite"), options.places.vault(folder), SystemClock(stop, pace=0.001))

    def waiting(what, seconds):
        waits.append(what)
        if "mail server" in what:
            stop.set()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = drill_settings(Path()).mail.changed(host="127.0.0.1", port=silent.getsockname()[1])
        opened = OpenWorld(world=replace(world, mailer=SmtpMailer(mail)), point=lambda step, point: None)
        state, outcome, stopped = notify(
            options, stop=stop, confirm=lambda s, letters: True, worlds=OneWorld(opened), waiting=waiting
        )
    assert waits[-1] == "mail server: the mail server was not reached: it does not answer"
    assert not stopped
    assert set(outcome.values()) == {"held"}
    tried, untried = sorted(Outbox(state.outbox).waiting(), key=lambda mail: not mail.answer)
    assert tried.answer == "the mail server was not reached: it does not answer"
    assert untried.answer == ""
