"""What is lost, changed or hostile does not hang, double or hide what a customer must hear."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from laerecover.errors import Guarded


def test_a_ledger_that_cannot_be_written_ends_the_run(operator, make_account, monkeypatch):
    """A workflow whose end the ledger could not take is not waited for: the run stops, and the same command goes on."""
    import dbos._sys_db as engine

    import laerecover.runner

    def full(*args, **kwargs):
        raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))

    someone = operator(make_account())
    monkeypatch.setattr(laerecover.runner, "_ASKED", 5)
    with monkeypatch.context() as broken:
        broken.setattr(engine.SystemDatabase, "update_workflow_outcome", full)
        with pytest.raises(Guarded, match=r"ledger could not be written.*run the same command again"):
            someone.run()
    someone.stop.clear()
    assert someone.run().exit_code == 0
    assert len(someone.rows("instances")) == 1


def letters(bench):
    """What the customer got."""
    return [row for row in bench.rows("mailbox") if "customer0@" in row["recipient"]]


@pytest.mark.parametrize("mail", ["send", "hold"])
def test_a_customer_who_was_told_a_lost_address_hears_of_the_new_one(make_bench, mail):
    """An account that is recovered at another address than its mail told gets another mail, which is held or sent."""
    bench = make_bench(mail="send")
    bench.recover()
    bench.work.world.compute.terminate(bench.values("deploy_ec2_instance")["instance_id"])
    bench.effects.clear()
    bench.work = replace(bench.work, mail=mail, round=2)
    assert bench.recover()["outcome"] == "recovered"
    first, second = bench.outbox.all()
    here = bench.values("wait_for_ec2_addresses")["public_host"]
    sent = [first, second] if mail == "send" else [first]
    assert first.host not in ("", here)
    assert (second.state, second.host) == (("sent", here) if mail == "send" else ("held", ""))
    assert [row["message_id"] for row in letters(bench)] == [each.message_id for each in sent]
    bench.recover()
    assert len(bench.outbox.all()) == 2


def test_a_mail_that_waits_tells_the_latest_address_and_stays_one(make_bench):
    """Nothing was given away yet: the held mail is the one that is sent."""
    bench = make_bench()
    bench.recover()
    bench.work.world.compute.terminate(bench.values("deploy_ec2_instance")["instance_id"])
    bench.effects.clear()
    bench.work = replace(bench.work, mail="send", round=2)
    bench.recover()
    (mail,) = bench.outbox.all()
    assert (mail.state, mail.host) == ("sent", bench.values("wait_for_ec2_addresses")["public_host"])
    assert len(letters(bench)) == 1


def test_an_outbox_that_knew_no_addresses_sends_nothing_again(make_bench):
    """A mail of which nobody knows what it told stands for its account."""
    bench = make_bench(mail="send")
    bench.recover()
    with sqlite3.connect(bench.outbox._path) as db:
        db.execute("ALTER TABLE mails DROP COLUMN host")
    db.close()
    bench.work = replace(bench.work, outbox=type(bench.outbox)(bench.outbox._path), round=2)
    bench.recover()
    assert len(letters(bench)) == 1


def test_another_sender_makes_no_second_mail(make_bench):
    """What names a mail is its account and what it is about, not the domain of whoever sends it."""
    bench = make_bench(mail="send")
    bench.recover()
    bench.work = replace(bench.work, settings=replace(bench.work.settings, sender="help@example.com"), round=2)
    bench.recover()
    assert len(letters(bench)) == len(bench.outbox.all()) == 1
