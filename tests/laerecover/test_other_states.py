"""Two state folders for one recovery: a customer hears of it once at most, unless a human says otherwise."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from laerecover.errors import LaeRecoverError
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import COPIED, FOREIGN, Outbox
from laerecover.manifest.errors import KeyFileRefused
from laerecover.options import make_options
from laerecover.state.lock import locked
from laerecover.state.opening import forget_drill, open_state, read_state


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
    bench = make_bench()
    bench.recover()
    bench.work = second_state(bench, tmp_path / "other")
    bench.recover()
    outbox, account_id = bench.work.outbox, bench.work.account.account_id
    mail = next(m for m in outbox.of(account_id) if m.state == "in_doubt")
    outbox.move(mail.message_id, to="held", of=["in_doubt"], now=mail.prepared_at)
    outbox.decide(account_id)
    bench.work.delivery.deliver(mail)
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


def test_a_copied_state_doubts_what_the_original_may_send(make_bench, tmp_path):
    """In the copy every held mail is in doubt, once, and no server counts as its own; the original is as it was."""
    bench = make_bench()
    bench.recover()
    account_id = bench.work.account.account_id
    original = tmp_path / "bench"
    with locked(original, "run"):
        pass
    shutil.copytree(original, tmp_path / "copy")
    for folder, state in ((original, "held"), (tmp_path / "copy", "in_doubt"), (tmp_path / "copy", "in_doubt")):
        with locked(folder, "notify"):
            (mail,) = Outbox(folder / "outbox.sqlite").of(account_id)
        assert (mail.state, mail.answer) == (state, COPIED if state == "in_doubt" else "")
    assert Outbox(tmp_path / "copy" / "outbox.sqlite").recorded(account_id)[1] == ""


def test_a_renamed_state_folder_is_the_same_state(make_bench, tmp_path):
    """Renaming leaves nothing behind that could send, so nothing is doubted."""
    bench = make_bench()
    bench.recover()
    with locked(tmp_path / "bench", "run"):
        pass
    (tmp_path / "bench").rename(tmp_path / "renamed")
    with locked(tmp_path / "renamed", "notify"):
        assert [m.state for m in Outbox(tmp_path / "renamed" / "outbox.sqlite").all()] == ["held"]


def test_no_fresh_recovery_begins_over_an_old_ledger(tmp_path):
    """Where state.json is lost and the ledger stands, nothing is opened; a drill may be forgotten, a run is adopted."""
    folder = tmp_path / "state"
    open_state(folder, mode="run", digest="a" * 64, now=datetime.now(UTC))
    (folder / "state.json").unlink()
    (folder / "ledger.sqlite").touch()
    with pytest.raises(LaeRecoverError, match=r"state\.json is lost.*adopt"):
        open_state(folder, mode="run", digest="b" * 64, now=datetime.now(UTC))
    with pytest.raises(LaeRecoverError):
        forget_drill(folder)
    (folder / "world.sqlite").touch()
    with pytest.raises(LaeRecoverError, match="drill --again"):
        read_state(folder)
    forget_drill(folder)
    assert not folder.exists()


def test_a_state_that_is_no_folder_is_said_to_be_none(tmp_path):
    """A file, given as --state, is neither read nor adopted."""
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(LaeRecoverError, match="--state is no folder"):
        read_state(tmp_path / "file")


def test_mails_that_are_lost_with_the_outbox_are_in_doubt(make_account, make_manifest, key_file, commands):
    """status, report, notify name them, with exit 4; `resolve --resend` has the mail sent, `--sent` settles it."""
    accounts = [make_account(n) for n in range(2)]
    manifest = make_manifest(*accounts)
    key = ("--key-file", key_file)
    commands("drill", manifest, *key, "--pace", "0.001")
    outbox = make_options(manifest=manifest).places.folder("drill") / "outbox.sqlite"
    outbox.unlink()
    assert "not in the outbox as the ledger knows them: 2" in commands("status", manifest).stdout
    told = commands("report", manifest, *key, "--json")
    rows = json.loads(told.stdout)["accounts"]
    assert (told.returncode, [row["mail"] for row in rows]) == (4, ["in_doubt", "in_doubt"])
    assert "resolve" in rows[0]["follow_ups"][0]["command"]
    assert commands("resolve", manifest, accounts[0].account_id, "mail", "--resend", *key).returncode == 0
    assert commands("notify", manifest, *key, "--yes").returncode == 4
    assert {m.account_id: m.state for m in Outbox(outbox).all()} == {
        accounts[0].account_id: "sent",
        accounts[1].account_id: "in_doubt",
    }
    assert commands("resolve", manifest, accounts[1].account_id, "mail", "--sent", *key).returncode == 0
    assert commands("notify", manifest, *key, "--yes").returncode == 0


@pytest.mark.parametrize("waits", ["prepared", "held", "sending"])
def test_an_outbox_from_a_backup_sends_nothing_again(make_account, make_manifest, key_file, commands, waits):
    """What it lets wait although the ledger saw it sent is told as sent; what a human wants sent again goes out."""
    accounts = [make_account(n) for n in range(2)]
    manifest = make_manifest(*accounts)
    key = ("--key-file", key_file)
    commands("drill", manifest, *key, "--mail", "send", "--pace", "0.001")
    folder = make_options(manifest=manifest).places.folder("drill")

    def sent_by_its_world():
        told = json.loads(commands("report", manifest, *key, "--json").stdout)["accounts"]
        return [account["mails_sent"] for account in told], [account["mail"] for account in told]

    assert sent_by_its_world() == ([1, 1], ["sent", "sent"])
    with sqlite3.connect(folder / "outbox.sqlite") as db:  # as it was before any mail went
        db.execute("UPDATE mails SET state = ?, answer = ''", (waits,))
    assert "not in the outbox as the ledger knows them: 2" in commands("status", manifest).stdout
    assert sent_by_its_world() == ([1, 1], ["sent", "sent"])
    assert commands("notify", manifest, *key, "--yes").returncode == 0
    assert sent_by_its_world() == ([1, 1], ["sent", "sent"])
    assert all("older" in mail.answer for mail in Outbox(folder / "outbox.sqlite").all())
    name = accounts[0].account_id
    commands("resolve", manifest, name, "mail", "--bounced", "--because", "it came back", *key)
    assert commands("resolve", manifest, name, "mail", "--resend", *key).returncode == 0
    assert commands("notify", manifest, *key, "--yes").returncode == 0
    assert sent_by_its_world() == ([2, 1], ["sent", "sent"])


def test_proposed_commands_repeat_the_options_that_change_their_meaning(make_manifest, key_file, commands, tmp_path):
    """What plan and follow-ups propose names key, state, selection and evidence folder as they were given."""
    manifest = make_manifest(count=2)
    key = ("--key-file", key_file, "--only", "customer1@example.org")
    planned = commands("plan", manifest, *key, "--state", tmp_path / "s t").stdout
    given = f"--key-file {key_file} --only customer1@example.org"
    assert (
        f"next: laerecover drill {manifest} {given}, then laerecover run {manifest} --state '{tmp_path}/s t' {given}"
        in (planned)
    )
    drilled = commands("drill", manifest, *key, "--evidence-out", tmp_path / "e", "--pace", "0.001").stdout
    assert f"laerecover notify {manifest} --state {manifest}.drill {given}\n" in drilled


def test_no_file_but_ones_own_key_is_proposed_for_chmod(tmp_path):
    """A file that is no key is said to be none, whoever may read it."""
    from laerecover.manifest.keys import read_key

    (tmp_path / "keys").mkdir()
    for content, said in ((b"root:x:0:0\n" * 9, "holds 99 bytes"), (b"k" * 32, "chmod 600")):
        file = tmp_path / "keys" / "any"
        file.write_bytes(content)
        file.chmod(0o644)
        with pytest.raises(KeyFileRefused, match=said):
            read_key(file, manifest=tmp_path / "manifest.parquet")
