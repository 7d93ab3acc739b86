"""Nobody is told of a new server before its public ports were dialled from here, and answered as themselves."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from laerecover.afterwards.notify import notify
from laerecover.errors import Guarded, LaeRecoverError
from laerecover.mail.outbox import FAILURE, Outbox
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.twin.probes import TwinProbe
from laerecover.rehearsal.twin.world import TwinFile
from laerecover.report.written import report
from laerecover.runbook.values import CONFIRM, MONITOR, NOTICE
from laerecover.state.opening import read_state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
SSH, NODES = (22, 22, "0.0.0.0/0"), (12345, 12346, "0.0.0.0/0")


def letters(bench):
    """What customers got."""
    return [row for row in bench.rows("mailbox") if "customer" in row["recipient"]]


def mail_of(bench):
    """The account's own mail."""
    return next(mail for mail in bench.outbox.all() if mail.kind != FAILURE)


@pytest.mark.parametrize("mail", ["hold", "send"])
def test_a_server_that_answers_is_told_of(make_bench, mail):
    """Both ports are dialled, once each, for the TubIDs that the customer knows."""
    bench, dialled = make_bench(mail=mail), []

    class Nodes:
        def tub_id(self, public_host, port, *, wanted):
            dialled.append((public_host, port, wanted))
            return wanted

    bench.work = replace(bench.work, world=replace(bench.work.world, nodes=Nodes()))
    assert bench.recover() == {"outcome": "recovered", "failures": [], "notice_failed": ""}
    told, host = bench.values("bounce_server"), bench.values("wait_for_ec2_addresses")["public_host"]
    assert dialled == [(host, 12345, told["introducer_tub_id"]), (host, 12346, told["server_nodeid"])]
    assert bench.values("send_signup_confirmation")["dialled"] is True
    assert (mail_of(bench).state, len(letters(bench))) == (("sent", 1) if mail == "send" else ("held", 0))


def other_node(bench):
    """Somebody else's node answers, which knows its own tub alone."""
    with bench.file.change() as db:
        db.execute("UPDATE services SET tub_id = 'another' WHERE name = 'introducer'")


def nobody(bench):
    """The storage node has died."""
    with bench.file.change() as db:
        db.execute("DELETE FROM services WHERE name = 'storageserver'")


def impostor(bench):
    """Somebody in between answers for every tub, with a certificate of their own."""

    class Nodes:
        def tub_id(self, public_host, port, *, wanted):
            return "z" * 32

    bench.work = replace(bench.work, world=replace(bench.work.world, nodes=Nodes()))


@pytest.mark.parametrize(
    ("befalls", "says"),
    [
        (lambda bench: bench.file.let_in([SSH]), "the introducer was dialled from here: 203.0.113.20:12345"),
        (lambda bench: bench.file.let_in([SSH, (12345, 12345, "0.0.0.0/0")]), "12346 does not answer: timed out"),
        (lambda bench: bench.file.let_in([SSH, (12345, 12346, "198.51.100.0/24")]), "12345 does not answer"),
        (nobody, "the storage node was dialled from here: 203.0.113.20:12346 does not answer: connection refused"),
        (other_node, "203.0.113.20:12345 does not know that tub"),
        (impostor, f"another tub answers: {'z' * 32}; somebody may be in between"),
    ],
    ids=["group shut", "one port shut", "only an office let in", "a dead node", "another node", "an impostor"],
)
def test_the_mail_of_a_server_that_does_not_answer_is_held(make_bench, befalls, says):
    """Whatever was wanted: the customer hears of no dead address, the account has a follow-up, the staff are told."""
    bench = make_bench(mail="send")
    perform = bench.perform

    def befalling(step, attempt, known, failure):
        if step == CONFIRM:
            befalls(bench)
        return perform(step, attempt, known, failure)

    bench.perform = befalling
    ended = bench.recover()
    (failure,) = ended["failures"]
    assert (ended["outcome"], failure["kind"], failure["follow_up"]) == ("recovered", "not_reached", True)
    for text in (failure["message"], mail_of(bench).answer):
        assert says in text
        assert "security group" in text
        assert '--not-dialled --because "…"' in text
    assert (mail_of(bench).state, letters(bench)) == ("held", [])
    (notice,) = bench.rows("mailbox")
    assert notice["recipient"] == "staff@example.org"
    assert [e.step for e in bench.effects][-2:] == [MONITOR, NOTICE]


def test_a_server_that_answers_within_its_time_is_told_of(make_bench):
    """A node, a route or a rule that comes a moment later is waited for, and those who watch see what for."""
    bench, waits = make_bench(mail="send"), []

    def waiting(what, seconds):
        if "public ports" in what:
            waits.append((what, seconds))
            bench.file.let_in([SSH, NODES] if len(waits) > 2 else [SSH])

    bench.work = replace(bench.work, waiting=waiting)
    bench.file.let_in([SSH])
    assert bench.recover()["failures"] == []
    assert len(letters(bench)) == 1
    assert len(waits) == 3
    assert "does not answer: timed out" in waits[0][0]
    assert 0 < waits[0][1] <= bench.work.settings.waits.dial_deadline


