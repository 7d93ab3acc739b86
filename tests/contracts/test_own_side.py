"""What `plan --check` finds on the operator's own side: real key files, a cloud and a mail server on loopback."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from laerecover.adapters import aws
from laerecover.adapters.aws import client_with, make_client
from laerecover.adapters.key_files import try_key
from laerecover.adapters.key_pairs import compared
from laerecover.adapters.own_side import RealOwnSide
from laerecover.adapters.smtp import SmtpMailer
from laerecover.cli._own_side import show_own_side
from laerecover.manifest import Secret
from laerecover.planning.check import check
from laerecover.ports.own_side import ASCII_MAIL, CLOCK, CLOUD_KEY
from laerecover.ports.refusals import Refusal
from laerecover.rehearsal.rig.authority import make_certificate
from parrot import Parrot
from ready_cloud import ReadyCloud, account


def keygen(*words: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key in OpenSSH's format, its public half beside it."""
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "admin")
    return tmp_path / "admin"


def test_a_key_that_can_be_used_is_told_by_its_fingerprint(key: Path):
    """No remedy, and the fingerprint that ssh-keygen prints."""
    seen = try_key(key, "key of the admin", pair=key.with_suffix(".pub").read_text())
    listed = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True).stdout
    assert seen.remedy == ""
    assert not seen.blocks
    assert listed.split()[1] in seen.said


def test_a_key_that_nobody_can_type_a_passphrase_for_is_named(key: Path):
    """A passphrase, PuTTY's format, the public half, somebody else's half, no key, no file: each with its remedy."""
    public, other = key.with_suffix(".pub"), key.with_name("other")
    keygen("-t", "ed25519", "-N", "", "-f", other)
    assert "no half of the public key" in try_key(key, "key", pair=other.with_suffix(".pub").read_text()).said
    keygen("-p", "-P", "", "-N", "canary passphrase", "-f", key)
    locked = try_key(key, "key")
    assert (locked.blocks, locked.said) == (True, "it has a passphrase, and nobody is there to type it")
    assert f"cp {key} COPY; ssh-keygen -p -N '' -f COPY" in locked.remedy
    half = try_key(public, "key")
    assert (half.blocks, half.said) == (True, "the public half of a key")
    key.write_text("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n")
    putty = try_key(key, "key")
    assert putty.blocks
    assert f"puttygen {key} -O private-openssh" in putty.remedy
    key.write_text("nothing of the kind\n")
    assert try_key(key, "key").said.startswith("no private key that can be read")
    assert try_key(key.with_name("absent"), "key").said == "it cannot be read: No such file or directory"


def test_a_key_that_others_may_read_is_told_and_stops_nothing(key: Path):
    """With the command that mends it, beside its fingerprint; what is worse is told alone."""
    key.chmod(0o644)
    seen = try_key(key, "key of the admin")
    assert (seen.blocks, seen.remedy) == (False, f"chmod 600 {key}")
    assert "SHA256:" in seen.said
    assert seen.said.endswith("it is open to others (0644)")
    key.write_text(" \n")
    assert try_key(key, "key").blocks


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_key_is_called_empty(key: Path, content: str):
    """Not by the name of an exception."""
    key.write_text(content)
    seen = try_key(key, "key")
    assert (seen.blocks, seen.said) == (True, "the file is empty")
    assert "put the private key there" in seen.remedy


@pytest.mark.parametrize("kind", [("rsa", "2048"), ("ecdsa", "256")])
def test_older_kinds_of_keys_can_be_used_and_be_locked(tmp_path: Path, kind: tuple[str, str]):
    """PEM, as clouds hand it out, with and without a passphrase."""
    place = tmp_path / "key.pem"
    keygen("-t", kind[0], "-b", kind[1], "-m", "PEM", "-N", "", "-f", place)
    assert not try_key(place, "key").blocks
    keygen("-p", "-m", "PEM", "-P", "", "-N", "canary passphrase", "-f", place)
    assert "passphrase" in try_key(place, "key").said


