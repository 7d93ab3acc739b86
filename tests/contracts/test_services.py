"""One exam each for mail, server register and monitoring."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest

from laerecover.adapters.serverinfo import ServerinfoFile
from laerecover.adapters.smtp import SmtpMailer
from laerecover.adapters.ssh import SshConnector
from laerecover.adapters.zenoss import Zenoss
from laerecover.mail.replies import SAYS
from laerecover.ports.refusals import MailInDoubt, Refusal, Transient
from laerecover.ports.services import ServerRow
from laerecover.rehearsal.twin.services import TwinMailer, TwinMonitoring, TwinRegister
from laerecover.rehearsal.twin.world import TwinFaults, TwinFile
from laerecover.settings import drill_settings

ROW = ServerRow(
    recorded_at="2026-11-22T10:00:00Z",
    launch_time="2026-11-22T09:50:00.000Z",
    instance_id="i-1",
    public_host="203.0.113.7",
)


def message():
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = Address(addr_spec="support@example.org")
    made["To"] = Address(display_name="Zoë", addr_spec="zoe@example.org")
    made["Subject"] = "Your server"
    made["Message-ID"] = "<1@example.org>"
    made.set_content("Dear Zoë,\n.\n..dots\nintroducer.furl = pb://x\n")
    return made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Paths of a self-made certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


class MailExam:
    """What every Mailer does. A mailer is made for a server that takes, is busy, refuses, bars us, or hangs up after
    DATA.
    """

    def test_a_message_is_taken_once(self, office):
        """What is sent arrives, once."""
        mailer, arrived = office("takes")
        mailer.send(message())
        assert arrived() == ["<1@example.org>"]

    @pytest.mark.parametrize(
        ("mood", "error", "kind"),
        [
            ("busy", Transient, "mail_busy"),
            ("refuses", Refusal, "mail_refused"),
            ("bars us", Refusal, "mail_sender"),
        ],
    )
    def test_what_was_not_taken_is_told(self, office, mood, error, kind):
        """4xx is transient, 5xx is final: about this mail, or about us who send it. Nothing arrived."""
        mailer, arrived = office(mood)
        with pytest.raises(error, match=SAYS) as caught:
            mailer.send(message())
        assert (caught.value.kind, arrived()) == (kind, [])

    def test_a_lost_answer_is_in_doubt(self, office):
        """A connection lost after DATA: nobody can say."""
        mailer, arrived = office("hangs up")
        with pytest.raises(MailInDoubt):
            mailer.send(message())
        assert arrived() == ["<1@example.org>"]


class TestTwinMail(MailExam):
    """The twin's mail server."""

    @pytest.fixture
    def office(self, tmp_path):
        """Makes a mailer of that mood."""

        def make(mood):
            faults = TwinFaults(
                mail_busy=float(mood == "busy"),
                mail_barred=float(mood == "bars us"),
                mail_refused=float(mood == "refuses"),
                mail_lost=float(mood == "hangs up"),
                slowness=0,
            )
            file = TwinFile(tmp_path / "w.sqlite", faults=faults)

            def arrived():
                with file.change() as db:
                    return [r["message_id"] for r in db.execute("SELECT * FROM mailbox")]

            return TwinMailer(file), arrived

        return make


class Handler:
    """An SMTP server's mood."""

    def __init__(self, mood):
        self.mood, self.arrived, self.envelopes = mood, [], []

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mood == "bars us":
            return "553 this sender is not yours"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mood == "refuses":
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.mood == "busy":
            return "451 try again later"
        self.envelopes.append(envelope)
        self.arrived.append("<1@example.org>")
        if self.mood == "hangs up":
            server.transport.abort()
        return "250 OK"


class TestSmtp(MailExam):
    """smtplib against aiosmtpd on loopback, with STARTTLS and a certificate of the tests' own."""

    @pytest.fixture
    def office(self, certificate):
        """Makes a mailer and a server of that mood."""
        controllers = []

        def make(mood, *, tls=True, trusted=True):
            handler, controller = start_smtp(mood, certificate if tls else None)
            controllers.append(controller)
            self.handler = handler
            mailer = SmtpMailer(
                drill_settings(Path()).mail.changed(
                    host="127.0.0.1", port=controller.port, ca_file=certificate[0] if trusted else None
                )
            )
            return mailer, lambda: handler.arrived

        yield make
        for controller in controllers:
            controller.stop()

    def test_the_text_arrives_as_it_was_written(self, office):
        """Dots, umlauts and line ends survive; sender and recipient are those of the headers."""
        mailer, _ = office("takes")
        mailer.send(message())
        envelope = self.handler.envelopes[0]
        assert envelope.content == message().as_bytes()
        assert (envelope.mail_from, envelope.rcpt_tos) == ("support@example.org", ["zoe@example.org"])

    def test_a_server_without_tls_gets_nothing(self, office):
        """No TLS, no mail: the furl is a capability."""
        mailer, arrived = office("takes", tls=False)
        with pytest.raises(Refusal) as caught:
            mailer.send(message())
        assert (caught.value.kind, arrived()) == ("mail_tls", [])

    def test_an_untrusted_certificate_gets_nothing(self, office):
        """A certificate that nobody vouches for ends the attempt."""
        mailer, arrived = office("takes", trusted=False)
        with pytest.raises(Refusal) as caught:
            mailer.send(message())
        assert (caught.value.kind, arrived()) == ("mail_tls", [])

    def test_nobody_there_is_transient(self):
        """A closed port is tried again later."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        with pytest.raises(Transient):
            SmtpMailer(drill_settings(Path()).mail.changed(host="127.0.0.1", port=port)).send(message())


def start_smtp(mood, certificate):
    """A server on a free port."""
    controller_module = pytest.importorskip("aiosmtpd.controller")
    handler = Handler(mood)
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*map(str, certificate))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = controller_module.Controller(
        handler, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=context is not None
    )
    controller.start()
    return handler, controller


def make_certificate(folder):
    """A certificate for 127.0.0.1, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    )
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


