"""A refusal that is about us, or that befalls one customer after another.

The sending stops, and no customer's mail is burnt.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

from laerecover.adapters.smtp import SmtpMailer
from laerecover.afterwards.notify import notify
from laerecover.afterwards.resolve import resolve_mail
from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, TAKEN, Mail, Outbox, current, stopped
from laerecover.mail.replies import ABOUT_US, ALIKE, IN_A_ROW, SAYS, alike
from laerecover.rehearsal.rig.authority import make_certificate
from laerecover.settings import drill_settings

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
STAFF = "staff@example.org"
BARRED = "550 5.7.1 sender not verified"


class Office:
    """A mail server over STARTTLS. `sender`: what it says to MAIL; `strangers`: to RCPT, but to the staff; `odd`.

    To that message.
    """

    def __init__(self):
        self.sender, self.strangers, self.odd = "250 OK", "250 OK", {}
        self.asked, self.arrived, self.when_asked = 0, [], lambda: None

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.asked += 1
        self.when_asked()
        envelope.mail_from = address
        return self.sender

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return "250 OK" if address == STAFF else self.strangers.format(address)

    async def handle_DATA(self, server, session, envelope):
        said = self.odd.get(envelope.rcpt_tos[0], "250 taken")
        if said.startswith("250"):
            self.arrived.append(envelope.rcpt_tos[0])
        return said


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with the certificate of 127.0.0.1 and of whoever vouches for it."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificate(folder, "127.0.0.1", datetime.now(UTC))
    return folder


@pytest.fixture
def office(certificates):
    """The server; its `settings` lead to it."""
    made, context = Office(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(made, "127.0.0.1", port, tls_context=context, require_starttls=True)
    controller.start()
    made.settings = {"host": "127.0.0.1", "port": port, "ca_file": certificates / "ca.pem"}
    yield made
    controller.stop()


@pytest.fixture
def someone(operator, make_account, office, tmp_path):
    """Makes an operator of some accounts whose mails go to the office."""

    def make(*accounts, count=0):
        made = operator(*(accounts or [make_account(n, server="GONE") for n in range(count)]))
        mailer = SmtpMailer(drill_settings(tmp_path).mail.changed(**office.settings))
        made.world = replace(made.world, world=replace(made.world.world, mailer=mailer))
        made.states = lambda kind=None: [
            m.state for m in Outbox(made.folder / "outbox.sqlite").all() if kind in (None, m.kind)
        ]
        made.notify = lambda: notify(made.options(), stop=made.stop, confirm=lambda s, found: True, worlds=made.worlds)
        return made

    return make


def test_a_mail_of_nobody_is_told_from_one_that_is_settled(someone, make_account):
    """Who mistypes an account, or gives its address, is not told that its mail is well."""
    they = someone(count=1)
    they.run()
    for name, says in (("nobody", "no account is called"), (make_account(0).account_id, "no mail of this account")):
        with pytest.raises(LaeRecoverError, match=says):
            resolve_mail(they.options(), name, sent=True)


def test_a_refused_sender_stops_the_sending_and_burns_nothing(someone, office):
    """The servers are recovered all the same; one mail was tried, all are held, and go out once our side is mended."""
    they, office.sender = someone(count=3), BARRED
    made = they.run(mail="send", concurrency=2)
    assert (made.number("recovered"), made.exit_code, office.asked) == (3, 3, 1)
    assert BARRED in made.body["stopped"]
    assert set(they.states()) == {"held"}
    _, _, reason = they.notify()
    assert (BARRED in reason, office.asked, office.arrived) == (True, 2, [])
    office.sender = "250 OK"
    _, outcome, reason = they.notify()
    assert (reason, set(outcome.values())) == ("", {"sent"})
    assert sorted(a for a in office.arrived if a != STAFF) == [f"customer{n}@example.org" for n in range(3)]
    again = they.run()
    assert (again.exit_code, again.body["stopped"]) == (0, "")


def test_the_same_refusal_for_one_customer_after_another_is_a_guard(someone, office):
    """Whatever its words are about: with the third in a row none of them is burnt, and the others are not tried."""
    they = someone(count=5)
    they.run()
    office.strangers = "554 <{}>: no thank you (in reply to RCPT, id 4bQx1)"
    _, _, reason = they.notify()
    assert (reason.startswith(IN_A_ROW), office.asked) == (True, 3)
    assert they.states() == ["held"] * 5
    office.strangers = "250 OK"
    _, outcome, _ = they.notify()
    assert set(outcome.values()) == {"sent"}
    assert len(office.arrived) == len(set(office.arrived)) == 5


def test_notices_to_the_staff_between_them_break_no_row(someone, office):
    """A relay that serves our own domain alone: each refusal is followed by a notice that arrives.

    The third stops all the same.
    """
    they, office.strangers = someone(count=5), "554 {}: go away"
    made = they.run(mail="send", concurrency=1)
    assert (made.number("recovered"), made.exit_code) == (5, 3)
    assert they.states(CONFIRMATION) == ["held"] * 5
    assert office.arrived == [STAFF] * 2


def test_a_mail_that_is_always_refused_keeps_nobody_back(someone, office):
    """What was tried comes last the next time: each `notify` gets further, though one message is never taken."""
    they = someone(count=4)
    they.run()
    office.odd = {"customer0@example.org": "550 5.7.1 rejected by policy"}
    they.notify()
    assert office.arrived == []
    _, outcome, reason = they.notify()
    assert (sorted(outcome.values()), bool(reason)) == (["held", "sent", "sent", "sent"], True)
    assert len(office.arrived) == 3


def test_a_notice_of_failure_is_not_burnt_either(someone, make_account, office):
    """The staff's notices follow the same rules: held where we are refused, and whatever comes after them, too."""
    broken = [make_account(n, server="GONE", server_nodeid="a" * 32) for n in range(2)]
    they, office.sender = someone(*broken), BARRED
    made = they.run(mail="send", canary=False, concurrency=1)
    assert (made.number("failed"), made.exit_code, office.asked) == (2, 3, 1)
    assert they.states(FAILURE) == ["held", "held"]
    assert any("laerecover notify" in f["command"] for f in made.body["accounts"][0]["follow_ups"])
    office.sender = "250 OK"
    they.notify()
    assert office.arrived == [STAFF, STAFF]