def test_an_expired_certificate_beside_a_key_is_named(key: Path):
    """It would be offered in the key's place, and refused; one that is valid is not in the way."""
    authority, beside = key.with_name("authority"), key.with_name("admin-cert.pub")
    keygen("-t", "ed25519", "-N", "", "-f", authority)
    keygen("-s", authority, "-I", "admin", "-n", "ubuntu", "-V", "-3d:-1d", key.with_suffix(".pub"))
    expired = try_key(key, "key")
    assert (expired.blocks, "admin-cert.pub beside it is not valid now" in expired.said) == (True, True)
    assert expired.remedy == f"move {beside} away, or have it renewed"
    keygen("-s", authority, "-I", "admin", "-n", "ubuntu", "-V", "-1d:+1d", key.with_suffix(".pub"))
    assert try_key(key, "key").remedy == ""
    beside.write_text("no certificate\n")
    assert try_key(key, "key").blocks


def openssl(*words: object, content: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=content, check=True, capture_output=True).stdout


def as_ec2_tells(place: Path) -> dict[str, str]:
    """How EC2 got the key pair of this PEM key -> the fingerprint that it tells then, made as its manual says."""
    imported = openssl("rsa", "-in", place, "-pubout", "-outform", "DER")
    made = openssl("pkcs8", "-in", place, "-nocrypt", "-topk8", "-outform", "DER")
    return {
        "imported": openssl("md5", "-c", content=imported).decode().split()[-1],
        "made": openssl("sha1", "-c", content=made).decode().split()[-1],
    }


@pytest.mark.parametrize("how", ["imported", "made"])
def test_an_rsa_key_is_held_against_ec2_s_fingerprint_of_the_pair(tmp_path: Path, how: str):
    """MD5 of the public half if it was imported, SHA-1 of the private one if EC2 made it; another key is a NO."""
    ours, other = tmp_path / "ours.pem", tmp_path / "other.pem"
    for place in (ours, other):
        keygen("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", place)
    mine, others = as_ec2_tells(ours)[how], as_ec2_tells(other)[how]
    assert (compared("admin", ours, mine).blocks, mine in compared("admin", ours, mine).said) == (False, True)
    wrong = compared("admin", ours, others)
    assert wrong.blocks
    assert mine in wrong.said
    assert others in wrong.said
    assert "admin_privkey_path" in wrong.remedy


def test_an_ed25519_key_is_held_against_ec2_s_fingerprint_of_the_pair(key: Path):
    """SHA-256 in base64, with its padding; the same of another key is a NO that names both."""
    other = key.with_name("other")
    keygen("-t", "ed25519", "-N", "", "-f", other)
    told = [subprocess.run(["ssh-keygen", "-lf", k], capture_output=True, text=True, check=True) for k in (key, other)]
    mine, others = (f"{each.stdout.split()[1].removeprefix('SHA256:')}=" for each in told)
    assert not compared("admin", key, mine).blocks
    wrong = compared("admin", key, others)
    assert (wrong.blocks, mine in wrong.said, others in wrong.said) == (True, True, True)


@pytest.mark.parametrize("told", ["", "canary of another kind", "00:11", "AAAA", "ff" * 64])
def test_what_cannot_be_compared_is_unproved(key: Path, told: str):
    """A fingerprint of another make, or a key that cannot be read (which is told of the key itself): never a NO."""
    seen = compared("admin", key, told)
    assert (seen.said.startswith("unproved: "), seen.remedy, seen.blocks) == (True, "", False)
    key.write_text("no key\n")
    assert compared("admin", key, "ab:" * 15 + "ab").said == "unproved: the admin's key cannot be read"


@pytest.fixture
def mail(tmp_path: Path):
    """A mail server over TLS whose answers a test chooses."""
    (tmp_path / "mail").mkdir()
    make_certificate(tmp_path / "mail", "127.0.0.1", datetime.now(UTC))
    parrot = Parrot(tmp_path / "mail")
    yield parrot
    parrot.close()


