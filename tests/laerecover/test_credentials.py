"""Credentials that changed since the evidence was written."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace

import pytest

from laerecover.credentials import changed_credentials, endpoints_of
from laerecover.errors import LaeRecoverError
from laerecover.hosts.vault import Vault
from laerecover.options import Options
from laerecover.planning.planner import plan
from laerecover.report.written import report

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
READ_SETTINGS = Options.read_settings
"""As it is, which the operator of these tests has replaced."""
ROW = '[[changed]]\n{about}\naccess_key_id = "AKIARENEWED"\nsecret_key_file = "{file}"\nwho = "ann"\nwhy = "rotated"\n'


@pytest.fixture
def say(tmp_path):
    """Write settings beside the manifest that name a file of changed credentials; gives the settings' place."""

    def write(*rows, secret="canary-renewed-secret\n"):
        folder = tmp_path / "case"
        folder.mkdir(exist_ok=True)
        (folder / "renewed.secret").write_text(secret)
        (folder / "credentials.toml").write_text("\n".join(rows))
        settings = folder / "laerecover.toml"
        settings.write_text('[files]\ncredentials = "credentials.toml"\n')
        return settings

    return write


def row(about, more="", file="renewed.secret"):
    return ROW.format(about=about, file=file) + more


def test_changed_credentials_reach_the_host_and_are_told(operator, make_account, say):
    """Plan and report tell who changed what and why, without the secret key; the others keep theirs.

    What the recovery leaves for the next disaster has the new key.
    """
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    unchanged, _ = plan(someone.options(), worlds=someone.worlds)
    say(row(f'account = "{first.account_id}"', 'bucket = "moved-bucket"\n'))
    seen = {a.account_id: a for a in someone.options().places.read().accounts}
    assert (seen[first.account_id].user_access_key_id, seen[first.account_id].bucket_name) == (
        "AKIARENEWED",
        "moved-bucket",
    )
    assert seen[second.account_id].user_access_key_id == second.user_access_key_id
    made, _ = plan(someone.options(), worlds=someone.worlds, check=True)
    told = "credentials changed: access key AKIARENEWED, bucket moved-bucket; said by ann: rotated"
    assert f"{first.account_id}: {told}" in made.notes
    assert made.digest != unchanged.digest, "who approves a plan approves where it leads"
    done = someone.run()
    assert {r.account_id: r.credentials for r in done.accounts} == {
        first.account_id: told,
        second.account_id: "",
    }
    left = "".join(p.read_text() for p in (someone.folder / "evidence").rglob("*") if p.is_file())
    assert left.count("AKIARENEWED") >= 1
    assert "canary-renewed-secret" in left, "what is left are secrets files, for the next audit"
    assert first.user_access_key_id not in left
    written = json.dumps(report(someone.options(), someone.worlds)[1].body)
    assert "canary-renewed-secret" not in written + str(made)


def test_a_product_s_key_is_that_of_all_but_whom_another_row_is_about(operator, make_account, say):
    """One key for all of a product, as S4's was; an account's own outdoes it, wherever it stands."""
    first, second = make_account(0), make_account(1, product_code="0C4E91D7")
    third = make_account(2)
    someone = operator(first, second, third)
    own = row(f'account = "{third.account_id}"', 'endpoint = "https://s3.example.org"\n').replace("RENEWED", "OWN")
    settings = say(row('product = "7a3c2f01"', 'endpoint = "https://store.example.org"\n'), own)
    read = someone.options().places.read()
    assert {a.account_id: a.user_access_key_id for a in read.accounts} == {
        first.account_id: "AKIARENEWED",
        second.account_id: second.user_access_key_id,
        third.account_id: "AKIAOWN",
    }
    assert endpoints_of(read, changed_credentials(settings)) == {
        first.account_id: "https://store.example.org",
        third.account_id: "https://s3.example.org",
    }


def test_a_moved_endpoint_reaches_its_own_host_alone(operator, make_account, say, tmp_path, monkeypatch):
    """rclone on the host whose account moved asks the new place, with the new key; the other's asks Amazon."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    at = "https://s3.example.org:8443/store"
    say(row(f'account = "{first.account_id}"', f'endpoint = "{at}"\nbucket = "moved-bucket"\n'))
    base = someone.options().read_settings()
    monkeypatch.setattr(Options, "read_settings", READ_SETTINGS)
    monkeypatch.setattr("laerecover.settings.read_settings", lambda path: base)
    assert [each["outcome"] for each in someone.run().body["accounts"]] == ["recovered", "recovered"]
    hosts, written = Vault(tmp_path / "x", b"k" * 32), {}
    for found in someone.rows("files"):
        if found["path"].endswith("/rclone.conf"):
            config = configparser.ConfigParser(interpolation=None)
            config.read_string(hosts.open(f"{found['instance_id']} {found['path']}", found["sealed"]).reveal())
            written[config["shares"]["remote"]] = config["store"]
    moved, stayed = written["store:moved-bucket"], written[f"store:{second.bucket_name}"]
    assert (moved["endpoint"], moved["provider"], moved["force_path_style"]) == (at, "Other", "true")
    assert moved["access_key_id"] == "AKIARENEWED"
    assert moved["secret_access_key"] == "canary-renewed-secret"
    assert ("endpoint" in stayed, stayed["provider"]) == (False, "AWS")
    assert stayed["access_key_id"] == second.user_access_key_id


def test_after_a_break_in_unchanged_keys_are_warned_of(operator, make_account, say):
    """`--new-identity` alone would put the stolen S3 keys back onto every host."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)

    def warned():
        made, _ = plan(someone.options(new_identity=True), worlds=someone.worlds, check=True)
        return [note for note in made.notes if note.startswith("after a break-in: ")]

    (note,) = warned()
    assert "the S3 keys of 2 accounts are those of before" in note
    say(row(f'account = "{first.account_id}"'))
    assert "of 1 accounts" in warned()[0]
    say(row(f'account = "{first.account_id}"'), row(f'account = "{second.account_id}"'))
    assert warned() == []