def test_a_refused_mail_is_sent_again_if_somebody_wants_it(someone, office):
    """`resolve --resend` holds it, and the next `notify` sends it.

    What was sent, or is held already, it leaves alone.
    """
    they, customer = someone(count=1), "customer0@example.org"
    they.run()
    office.odd = {customer: "550 no such mailbox"}
    they.notify()
    assert (they.states(), they.run().exit_code) == (["refused"], 0)
    (follow_up,) = [f for f in they.run().body["accounts"][0]["follow_ups"] if "another way" in f["do"]]
    account_id = they.run().body["accounts"][0]["account_id"]
    assert follow_up["command"] == (
        f"laerecover resolve {they.manifest} {account_id} mail --resend --key-file {they.options().places.key_file}"
    )
    resolve_mail(they.options(), account_id, sent=False)
    with pytest.raises(LaeRecoverError, match="in doubt or refused"):
        resolve_mail(they.options(), account_id, sent=False)
    office.odd = {}
    they.notify()
    assert (they.states(), office.arrived) == (["sent"], [customer])
    with pytest.raises(LaeRecoverError):
        resolve_mail(they.options(), account_id, sent=False)


def test_dead_addresses_are_settled_once_the_customers_know(someone, office):
    """Three in a row that are truly dead stay held; `resolve --sent` says that each was told another way."""
    they, office.strangers = someone(count=3), "550 no such mailbox"
    they.run()
    they.notify()
    assert they.states() == ["held"] * 3
    for account in they.run().body["accounts"]:
        resolve_mail(they.options(), account["account_id"], sent=True)
    assert they.states() == ["withdrawn"] * 3
    assert (they.run().exit_code, they.notify()[2], office.asked) == (0, "", 3)