@pytest.fixture
def ready(cloud, key: Path, mail: Parrot, tmp_path: Path) -> ReadyCloud:
    """A cloud, keys, a mail server: everything is as it should be."""
    ready = ReadyCloud(cloud, vcpus=8)
    ready.fill(account(0))
    public = key.with_suffix(".pub").read_bytes()
    make_client(ready.settings, "ec2").import_key_pair(KeyName="admin", PublicKeyMaterial=public)
    ready.settings = ready.settings.changed(
        config={
            "admin_keypair_name": "admin",
            "admin_privkey_path": key,
            "monitor_privkey_path": key,
            "monitor_pubkey": key.with_suffix(".pub").read_text().strip(),
        },
        mail={
            "host": "127.0.0.1",
            "port": mail.port,
            "ca_file": tmp_path / "mail/ca.pem",
            "user": "signup",
            "password": Secret("canary password"),
        },
    )
    return ready


def look(ready: ReadyCloud, **environment: str) -> dict[str, list]:
    """What -> what was seen of it."""
    found: dict[str, list] = {}
    for each in RealOwnSide(ready.settings, environment).look():
        found.setdefault(each.what, []).append(each)
    assert "canary" not in str(found)
    return found


def test_one_table_tells_everything(ready: ReadyCloud, capsys):
    """Keys, places, clock, mail server: nothing to mend, nothing sent, nothing launched."""
    seen = RealOwnSide(ready.settings, {}).look()
    assert [each.remedy for each in seen] == [""] * len(seen)
    by = {each.what: each.said for each in seen}
    assert by[ASCII_MAIL] == "it offers no SMTPUTF8"
    assert by["EC2"] == f"us-east-1 at {ready.settings.ec2.endpoint}"
    assert by[CLOUD_KEY] == "DRILL, of account 123456789012"
    assert re.fullmatch(r"\d+ s (ahead|behind)", by[CLOCK])
    assert re.fullmatch(
        r"TLSv1\.\d, logged in, which takes PLAIN; it takes mail from support@example.org", by["mail server"]
    )
    show_own_side(seen)
    assert capsys.readouterr().out.count("ok ") == len(seen)


def test_a_key_that_is_not_the_pair_s_is_found_before_the_launch(ready: ReadyCloud, key: Path):
    """Another key over the admin's: a NO in the table, which stops a run. No pair, no right to ask: unproved."""
    (seen,) = look(ready)["key pair"]
    assert (seen.said.startswith("that of the admin's key: "), seen.remedy) == (True, "")
    key.unlink()
    keygen("-t", "ed25519", "-N", "", "-f", key)
    (seen,) = look(ready)["key pair"]
    assert (seen.where, seen.blocks) == ("admin_keypair_name: admin", True)
    found = check([account(0)], ready.settings, ready.world(), recovery_id="r", own=[seen])
    assert [(each.what, each.blocks) for each in found if each.what == "key pair"] == [("key pair", True)]
    ready.settings = ready.settings.changed(config={"admin_keypair_name": "nobody-s"})
    assert look(ready)["key pair"][0].said == "unproved: EC2 has no such key pair"
    ready.cloud.allow("DRILL", "another")
    (seen,) = look(ready)["key pair"]
    assert (seen.said.startswith("unproved: "), seen.blocks) == (True, False)