def test_a_second_round_that_is_not_reached_keeps_what_became_of_the_mail(make_bench):
    """A mail that is in doubt stays so, and the dead server is told all the same."""
    bench = make_bench()
    bench.recover()
    bench.outbox.move(mail_of(bench).message_id, to="in_doubt", of=["held"], now=bench.work.world.clock.now())
    bench.file.let_in([SSH])
    bench.work = replace(bench.work, round=2)
    (failure,) = bench.recover()["failures"]
    assert (failure["kind"], mail_of(bench).state) == ("not_reached", "in_doubt")


def test_who_lost_what_to_compare_with_tells_nobody(make_bench, make_account):
    """Without the vault nobody knows who should answer: that is no success."""
    bench = make_bench(make_account(customer_keyinfo="PGP"), mail="send")
    perform = bench.perform

    def losing(step, attempt, known, failure):
        if step == CONFIRM:
            for sealed in Path(bench.vault._folder).iterdir():
                sealed.unlink()
        return perform(step, attempt, known, failure)

    bench.perform = losing
    (failure,) = bench.recover()["failures"]
    assert failure["message"].startswith("the introducer was not dialled: its address and key are lost with the vault")


# --- a whole run ---------------------------------------------------------------------------------


class Dead:
    """While it is `dead`, nobody answers behind a public address, whatever the security group says."""

    def __init__(self, monkeypatch):
        self.hosts, self.asked, answer = None, [], TwinProbe.tub_id

        def tub_id(probe, public_host, port, *, wanted):
            self.asked.append(public_host)
            if self.hosts is None or public_host in self.hosts:
                raise Transient(f"{public_host}:{port} does not answer: timed out")
            return answer(probe, public_host, port, wanted=wanted)

        monkeypatch.setattr(TwinProbe, "tub_id", tub_id)

    def mend(self):
        """From now on everybody answers."""
        self.hosts = ()


@pytest.fixture
def dead(monkeypatch):
    """A network that lets nobody through."""
    return Dead(monkeypatch)


def customers(someone):
    """Who got a mail."""
    return sorted(row["recipient"] for row in someone.rows("mailbox") if "customer" in row["recipient"])


def send(someone, *, confirmed=True, **more):
    """notify; the states of the accounts' own mails."""
    asked = {"stop": someone.stop, "confirm": lambda *_: confirmed, "worlds": someone.worlds}
    state, _, _ = notify(someone.options(**more), **asked)
    return sorted(mail.state for mail in Outbox(state.outbox).all() if mail.kind != FAILURE)


def test_the_canary_stops_a_run_whose_servers_nobody_reaches(operator, make_account, dead):
    """One launch, no mail, exit 3; started again, another canary; once it is mended all are recovered and told."""
    someone = operator(*map(make_account, range(4)))
    made = someone.run(mail="send")
    assert (made.number("recovered"), made.number("not started"), made.exit_code) == (1, 3, 3)
    assert "does not answer: timed out" in made.body["stopped"]
    assert (len(someone.rows("instances")), customers(someone)) == (1, [])
    row = next(a for a in made.body["accounts"] if a["outcome"] == "recovered")
    (left,) = [f for f in row["follow_ups"] if "not reached" in f["do"]]
    assert left["command"].startswith("laerecover notify")
    assert "does not answer: timed out" in left["about"]

    made = someone.run(mail="send")
    assert (made.number("recovered"), made.exit_code, len(someone.rows("instances"))) == (2, 3, 2)
    dead.mend()
    made = someone.run(mail="send")
    assert (made.number("recovered"), made.body["stopped"], made.exit_code) == (4, "", 3), "two mails still wait"
    assert len(customers(someone)) == 2
    assert send(someone) == ["sent"] * 4
    assert len(customers(someone)) == 4
    done = report(someone.options(), someone.worlds)[1]
    assert done.exit_code == 0
    assert not any("not reached" in f["do"] for a in done.body["accounts"] for f in a["follow_ups"])


def test_without_a_canary_the_first_silent_server_stops_the_launches(operator, make_account, dead):
    """What was launched meanwhile is seen through; nothing further is."""
    someone = operator(*map(make_account, range(5)))
    made = someone.run(canary=False, concurrency=1)
    assert (made.number("recovered"), made.number("not started"), made.exit_code) == (1, 4, 3)
    assert len(someone.rows("instances")) == 1