def mail(number, kind=CONFIRMATION, *, account="", after=0):
    made = f"<{kind}{number}{account}{after}@example.org>"
    prepared = NOW + timedelta(minutes=after)
    account = account or f"lae-{number}"
    return Mail(message_id=made, account_id=account, kind=kind, state="prepared", detail="", prepared_at=prepared)


@pytest.fixture
def outbox(tmp_path):
    """One that is told what became of mails: `went(mail, said)`, said being TAKEN or a refusal."""
    made, clock = Outbox(tmp_path / "outbox.sqlite"), iter(range(1000))

    def went(letter, said):
        made.prepare(letter)
        now = NOW + timedelta(hours=1, seconds=next(clock))
        made.move(letter.message_id, to="sending", of=["prepared", "held"], now=now)
        if said == TAKEN:
            return made.move(letter.message_id, to="sent", of=["sending"], now=now, answer=said)
        return made.refuse(letter.message_id, now=now, answer=SAYS + said)

    made.went = went
    return made


def test_a_row_counts_accounts_not_mails(outbox):
    """Two mails of one account are one customer's; each keeps its own words."""
    assert not outbox.went(mail(1, STAFF_NOTE), "550 a@example.org: no")
    assert not outbox.went(mail(1, FAILURE), "550 b@example.org: no")
    assert not outbox.went(mail(2, STAFF_NOTE), "550 c@example.org: no")
    assert not outbox.went(mail(3), "550 d@example.org: no")
    assert outbox.went(mail(4, FAILURE), "550 e@example.org: no")
    answers = {m.account_id: m.answer for m in outbox.all() if m.guarded}
    assert answers["lae-2"] == f"{IN_A_ROW}{SAYS}550 c@example.org: no"
    assert outbox.of("lae-3")[0].state == "refused"


def test_other_words_or_a_mail_that_arrived_break_the_row(outbox):
    """Dead addresses that are not alike, or not in a row, are dead addresses."""
    dead, full = "550 no such mailbox", "552 mailbox full"
    for number, said in enumerate((dead, dead, TAKEN, dead, full, dead, dead)):
        outbox.went(mail(number), said)
    assert sorted(m.state for m in outbox.all()) == ["refused"] * 6 + ["sent"]


def test_what_was_overtaken_is_not_sent_again(outbox):
    """Of an account with a later letter, or a later notice, the earlier one stays refused: it would tell old news."""
    first, later = mail(1), mail(1, account="lae-1", after=1)
    outbox.went(first, "550 no")
    outbox.went(later, "550 no")
    outbox.went(mail(2), "550 no")
    assert outbox.went(mail(3), "550 no")
    assert {m.message_id: m.state for m in outbox.of("lae-1")} == {
        first.message_id: "refused",
        later.message_id: "held",
    }


def test_a_row_goes_on_over_restarts_and_ends_when_one_arrives(outbox, tmp_path):
    """It stands in the outbox, not in the process; a mail that is still refused is one of it, once."""
    outbox.went(mail(1), "550 no")
    outbox.went(mail(2), "550 no")
    assert outbox.went(mail(3), "550 no")
    assert outbox.went(mail(1), "550 no")
    assert stopped(outbox.all()) == f"{IN_A_ROW}{SAYS}550 no; 3 mails are held for it"
    outbox.went(mail(2), TAKEN)
    assert not outbox.went(mail(4), "550 no")
    assert outbox.get(mail(4).message_id).state == "refused"