def test_the_environment_changes_nothing_and_is_shown(ready: ReadyCloud, monkeypatch, tmp_path: Path):
    """A profile that has gone, endpoints, a config file: not heeded. A proxy is, and is told without its password."""
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    environment = {
        "AWS_PROFILE": "gone",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws._session.cache_clear()
    assert make_client(ready.settings, "sts").get_caller_identity()["Account"] == "123456789012"
    amazon = client_with("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert amazon.meta.endpoint_url == "https://s3.amazonaws.com"
    shown = look(ready, **environment, HTTPS_PROXY="http://user:canary@proxy.example.org:3128")["environment"]
    assert {each.where: each.said for each in shown} == {
        **dict.fromkeys(environment, "not heeded: the settings alone decide"),
        "HTTPS_PROXY": "what is asked of the cloud goes by proxy.example.org",
    }


def test_a_wrong_clock_is_one_finding_and_no_account_s(ready: ReadyCloud, monkeypatch):
    """Whatever EC2 and S3 would say to what was signed then: nobody else is asked."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(hours=1)

    monkeypatch.setattr("laerecover.adapters.own_side.datetime", Behind)
    seen = RealOwnSide(ready.settings, {}).look()
    found = check([account(0)], ready.settings, ready.world(), recovery_id="r1", own=seen)
    assert [(each.what, each.account_id, each.blocks) for each in found] == [(CLOCK, None, True)]
    assert re.fullmatch(r"this machine's, against EC2's: (3599|3600|3601) s behind", found[0].message)


def test_a_key_that_the_cloud_does_not_know_is_one_finding(ready: ReadyCloud):
    """By the setting that names it."""
    ready.settings = ready.settings.changed(config={"ec2_access_key_id": "AKIDNOBODYS"})
    seen = RealOwnSide(ready.settings, {}).look()
    found = check([account(0)], ready.settings, ready.world(), recovery_id="r1", own=seen)
    assert [(each.what, each.account_id, each.blocks) for each in found] == [(CLOUD_KEY, None, True)]


@pytest.mark.parametrize(
    ("stage", "says", "told"),
    [
        ("AUTH", b"535 5.7.8 no\r\n", "refuses our user or password: 535"),
        ("EHLO", b"250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH XOAUTH2\r\n", "no login that we know, but XOAUTH2"),
        ("EHLO", b"250-mail.example.org\r\n250 AUTH PLAIN\r\n", "offers no TLS"),
        ("MAIL", b"550 5.7.1 sender not verified\r\n", "550 5.7.1 sender not verified"),
        ("greeting", b"421 too busy\r\n", "421 too busy"),
    ],
)
def test_a_mail_server_that_would_refuse_is_named_without_a_mail(ready: ReadyCloud, mail: Parrot, stage, says, told):
    """Log-in, TLS, kinds of log-in, sender: seen before there is a mail; the recovery is not stopped by it."""
    mail.says[stage] = says
    (seen,) = look(ready)["mail server"]
    assert told in seen.said
    assert (bool(seen.remedy), seen.blocks) == (True, False)
    assert mail.messages == []


def test_a_proof_takes_no_recipient_and_no_message(ready: ReadyCloud, mail: Parrot):
    """Where RCPT and DATA would be refused, the proof succeeds: it never says them."""
    mail.says |= {"RCPT": b"550 no\r\n", "DATA": b"554 no\r\n"}
    assert "it takes mail from support@example.org" in SmtpMailer(ready.settings.mail).proved()[0]
    mail.says["MAIL"] = b"550 no\r\n"
    with pytest.raises(Refusal) as refused:
        SmtpMailer(ready.settings.mail).proved()
    assert refused.value.kind == "mail_sender"


def test_whom_this_mail_server_cannot_reach_is_told_before_anything_is_sent(ready: ReadyCloud, mail: Parrot):
    """Without SMTPUTF8: each customer whose address needs it, and nobody else; in nobody's way."""
    some = {"verdict": "RECOVERABLE", "customer_email_confirmed": True}
    zoe, ann = (
        account(n, **some, customer_email=email)
        for n, email in enumerate(("zoë@bücher.example.net", "ann@bücher.example.net"))
    )
    ready.fill(zoe, ann)

    def told() -> list:
        own = RealOwnSide(ready.settings, {}).look()
        found = check([zoe, ann], ready.settings, ready.world(), recovery_id="r1", own=own)
        return [(each.message, each.blocks) for each in found if each.what == ASCII_MAIL]

    assert told() == [
        (f"{zoe.account_id}: the mail server offers no SMTPUTF8, so no mail reaches zoë@bücher.example.net", False)
    ]
    mail.says["EHLO"] = b"250-mail.example.org\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n"
    assert told() == []
    assert mail.messages == []


def test_the_text_for_raising_the_quota_is_there(cloud):
    """Quota, region, size and number, to be pasted."""
    ready, accounts = ReadyCloud(cloud, vcpus=2), [account(n) for n in range(3)]
    ready.fill(*accounts)
    (found,) = check(accounts, ready.settings, ready.world(), recovery_id="r1")
    assert found.remedy.startswith("begin with --first 1, or raise the quota: ")
    assert "(L-1216C47A), region us-east-1" in found.remedy
    assert "2 more t3.micro are needed now" in found.remedy