def test_a_silence_that_a_killed_runner_recorded_still_stops_the_others(make_manifest, key_file, commands):
    """The step is not carried out again by the next runner, and the accounts that were not started stay so."""
    manifest = make_manifest(count=3)
    folder = Path(f"{manifest}.drill")
    folder.mkdir(mode=0o700)
    TwinFile(folder / "world.sqlite", seed=1).let_in([SSH])
    drill = ("drill", manifest, "--key-file", key_file, "--pace", "0.001", "--concurrency", "1", "--json")
    killed = commands(*drill, LAERECOVER_CRASH_AT="notify_zenoss:before-probe")
    assert killed.returncode == -signal.SIGKILL
    ended = commands(*drill)
    body = json.loads(ended.stdout)
    assert (ended.returncode, [a["outcome"] for a in body["accounts"]].count("not started")) == (3, 2)
    assert "does not answer: timed out" in body["stopped"]
    assert commands("notify", manifest, "--key-file", key_file).returncode == 1
    assert [mail.state for mail in Outbox(folder / "outbox.sqlite").all() if mail.kind != FAILURE] == ["held"]


def test_notify_dials_before_it_sends(operator, make_account, dead):
    """A server that died between run and notify, or that was never dialled by an older version.

    Its mail stays, the others go.
    """
    dead.mend()
    someone = operator(*map(make_account, range(3)))
    someone.run()
    ledger = json.dumps(report(someone.options(), someone.worlds)[1].body["accounts"])
    dead.hosts = {someone.rows("serverinfo")[1]["public_host"]}
    assert send(someone) == ["held", "sent", "sent"]
    assert len(customers(someone)) == 2
    (held,) = [mail for mail in Outbox(read_state(someone.folder).outbox).all() if mail.state == "held"]
    assert "does not answer: timed out" in held.answer
    assert "not_reached" not in ledger
    dead.mend()
    assert send(someone) == ["sent"] * 3


def test_a_runner_whose_network_forbids_it_is_told_once(operator, make_account, dead):
    """With a reason, which the report shows with who said it and when.

    From then on nobody is dialled, by notify neither.
    """
    someone = operator(*map(make_account, range(3)))
    for reason in (None, "  "):
        with pytest.raises(LaeRecoverError, match="--not-dialled needs a reason"):
            someone.run(not_dialled=True, because=reason)
    made = someone.run(not_dialled=True, because="the office lets out 22 and 443 <only>")
    assert (made.number("recovered"), made.exit_code, dead.asked) == (3, 0, [])
    assert made.body["not_dialled"]["because"] == "the office lets out 22 and 443 <only>"
    assert {"by", "at"} <= made.body["not_dialled"].keys()
    page = (someone.folder / "report.html").read_text()
    assert "not dialled from here" in page
    assert "22 and 443 &lt;only&gt;" in page
    told = [
        s["values"]["dialled"]
        for a in made.body["accounts"]
        for s in a["steps"]
        if s["step"] == "send_signup_confirmation"
    ]
    assert told == [False] * 3
    assert send(someone) == ["sent"] * 3
    assert dead.asked == []
    assert someone.run().body["not_dialled"] == made.body["not_dialled"], "said once"
    assert someone.run(not_dialled=False).body["not_dialled"] is None, "taken back"


def test_notify_can_be_told_so_too(operator, make_account, dead):
    """Mails of a recovery that was begun before anybody dialled are not held for ever."""
    someone = operator(make_account(0))
    assert someone.run().exit_code == 3
    assert send(someone) == ["held"]
    with pytest.raises(LaeRecoverError, match="needs a reason"):
        send(someone, not_dialled=True)
    before = (someone.folder / "state.json").read_bytes()
    with pytest.raises(Guarded, match="not confirmed"):
        send(someone, confirmed=False, not_dialled=True, because="no way out of here")
    assert (someone.folder / "state.json").read_bytes() == before, "nobody has said yes"
    assert send(someone, not_dialled=True, because="no way out of here") == ["sent"]
    assert report(someone.options(), someone.worlds)[1].exit_code == 0


def test_a_group_that_keeps_customers_out_starts_no_run(operator, make_account):
    """What plan --check finds stops the run before the first launch, naming ports and remedy."""
    someone = operator(make_account(0))
    someone.file.let_in([SSH])
    with pytest.raises(LaeRecoverError, match="CustomerDefault lets nobody in at 12345 and 12346") as caught:
        someone.run()
    assert "let in TCP 12345 and 12346 from 0.0.0.0/0" in caught.value.next_step
    assert someone.rows("instances") == []
    someone.file.let_in([NODES])
    with pytest.raises(LaeRecoverError, match="nobody in at 22"):
        someone.run()


def test_the_kind_of_the_refusal_names_the_impostor(make_bench):
    """For whoever catches it: the world's own words."""
    from laerecover.mail.dialling import answers_as

    bench = make_bench()
    impostor(bench)
    with pytest.raises(Refusal) as caught:
        answers_as(bench.work.world.nodes, "203.0.113.9", 12345, "a" * 32)
    assert caught.value.kind == "other_tub"