def test_a_clock_that_jumps_back_changes_no_order(tmp_path):
    """What was written later is later: a row stays one, and the latest letter is the one that a human settles."""
    outbox, jump = Outbox(tmp_path / "outbox.sqlite"), timedelta(days=-1)
    arrived, *refused = [mail(number) for number in range(ALIKE + 1)]
    overtaken = replace(refused[-1], message_id="<earlier@example.org>")
    for letter in (arrived, overtaken, *refused):
        now = NOW + (timedelta() if letter in (arrived, overtaken) else jump)
        outbox.prepare(replace(letter, prepared_at=now))
        outbox.move(letter.message_id, to="sending", of=["prepared"], now=now)
        if letter in refused:
            stops = outbox.refuse(letter.message_id, now=now, answer=f"{SAYS}550 no")
        else:
            outbox.move(letter.message_id, to="sent", of=["sending"], now=now, answer=TAKEN)
    assert stops
    assert [m.state for m in outbox.all()] == ["sent", "sent", *["held"] * ALIKE]
    assert current(outbox.of(refused[-1].account_id)) == {refused[-1].message_id}


FORMER = """CREATE TABLE mails (
    message_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    detail TEXT NOT NULL, prepared_at TEXT NOT NULL, changed_at TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '',
    host TEXT NOT NULL DEFAULT '')"""


def test_an_outbox_of_the_former_version_is_read_as_it_is(tmp_path):
    """Its states and answers mean what they meant; what it burnt in a row is held with the next that is refused so."""
    path, when = tmp_path / "outbox.sqlite", NOW.isoformat()
    with sqlite3.connect(path) as db:
        db.execute(FORMER)
        for number, (state, answer) in enumerate(
            [
                ("sent", TAKEN),
                ("held", "the mail server refuses our user or password"),
                ("refused", f"{SAYS}{BARRED}"),
                ("refused", f"{SAYS}{BARRED}"),
                ("prepared", ""),
            ]
        ):
            changed = (NOW + timedelta(seconds=number)).isoformat()
            row = (f"<{number}@example.org>", f"lae-{number}", CONFIRMATION, state, "", when, changed, answer, "")
            db.execute("INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    outbox = Outbox(path)
    assert [m.state for m in outbox.all()] == ["sent", "held", "refused", "refused", "prepared"]
    assert stopped(outbox.all()) == ""
    assert [m.account_id for m in outbox.waiting()] == ["lae-1", "lae-4"]
    outbox.move("<4@example.org>", to="sending", of=["prepared"], now=NOW + timedelta(hours=1))
    assert outbox.refuse("<4@example.org>", now=NOW + timedelta(hours=1), answer=f"{SAYS}{BARRED}")
    assert [m.state for m in outbox.all()] == ["sent", "held", "held", "held", "held"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("550 5.1.1 <a@example.org>: unknown", "550 5.1.1 <long.name@example.net>: unknown", True),
        ("550 relay of a@example.org denied", "550 relay of b.c@example.org denied", True),
        ("554 blocked; id 4bQx12", "554 blocked; id 77zz01", True),
        ("554 see http://example.org/x/1", "554 see http://example.org/y", True),
        ("554 at mx1.example.org [192.0.2.1]", "554 at mx2.example.net [192.0.2.22]", True),
        ("550 No  Such Mailbox", "550 no such mailbox", True),
        (
            f"550 {'a' * 64}@example.org {'is not here ' * 40}"[:480] + "…",
            f"550 b@example.org {'is not here ' * 40}",
            True,
        ),
        ("550 no such mailbox", "554 no such mailbox", False),
        ("550 5.1.1 no", "550 5.7.1 no", False),
        ("550 mailbox full", "550 no such mailbox", False),
        ("451 later", "451 later", False),
        ("", "", False),
    ],
)
def test_replies_are_alike_but_for_what_they_name(one, other, same):
    """Code, status and words count; addresses, hosts, ids and numbers do not; only a 5xx counts at all."""
    assert (alike(f"{SAYS}{one}") == alike(f"{ABOUT_US}{SAYS}{other}") != "") is same


