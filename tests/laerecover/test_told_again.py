"""What is lost, changed or hostile does not hang, double or hide what a customer must hear."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from laerecover.errors import Guarded
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Secret
from laerecover.planning.planner import plan
from laerecover.ports.compute import RECOVERED_TAG
from laerecover.report.written import report


def test_a_ledger_that_cannot_be_written_ends_the_run(operator, make_account, monkeypatch):
    """A workflow whose end the ledger could not take is not waited for: the run stops, and the same command goes on."""
    import dbos._sys_db as engine

    import laerecover.runbook.engine

    def full(*args, **kwargs):
        raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))

    someone = operator(make_account())
    with monkeypatch.context() as broken:
        broken.setattr(laerecover.runbook.engine, "_ASKED", 5)
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
    bench.work = replace(bench.work, settings=bench.work.settings.changed(mail={"sender": "help@example.com"}), round=2)
    bench.recover()
    assert len(letters(bench)) == len(bench.outbox.all()) == 1


NEW = {
    "grade": "NEW_STORAGE_IDENTITY",
    "introducer_identity": "ABSENT",
    "storage_identity": "ABSENT",
    "introducer_furl": None,
    "introducer_node_pem": None,
    "server_node_pem": None,
}


def end_nodes(bench):
    """The nodes are down for the moment."""
    with bench.file.change() as db:
        db.execute("DELETE FROM services")


def identity(bench):
    """What the host's files hold."""
    names = ("introducer/private/node.pem", "introducer/private/introducer.furl", "storageserver/private/node.pem")
    return [bench.host_file(f"/home/customer/{name}") for name in names]


def forget(bench, folder):
    """Another state folder for the same account in the same world."""
    folder.mkdir()
    bench.effects.clear()
    bench.work = replace(bench.work, outbox=Outbox(folder / "outbox.sqlite"), vault=Vault(folder / "v", b"k" * 32))


@pytest.mark.parametrize("lost", [NEW, {"grade": "NEW_FURL", "introducer_furl": None}])
def test_keys_of_another_recovery_are_not_replaced(make_bench, make_account, tmp_path, lost):
    """A server whose nodes are down keeps what a customer may have been told, and a human hears of it."""
    bench = make_bench(make_account(**lost))
    bench.recover()
    before = identity(bench)
    end_nodes(bench)
    forget(bench, tmp_path / "other")
    ended = bench.recover()
    assert (ended["outcome"], ended["failures"][0]["kind"]) == ("failed", "other_keys")
    assert identity(bench) == before
    assert not bench.rows("services")


def test_keys_that_the_manifest_has_are_put_back_by_whoever_comes(make_bench, tmp_path):
    """Where everything was restored another state folder has the same keys, and goes on."""
    bench = make_bench()
    bench.recover()
    before = identity(bench)
    end_nodes(bench)
    forget(bench, tmp_path / "other")
    assert bench.recover()["outcome"] == "recovered"
    assert identity(bench) == before


def test_our_own_keys_give_way_to_those_of_a_mended_manifest(make_bench, make_account):
    """What this recovery itself put there is replaced by what was found since, even if a runner died in between."""
    bench = make_bench(make_account(**NEW))
    bench.recover()
    end_nodes(bench)
    bench.effects.clear()
    found = make_account()
    for name in ("introducer_node_pem", "server_node_pem"):
        bench.work.vault.save(found.account_id, {name: getattr(found, name)})
    bench.work = replace(bench.work, account=found, round=2)
    assert bench.recover()["outcome"] == "recovered"
    assert found.introducer_node_pem.reveal().strip() == identity(bench)[0].strip()


def test_a_recovered_server_keeps_even_our_own_keys(make_bench, make_account):
    """Once an instance bears the tag of a recovered one, nothing of its identity changes."""
    bench = make_bench(make_account(**NEW))
    bench.recover()
    before = identity(bench)
    end_nodes(bench)
    bench.work.world.compute.tag(bench.values("deploy_ec2_instance")["instance_id"], {RECOVERED_TAG: "2026-11-22"})
    bench.work = replace(bench.work, account=make_account(), round=2)
    assert bench.recover()["failures"][0]["kind"] == "other_keys"
    assert identity(bench) == before


def test_what_a_mended_manifest_no_longer_recovers_is_listed(operator, make_account, make_manifest):
    """An account that was begun and is INCOMPLETE or gone now stands in the report, and the exit code is not 0."""
    someone = operator(*map(make_account, range(3)))
    assert someone.run().exit_code == 0
    incomplete = make_account(2, verdict="INCOMPLETE", grade=None)
    make_manifest(make_account(1), incomplete)
    plan(someone.options(), worlds=someone.worlds)
    for made in (someone.run(), report(someone.options(), someone.worlds)[1]):
        assert made.exit_code == 1
        left = {
            a["account_id"]: [f["do"] for f in a["follow_ups"] if f["do"].startswith("begun")]
            for a in made.body["accounts"]
        }
        assert {name: len(found) for name, found in left.items()} == {
            make_account(0).account_id: 1,
            make_account(1).account_id: 0,
            incomplete.account_id: 1,
        }


CERTIFICATE = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("introducer_furl", "pb://{tub}@203.0.113.1:12345/swiss\n[node]\nnickname = evil"),
        ("introducer_furl", "pb://{tub}@203.0.113.1:12345/swiss\x1b[31m"),
        ("introducer_node_pem", CERTIFICATE.format("AAAA")),
        ("server_node_pem", CERTIFICATE.format("!!!")),
        ("server_node_pem", "nothing of a certificate"),
        ("server_node_pem", CERTIFICATE.format("\u2603")),
    ],
)
def test_a_hostile_identity_is_never_launched(operator, make_account, name, text):
    """What cannot be a furl or a key blocks its account in the plan, with the name of the value; the others go on."""
    hostile = make_account(0, **{name: Secret(text.format(tub=make_account(0).introducer_nodeid))})
    someone = operator(hostile, make_account(1))
    made = someone.run()
    rows = {a["account_id"]: a for a in made.body["accounts"]}
    assert (rows[hostile.account_id]["outcome"], made.exit_code) == ("blocked", 3)
    assert name in rows[hostile.account_id]["why"]
    assert rows[make_account(1).account_id]["outcome"] == "recovered"
    assert len(someone.rows("instances")) == 1


def test_a_broken_key_that_is_not_restored_blocks_nothing(operator, make_account):
    """Garbage that the audit calls BROKEN is replaced by a new key, whatever it holds."""
    broken = {"introducer_node_pem": Secret("garbage"), "introducer_identity": "BROKEN", "introducer_furl": None}
    assert operator(make_account(0, grade="NEW_FURL", **broken)).run().exit_code == 0
