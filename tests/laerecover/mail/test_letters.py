"""Mails and their outbox: who gets which text, what never stands in it, and that nothing is sent twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from laerecover.mail.letters import audience, render
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, Mail, Outbox, message_id
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal
from laerecover.settings import drill_settings

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FURL = Secret("pb://abc@203.0.113.20:12345/canaryswissnum")


@pytest.fixture
def settings(tmp_path):
    return drill_settings(tmp_path)


def mail(kind=CONFIRMATION, detail="", number=1):
    made = message_id("r", "lae-1", kind, number, sender="support@example.org")
    return Mail(message_id=made, account_id="lae-1", kind=kind, state="prepared", detail=detail, prepared_at=NOW)


def written(settings, account, kind=CONFIRMATION, detail=""):
    return render(mail(kind, detail), account, settings, furl=FURL, public_host="203.0.113.20")


@pytest.mark.parametrize(
    ("grade", "says", "not_says"),
    [
        ("IDENTITY_KEPT", "Only its address differs", "read-only"),
        ("NEW_FURL", "new introducer.furl", "read-only"),
        ("NEW_STORAGE_IDENTITY", "read-only", "Only its address differs"),
    ],
)
def test_each_grade_has_its_text(settings, make_account, grade, says, not_says):
    """The customer reads what the grade asks of them, and the furl once."""
    text = written(settings, make_account(grade=grade)).get_content()
    assert says in " ".join(text.split())
    assert not_says not in text
    assert text.count(FURL.reveal()) == 1


def weak_pem():
    """A node.pem of 2012 out of the fixtures: RSA of 1024 bits."""
    folder = Path(__file__).resolve().parents[3] / "fixtures/evidence/secrets"
    filled = next(path for path in sorted(folder.glob("2012-*")) if path.stat().st_size)
    return Secret(json.loads(filled.read_text())["introducer_node_pem"])


@pytest.mark.parametrize("name", ["introducer_node_pem", "server_node_pem"])
def test_a_customer_with_an_old_key_learns_what_the_client_needs(settings, make_account, name):
    """A restored key of 1024 bits: the mail says how to lower OpenSSL's level.

    A key that is not restored says nothing.
    """
    weak = {name: weak_pem()}
    assert "SECLEVEL" not in written(settings, make_account()).get_content()
    if name == "introducer_node_pem":
        weak |= {"introducer_furl": None}
    told = written(settings, make_account(**weak)).get_content()
    assert "OPENSSL_CONF" in told
    assert "DEFAULT@SECLEVEL=0" in told
    note = written(settings, make_account(**weak), STAFF_NOTE, "no e-mail address is known").get_content()
    assert "the customer's client" in " ".join(note.split())
    broken = {"introducer_identity": "BROKEN", "storage_identity": "BROKEN"}
    assert "SECLEVEL" not in written(settings, make_account(**weak, **broken)).get_content()


def test_where_nothing_changes_nothing_is_asked(settings, make_account):
    """The same identity at the same address: nothing to do, and no furl in the mail."""
    told = written(settings, make_account(old_public_host="203.0.113.20")).get_content()
    assert "nothing to do" in told
    assert "pb://" not in told


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"customer_keyinfo": "-----BEGIN PGP"}, "PGP"),
        ({"customer_email_confirmed": False}, "doubtful"),
        ({"customer_email": None, "customer_email_confirmed": False}, "no e-mail"),
        ({"customer_name": "Eve\r\nBcc: mallory@example.net"}, "line break"),
        ({"customer_email": "eve@example.net\x1b[2J"}, "control character"),
        ({"customer_email": "zoe@straße.example"}, "IDNA"),
        ({"customer_email": "zoe@@example.net"}, "no envelope"),
        (
            {"decisions": ("finish: the signup should be finished, says Carol: x",)},
            "finished, not recovered",
        ),
    ],
)
def test_the_staff_are_told_without_the_furl(settings, make_account, changes, reason):
    """Doubtful addresses, PGP, unfinished signups: the staff get the mail, no part of the furl is in its bytes."""
    account = make_account(**changes)
    kind, why = audience(account)
    assert kind == STAFF_NOTE
    assert reason in why
    sent = written(settings, account, kind, why)
    assert sent["To"] == settings.mail.staff
    assert b"canaryswissnum" not in sent.as_bytes()
    text, finished = sent.get_content(), account.finishes_signup
    assert text.startswith("A signup is finished" if finished else "An account is recovered")
    assert ("a new service: no server of it was ever ready" in " ".join(text.split())) == finished


def test_a_failure_notice_names_customer_address_and_log(settings, make_account):
    """send_notify_failure: the failure, customer_name, customer_email, logfilename; no secret."""
    account = make_account()
    sent = written(settings, account, FAILURE, "install_server: no answer\x1b[31m")
    text = sent.get_content()
    for wanted in (account.customer_name, account.customer_email, account.log_file, "install_server: no answer·[31m"):
        assert wanted in text
    assert b"canary" not in sent.as_bytes()


def test_the_same_mail_has_the_same_bytes(settings, make_account):
    """Rendered again, a mail is the same, Message-ID and date included."""
    account = make_account(customer_name="Zoë Ø")
    assert written(settings, account).as_bytes() == written(settings, account).as_bytes()


@pytest.mark.parametrize("separator", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("field", ["customer_name", "customer_email"])
def test_no_header_can_be_forged(settings, make_account, separator, field):
    """Any line break in a name or an address refuses the mail; no Bcc comes of it."""
    account = make_account(**{field: f"eve@example.org{separator}Bcc: mallory@example.net"})
    with pytest.raises(Refusal) as caught:
        written(settings, account)
    assert caught.value.kind == "mail_unfit"
    assert separator not in str(caught.value)


@pytest.mark.parametrize(
    "email",
    ["a@example.org, b@example.net", "a b@example.org", "<a@example.org>", "nobody", "a@example.org\x00", "ä@@x"],
)
def test_an_odd_address_is_refused(settings, make_account, email):
    """One address and nothing else is taken for one."""
    with pytest.raises(Refusal):
        written(settings, make_account(customer_email=email))


def test_a_mail_is_prepared_once(tmp_path):
    """Preparing again changes nothing, whatever became of the mail since."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    outbox.prepare(mail())
    assert outbox.move(mail().message_id, to="sent", of=["prepared"], now=NOW)
    assert outbox.prepare(mail(detail="other")).state == "sent"
    assert len(outbox.all()) == 1


def test_only_one_of_many_may_send(tmp_path):
    """Of many who want to send a mail at the same time, one gets it."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    outbox.prepare(mail())
    won = []

    def try_it():
        won.append(outbox.move(mail().message_id, to="sending", of=["prepared", "held"], now=NOW))

    threads = [threading.Thread(target=try_it) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 11 + [True]


def test_what_a_dead_runner_was_sending_is_in_doubt(tmp_path):
    """Only mails in sending become doubtful."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    for number, state in enumerate(("held", "sending", "sent")):
        made = outbox.prepare(mail(number=number))
        outbox.move(made.message_id, to=state, of=["prepared"], now=NOW)
    assert outbox.doubt_interrupted(NOW) == 1
    assert sorted(m.state for m in outbox.all()) == ["held", "in_doubt", "sent"]


def test_the_outbox_holds_no_text(tmp_path, settings, make_account):
    """What is kept of a mail is enough to render it, and no more."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    outbox.prepare(mail())
    content = (tmp_path / "outbox.sqlite").read_bytes()
    assert b"canary" not in content
    assert b"customer0@example.org" not in content
