"""Two state folders for one recovery: a customer hears of it once at most, unless a human says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laerecover.outbox import FOREIGN, Outbox
from laerecover.vault import Vault


def second_state(bench, folder):
    """Somebody else's state folder for the same account in the same world."""
    folder.mkdir()
    return replace(bench.work, outbox=Outbox(folder / "outbox.sqlite"), vault=Vault(folder / "secrets", b"k" * 32))


@pytest.mark.parametrize("mail", ["send", "hold"])
def test_a_server_that_another_state_recorded_gets_no_second_mail(make_bench, tmp_path, mail):
    """The one who recorded the server sends; for the other the mail is in doubt, with the reason."""
    bench = make_bench(mail="send")
    assert bench.recover()["outcome"] == "recovered"
    assert len(bench.rows("mailbox")) == 1
    bench.effects.clear()
    bench.work = replace(second_state(bench, tmp_path / "other"), mail=mail)
    assert bench.recover()["outcome"] == "recovered"
    (doubtful,) = [m for m in bench.work.outbox.of(bench.work.account.account_id) if m.kind != "failure"]
    assert (doubtful.state, doubtful.answer) == ("in_doubt", FOREIGN)
    assert [r["recipient"] for r in bench.rows("mailbox") if "customer0@" in r["recipient"]] == [
        "Customer 0 <customer0@example.org>"
    ]


def test_a_mail_that_a_human_wants_sent_goes_out_whoever_recorded_the_server(make_bench, tmp_path):
    """`resolve --resend` is a decision: the next sending does not doubt again."""
    from laerecover.steps.send_signup_confirmation import deliver

    bench = make_bench()
    bench.recover()
    bench.work = second_state(bench, tmp_path / "other")
    bench.recover()
    outbox, account_id = bench.work.outbox, bench.work.account.account_id
    mail = next(m for m in outbox.of(account_id) if m.state == "in_doubt")
    outbox.move(mail.message_id, to="held", of=["in_doubt"], now=mail.prepared_at)
    outbox.decide(account_id)
    deliver(bench.work, mail)
    assert outbox.get(mail.message_id).state == "sent"


def test_the_staff_hear_of_a_doubtful_mail_as_of_a_recovered_account(make_bench, tmp_path):
    """No notice calls an account failed that is recovered: it says what is left to do, and says it once."""
    bench = make_bench(mail="send")
    bench.recover()
    bench.work = second_state(bench, tmp_path / "other")
    bench.work = replace(bench.work, mail="send")
    for number in (1, 2):
        bench.work = replace(bench.work, round=number)
        assert bench.recover()["outcome"] == "recovered"
    subjects = [r["subject"] for r in bench.rows("mailbox") if "Recover" in r["subject"]]
    assert subjects == [f"Recovered, but something is left to do: {bench.work.account.account_id}"]