SETTINGS = """[files]
lae_automation_config = "config.json"
[ec2]
endpoint = "http://127.0.0.1:9/"
[mail]
host = "127.0.0.1"
port = {port}
ca_file = "{ca_file}"
sender = "support@example.org"
staff = "staff@example.org"
[waits]
mail_deadline = 1
"""


@pytest.fixture
def typed(someone, office, commands, tmp_path):
    """`typed(command, …)`: typed in a shell, by somebody whose settings lead to the office.

    After a run of three accounts.
    """
    they = someone(count=3)
    they.run()
    folder = they.manifest.parent
    (folder / "laerecover.toml").write_text(SETTINGS.format(**office.settings))
    key = {"admin_keypair_name": "admin", "admin_privkey_path": "a.pem", "monitor_privkey_path": "m.pem"}
    config = {**key, "ec2_access_key_id": "AKIAEXAMPLE", "monitor_pubkey_path": "monitor.pub"}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("monitor.pub", "ec2secret", "a.pem", "m.pem"):
        (folder / name).write_text("ssh-ed25519 AAAA monitor\n")
    they.ids = {a["customer"]: a["account_id"] for a in they.run().body["accounts"]}
    # The twin's servers have addresses that nobody may dial.
    undialled = ("--not-dialled", "--because", "they are the twin's")

    def typed(command, *words):
        said = undialled if command == "notify" else ()
        return commands(command, they.manifest, *words, *said, "--key-file", they.options().places.key_file)

    they.typed = typed
    return they


def test_the_commands_say_what_stopped_them_and_how_to_go_on(typed, office):
    """notify ends with 3 where a guard stopped it, 4 if something is in doubt, 1 if a mail was not sent.

    Resolve takes both ways.
    """
    office.sender = BARRED
    ended = typed.typed("notify", "--yes")
    assert (ended.returncode, "Mails: 3 held" in ended.stdout) == (3, True), ended.stderr
    assert f"Stopped by a guard: {SAYS}{BARRED}" in ended.stdout
    assert BARRED in json.loads(typed.typed("notify", "--yes", "--json").stdout)["stopped"]
    reported = typed.typed("report")
    assert reported.returncode == 3
    assert f"{ABOUT_US}{SAYS}{BARRED}; 2 mails are held for it" in reported.stdout
    office.sender = "250 OK"
    office.odd = {"customer0@example.org": "550 no such mailbox", "customer1@example.org": "taken, I think"}
    assert typed.typed("notify", "--yes").returncode == 4
    assert typed.typed("resolve", typed.ids["customer1@example.org"], "mail", "--sent").returncode == 0
    ended = typed.typed("notify", "--yes")
    assert (ended.returncode, "1 refused, 2 sent" in ended.stdout) == (1, True)
    ended = typed.typed("resolve", typed.ids["customer0@example.org"], "mail", "--resend")
    assert (ended.returncode, "held again; next: laerecover notify" in ended.stdout) == (0, True)
    office.odd = {}
    assert typed.typed("notify", "--yes").returncode == 0
    assert sorted(office.arrived) == ["customer0@example.org", "customer2@example.org"]


def test_one_refusal_stops_those_who_are_waiting_too(make_bench, office):
    """Another account that tries a busy server again and again stops trying; its mail is held."""
    bench = make_bench(mail="send")
    settings = bench.work.settings.changed(mail=office.settings)
    bench.work = replace(
        bench.work, settings=settings, world=replace(bench.work.world, mailer=SmtpMailer(settings.mail))
    )
    office.sender = "451 later"
    office.when_asked = lambda: office.asked == 2 and bench.work.sending.stop("refused elsewhere")
    outcome = bench.recover()
    assert (outcome["outcome"], outcome["failures"], office.asked) == ("recovered", [], 2)
    assert [m.state for m in bench.outbox.all()] == ["held"]
