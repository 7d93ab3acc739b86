"""The plan, and what it rests on: settings, selections, state and decisions."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from laerecover.errors import LaeRecoverError, LockHeld
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import parse_furl
from laerecover.hosts.vault import Vault
from laerecover.manifest import Manifest, Secret
from laerecover.options import Selection
from laerecover.planning.plan import Circumstances, make_plan
from laerecover.settings import drill_settings
from laerecover.state.lock import holder, locked
from laerecover.state.opening import open_state, read_state
from laerecover.text import clean

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def planned(tmp_path):
    def make(*accounts, mode="run", selection=None, **more):
        manifest = Manifest(accounts=accounts, evidence_digest="e", digest="d" * 64)
        chosen = (selection or Selection()).of(manifest)
        given = Circumstances(mode=mode, selected=chosen, concurrency=8, **more)
        return make_plan(manifest, drill_settings(tmp_path), given)

    return make


@pytest.mark.parametrize(
    ("mode", "server", "inventory", "accepted", "action", "guarded"),
    [
        ("run", "GONE", "GONE", False, "recover", False),
        ("run", "UNKNOWN", None, False, "recover", False),
        ("run", "UNKNOWN", "UNKNOWN", False, "blocked", True),
        ("run", "UNKNOWN", "GONE", False, "recover", False),
        ("run", "UNKNOWN", "RUNNING", False, "blocked", True),
        ("run", "RUNNING", None, False, "blocked", True),
        ("run", "RUNNING", "RUNNING", True, "recover", False),
        ("drill", "RUNNING", None, False, "recover", False),
    ],
)
def test_a_server_that_may_still_run_blocks_its_account(
    planned, make_account, mode, server, inventory, accepted, action, guarded
):
    """Two servers on one bucket is the worst outcome: only GONE or a recorded decision lets an account go on."""
    account = make_account(server=server)
    row = planned(
        account,
        mode=mode,
        accepted=frozenset([account.account_id] if accepted else []),
        inventory={account.account_id: inventory} if inventory else None,
    ).accounts[0]
    assert (row.action, row.guarded) == (action, guarded)


@pytest.mark.parametrize("verdict", ["INCOMPLETE", "CONTESTED", "UNFINISHED", "ABANDONED"])
def test_other_verdicts_are_blocked_with_what_is_missing(planned, make_account, verdict):
    """Only RECOVERABLE accounts are taken, and a decision about the server changes nothing."""
    account = make_account(verdict=verdict, missing=("user_secret_key",))
    row = planned(account, accepted=frozenset([account.account_id])).accounts[0]
    assert (row.action, row.guarded) == ("blocked", False)
    assert verdict in row.why
    assert "user_secret_key" in row.why


def test_a_plan_has_a_digest_and_no_secret(planned, make_account):
    """The same plan has the same digest, another one has another, and no secret is printed."""
    one, same, other = planned(make_account()), planned(make_account()), planned(make_account(grade="NEW_FURL"))
    assert one.digest == same.digest != other.digest
    assert "canary" not in repr(one)
    assert one.accounts[0].restores == ("introducer key", "introducer furl", "storage key")


def test_accounts_are_selected_by_id_and_address(planned, make_account):
    """--only, --except and --first choose among the recoverable ones."""
    accounts = [make_account(n) for n in range(4)]
    chosen = planned(*accounts, selection=Selection(without=("customer0@example.org",), first=2))
    assert [a.action for a in chosen.accounts] == ["left out", "recover", "recover", "left out"]
    only = planned(*accounts, selection=Selection(only=(accounts[3].account_id,)))
    assert [a.account_id for a in only.recover] == [accounts[3].account_id]
    with pytest.raises(LaeRecoverError, match="no account is called"):
        planned(*accounts, selection=Selection(only=("nobody",)))


def test_a_state_remembers_what_was_planned(make_account, tmp_path):
    """Another manifest and the other mode are refused; everything is for its owner alone."""
    folder = tmp_path / "m.state"
    made = open_state(folder, mode="run", digest="a" * 64, now=NOW)
    said = made.decisions.accept(make_account(0), because="seen dead", by="ann", now=NOW)
    replace(made, decisions=said).write()
    assert read_state(folder).decisions.accepted[make_account(0).account_id]["by"] == "ann"
    for change in ({"digest": "b" * 64}, {"mode": "drill"}):
        with pytest.raises(LaeRecoverError, match="nothing was started"):
            open_state(folder, **{"mode": "run", "digest": "a" * 64, "now": NOW, **change})
    assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 99}', '{"version": 1, "mode": "run"}', '{"version": 1, "mode": "x"}']
)
def test_a_damaged_state_is_refused(tmp_path, content):
    """A state that cannot be read is never taken for a fresh one."""
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(LaeRecoverError, match="cannot be read"):
        read_state(tmp_path)


@pytest.mark.parametrize("name", ["ledger.sqlite", "outbox.sqlite"])
def test_a_torn_ledger_is_refused(tmp_path, name):
    """Damage is told with what to do; nobody takes a torn file for an empty one."""
    folder = tmp_path / "m.state"
    open_state(folder, mode="run", digest="a" * 64, now=NOW)
    (folder / name).write_bytes(b"SQLite format 3\0" + b"garbage" * 999)
    with pytest.raises(LaeRecoverError, match="laerecover adopt"):
        read_state(folder)
    (folder / name).write_bytes(b"nothing like it" * 999)
    with pytest.raises(LaeRecoverError, match="it is damaged"):
        read_state(folder)


def test_one_runner_holds_the_lock_and_dies_with_it(tmp_path):
    """The second is refused, whoever asks is told, and afterwards the lock is free."""
    with locked(tmp_path, "run"):
        assert "pid" in holder(tmp_path)
        with pytest.raises(LockHeld, match="pid"), locked(tmp_path, "run"):
            pass
    assert holder(tmp_path) is None
    with locked(tmp_path, "run"):
        pass


def test_a_look_at_the_lock_disturbs_no_runner(tmp_path):
    """`status` asked all the time never makes a starting runner believe in another one."""
    (tmp_path / "lock").touch()
    stop = threading.Event()

    def look():
        while not stop.is_set():
            holder(tmp_path)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with locked(tmp_path, "run"):
                pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_the_vault_opens_for_its_key_and_name_alone(tmp_path):
    """A sealed secret that was changed, renamed or sealed under another key is not opened."""
    vault = Vault(tmp_path / "secrets", b"k" * 32)
    vault.save("lae-1", {"furl": Secret("canary")})
    vault.save("lae-1", {"other": Secret("too")})
    assert {name: s.reveal() for name, s in vault.load("lae-1").items()} == {"furl": "canary", "other": "too"}
    assert vault.load("lae-2") == {}
    path = next((tmp_path / "secrets").iterdir())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"canary" not in path.read_bytes()
    with pytest.raises(LaeRecoverError, match="key file"):
        Vault(tmp_path / "secrets", b"x" * 32).load("lae-1")
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(LaeRecoverError, match="sealed"):
        vault.load("lae-1")


def test_a_host_key_is_the_same_for_the_same_launch(tmp_path):
    """Key and user data depend on key file and client token alone, and paramiko reads what was written by hand."""
    import io

    import paramiko

    vault = Vault(tmp_path, b"k" * 32)
    one, same, other = (derive_host_key(vault, token) for token in ("a", "a", "b"))
    assert one.user_data == same.user_data
    assert one.public == same.public != other.public
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(one.private.reveal()))
    assert f"{key.get_name()} {key.get_base64()}" == one.public
    assert one.user_data.reveal().count(one.public) == 1


def test_user_data_makes_the_login_user_and_pins_the_key(tmp_path):
    """Images let in users of their own (`admin`, `debian`, `ec2-user`).

    Cloud-init gives their default user this name, as a table, which no version calls outdated. An older version sent
    the same without it.
    """
    key = derive_host_key(Vault(tmp_path, b"k" * 32), "a")
    told, former = (yaml.safe_load(each.reveal()) for each in (key.user_data, key.former_user_data))
    assert key.user_data.reveal().startswith("#cloud-config\n")
    assert told.pop("user") == {"name": "ubuntu"}
    assert (
        told
        == former
        == {
            "ssh_deletekeys": True,
            "ssh_keys": {"ed25519_private": key.private.reveal(), "ed25519_public": key.public},
        }
    )


@pytest.mark.parametrize("text", ["", "pb://", "pb://a@b", "pb://a@b/", "http://a@b/c", "pb://@b/c"])
def test_what_is_no_furl_is_refused_without_its_text(text):
    """A broken furl is not repeated in the error."""
    with pytest.raises(ValueError, match="that is no furl"):
        parse_furl(Secret(text))


def test_hostile_text_is_shown_as_one_harmless_line():
    """Escapes, line breaks, bidi overrides and zero-width characters become dots; the rest is cut."""
    assert clean("a\x1b[31m\r\nb\u202e\u200b\u2028c\x00") == "a·[31m··b···c·"
    assert len(clean("x" * 9999)) == 500