@pytest.mark.parametrize(
    ("rows", "secret", "wanted"),
    [
        (['about = "x"'], "s", "no list of tables called `changed`"),
        (["= nonsense"], "s", "cannot be read"),
        ([row('account = "nobody"')], "s", "about nobody: nobody"),
        ([row('account = "x"\nproduct = "y"')], "s", "account or product, one of them"),
        ([row("")], "s", "account or product, one of them"),
        ([row('account = "x"').replace('who = "ann"\n', "")], "s", "who is missing"),
        ([row('account = "x"', 'secret_key = "canary"\n')], "s", "secret_key is none of its settings"),
        ([row('account = "x"', 'endpoint = "s3.example.org"\n')], "s", "endpoint is no address of a service"),
        ([row('account = "x"', 'bucket = "b\\nx"\n')], "s", "no plain text"),
        ([row('account = "x"', 'bucket = "another-s/"\n')], "s", "bucket is no bucket's name"),
        ([row('account = "x"', file="gone.secret")], "s", "a secret key's file cannot be read"),
        ([row('account = "x"')], "two words\nand lines", "holds no secret key"),
        ([row('account = "x"')] * 2, "s", "tell twice of x"),
    ],
)
def test_a_file_that_says_something_else_is_refused(operator, make_account, say, rows, secret, wanted):
    """By what is wrong, before anything is asked or started."""
    someone = operator(replace(make_account(0)))
    say(*rows, secret=secret)
    with pytest.raises(LaeRecoverError, match=wanted) as refused:
        someone.options().places.read()
    assert "nothing was started" in refused.value.next_step
    assert "canary" not in str(refused.value.what) + refused.value.where


def test_all_that_is_wrong_is_told_at_once_with_entry_and_line(operator, make_account, say):
    """As of the settings: nobody mends a file one refusal at a time. A product in another case is the same product."""
    someone = operator(make_account(0))
    say(
        row('acount = "x"', 'endpoint = "nowhere"\n'),
        row('account = "x"', file="gone.secret"),
        row('product = "7A3C2F01"'),
        row('product = "7a3c2f01"'),
    )
    with pytest.raises(LaeRecoverError, match="5 changed credentials are missing or wrong") as refused:
        someone.options().places.read()
    told = refused.value.where.split("\n")
    assert "acount is none of its settings; did you mean account?" in told[0]
    assert [each.rpartition("credentials.toml, ")[2] for each in told] == [
        *["entry 1, line 1"] * 3,
        "entry 2, line 9",
        "entry 4, line 23",
    ]
    say(row('account = "x"'), row('account = "y"'))
    with pytest.raises(LaeRecoverError, match="2 changed credentials") as refused:
        someone.options().places.read()
    assert "about nobody: x" in refused.value.where
    assert "credentials.toml, entry 2" in refused.value.where


def test_all_mistakes_of_a_command_are_told_together(commands, make_manifest, key_file, settings_file, say, tmp_path):
    """Those of the settings, of the changed credentials and key files that are not there; each once."""
    say(row('account = "lae-x"').replace("who =", "whom ="), row('product = "7A3C2F01"', file="nowhere.secret"))
    text = '[files]\ncredentials = "case/credentials.toml"\n[mail]\nhost = "h"\nsender = "a@example.org"\n'
    settings = settings_file(f'{text}staff = "s@example.org"\n[waits]\nlisten_poll = 0\n')
    (tmp_path / "admin.pem").unlink()
    given = ("--key-file", key_file, "--settings", settings)
    wanted = ["whom is none of its settings", "who is missing", "secret key's file cannot be read", "listen_poll is no"]
    for command in (["plan"], ["plan", "--check"], ["run", "--yes"]):
        told = commands(command[0], make_manifest(count=1), *command[1:], *given)
        assert told.returncode == 2
        assert [told.stderr.count(each) for each in wanted] == [1] * 4, told.stderr
        assert "things are missing or wrong" in told.stderr
        assert "settings --example" in told.stderr
        assert "[[changed]]" in told.stderr
    settings.write_text(settings.read_text().replace("listen_poll = 0", ""))
    told = commands("run", make_manifest(count=1), "--yes", *given)
    wanted[3] = "admin_privkey_path names a file that is not there"
    assert [told.stderr.count(each) for each in wanted] == [1] * 4, told.stderr
    told = commands("settings", "--check", settings)
    assert [told.stderr.count(each) for each in wanted] == [1] * 4, told.stderr
    assert told.returncode == 2
    key_file.unlink()
    told = commands("run", tmp_path / "case/manifest.parquet", "--yes", *given)
    assert [told.stderr.count(each) for each in wanted] == [1] * 4, told.stderr
    assert str(key_file) in told.stderr