class RegisterExam:
    """What every ServerRegister does."""

    def test_a_row_is_read_as_it_was_appended(self, register):
        """Rows come back in the order in which they were written."""
        rows = [replace(ROW, instance_id=f"i-{n}", recorded_by=f"by-{n}" if n else "") for n in range(3)]
        for row in rows:
            register.append(row)
        assert list(register.rows()) == rows

    def test_an_instance_has_one_row(self, register):
        """Appending again, at another time even, or by somebody else, changes nothing: the row tells who was first."""
        ours, other = replace(ROW, recorded_by="by-us"), replace(ROW, recorded_by="by-another")
        for row in (ours, replace(ours, recorded_at="2026-11-23T10:00:00Z"), other, ROW):
            register.append(row)
        assert list(register.rows()) == [ours]

    def test_two_writers_lose_nothing(self, register):
        """Rows appended at the same time are all there, once."""
        rows = [replace(ROW, instance_id=f"i-{n % 10}") for n in range(20)]
        threads = [threading.Thread(target=register.append, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(r.instance_id for r in register.rows()) == [f"i-{n}" for n in range(10)]


class TestTwinRegister(RegisterExam):
    """The twin's register."""

    @pytest.fixture
    def register(self, twin_file):
        """An empty one."""
        return TwinRegister(twin_file)


class TestServerinfoFile(RegisterExam):
    """serverinfo.csv."""

    @pytest.fixture
    def register(self, tmp_path):
        """A file that does not exist yet."""
        return ServerinfoFile(tmp_path / "serverinfo.csv")

    def test_the_format_of_2012_and_what_stood_there(self, tmp_path):
        """Old rows, odd ones and a torn last line stay as they are; the new row is a line of its own."""
        path = tmp_path / "serverinfo.csv"
        path.write_text("2012-01-18T00:00:00Z,2012-01-18T00:00:00.000Z,i-old,192.0.2.1\nodd\n2012-01-19T0")
        path.chmod(0o644)
        ServerinfoFile(path).append(ROW)
        assert path.read_text().splitlines()[1:] == [
            "odd",
            "2012-01-19T0",
            "2026-11-22T10:00:00Z,2026-11-22T09:50:00.000Z,i-1,203.0.113.7",
        ]
        assert path.stat().st_mode & 0o777 == 0o644
        assert [r.instance_id for r in ServerinfoFile(path).rows()] == ["i-old", "i-1"]

    def test_a_value_that_would_forge_a_row_is_refused(self, tmp_path):
        """No comma and no line break comes into the file."""
        register = ServerinfoFile(tmp_path / "serverinfo.csv")
        for name in ("public_host", "recorded_by"):
            with pytest.raises(Refusal):
                register.append(replace(ROW, **{name: "203.0.113.7\n2012,forged,i-2,x"}))
        assert register.rows() == []


class MonitoringExam:
    """What every Monitoring does."""

    def test_a_host_is_watched_once_it_is_told(self, monitoring):
        """Telling twice is telling once."""
        assert not monitoring.watches("203.0.113.7")
        monitoring.watch("203.0.113.7")
        monitoring.watch("203.0.113.7")
        assert monitoring.watches("203.0.113.7")
        assert not monitoring.watches("203.0.113.8")


class TestTwinMonitoring(MonitoringExam):
    """The twin's zenoss."""

    @pytest.fixture
    def monitoring(self, twin_file):
        """A server that is up."""
        return TwinMonitoring(twin_file)


class TestZenoss(MonitoringExam):
    """zenbatchload over ssh on loopback, zenbatchload being a script of the tests' own."""

    @pytest.fixture
    def monitoring(self, ssh_server, monkeypatch):
        """An ssh server that knows zenbatchload."""
        import getpass

        import laerecover.adapters.zenoss as module

        monkeypatch.setattr(module, "_FOLDER", f"{ssh_server.root}/home/loadfiles")
        monkeypatch.setattr(module, "_USER", getpass.getuser())
        monkeypatch.setattr(module, "_PROFILE", "/dev/null")
        loader = ssh_server.root / "bin" / "zenbatchload"
        loader.write_text(f'#!/bin/sh\ncat "$1" >>{ssh_server.root}/loaded\n')
        loader.chmod(0o755)
        self.root = ssh_server.root
        keys, staging = {ssh_server.user: ssh_server.key}, str(ssh_server.root / "staging")
        connector = SshConnector(keys=keys, command_seconds=10, sudo=False, port=ssh_server.port, staging=staging)
        return Zenoss(connector, "127.0.0.1", ssh_server.public)

    def test_the_batch_is_that_of_2012(self, monitoring):
        """What is loaded names the device class and the address."""
        monitoring.watch("203.0.113.7")
        assert (
            self.root / "loaded"
        ).read_text() == '/Devices/Server/SSH/Linux\n203.0.113.7 setManageIp="203.0.113.7"\n'

    def test_what_is_no_address_is_refused(self, monitoring):
        """No host name reaches the shell."""
        with pytest.raises(Refusal):
            monitoring.watch("x; rm -rf /")
