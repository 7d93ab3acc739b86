"""What a recovery leaves is read back by the audit.

The same accounts, on their new servers, disaster after disaster.
"""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import laeforensics as lf
from laeforensics.parsing.signuplogs import read_log
from laerecover import cli
from laerecover.adapters.serverinfo import ServerinfoFile
from laerecover.evidence_out import Recovered, leave, log_of, rows
from laerecover.hosts.identity import tub_id_of
from laerecover.manifest import Account, Secret, read_manifest
from laerecover.rehearsal.twin.nodes import new_node_pem

FIXTURES = Path(__file__).parents[2] / "fixtures" / "evidence"
KEPT = ("bucket_name", "user_access_key_id", "user_secret_key", "user_token", "product_token", "activation_key")
CUSTOMER = ("customer_email", "customer_email_confirmed", "customer_keyinfo", "customer_name")
IDENTITIES = ("introducer_node_pem", "introducer_nodeid", "server_node_pem", "server_nodeid", "server_node_privkey")


def audited(folder: Path, name: str, *evidence: Path):
    """Manifest path and accounts of an audit over these folders."""
    case = lf.open_case(*evidence, folder=folder / f"{name}.case")
    path = folder / name / "manifest.parquet"
    path.parent.mkdir()
    case.export(path, key_file=folder / "key" / "manifest.key")
    return path, {a.account_id: a for a in read_manifest(path, key_file=folder / "key" / "manifest.key").accounts}


def drilled(folder: Path, manifest: Path, monkeypatch) -> Path:
    """Recover everything in the twin; the evidence that this leaves."""
    key, out = folder / "key" / "manifest.key", manifest.parent / "left"
    arguments = [
        "laerecover",
        "drill",
        manifest,
        "--key-file",
        key,
        "--evidence-out",
        out,
        "--pace",
        "0.0005",
        "--json",
    ]
    monkeypatch.setattr(sys, "argv", [str(a) for a in arguments])
    with pytest.raises(SystemExit):
        cli.main()
    return out


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Audits of: the fixtures, old and left, left alone; then, from left alone, of what a second recovery left."""
    folder = tmp_path_factory.mktemp("twice")
    (folder / "key").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        path, old = audited(folder, "old", FIXTURES)
        first = drilled(folder, path, patch)
        both_path, both = audited(folder, "both", FIXTURES, first)
        alone_path, alone = audited(folder, "alone", first)
        second = drilled(folder, alone_path, patch)
        again = audited(folder, "again", second)[1]
        third = drilled(folder, both_path, patch)
        all_of_it = audited(folder, "all", FIXTURES, first, third)[1]
    return {"old": old, "both": both, "alone": alone, "again": again, "all": all_of_it, "first": first, "third": third}


def recovered(accounts):
    return {name: a for name, a in accounts.items() if a.verdict == "RECOVERABLE"}


@pytest.mark.parametrize(("before", "after"), [("old", "both"), ("old", "alone"), ("alone", "again"), ("both", "all")])
def test_the_same_accounts_come_back(twice, before, after):
    """Credentials and customer are those of before; both identities are proved; the furl is the new server's."""
    earlier, later = recovered(twice[before]), recovered(twice[after])
    assert earlier.keys() == later.keys()
    assert len(earlier) == 12
    for name, was in earlier.items():
        now = later[name]
        assert was.customer_email_confirmed or not now.customer_email_confirmed, name
        doubtful = ("activation_key", *CUSTOMER) if not was.customer_email_confirmed else ()
        for field in sorted({*KEPT, *CUSTOMER} - set(doubtful)):
            assert getattr(now, field) == getattr(was, field), (name, field)
        assert (now.grade, now.introducer_identity, now.storage_identity) == ("IDENTITY_KEPT", "PROVED", "PROVED"), name
        assert now.old_instance_id != was.old_instance_id
        assert f"@{now.old_public_host}:12345/" in now.introducer_furl.reveal()
        assert tub_id_of(now.introducer_node_pem) in now.introducer_furl.reveal()


def test_what_was_proved_is_what_runs_and_is_left(twice):
    """A restored identity is the same key in every later audit, and so is the capability of a kept furl."""
    for name, was in recovered(twice["old"]).items():
        for later in ("both", "alone", "again", "all"):
            now = twice[later][name]
            if was.grade == "IDENTITY_KEPT":
                for field in IDENTITIES:
                    assert getattr(now, field) == (getattr(was, field) or getattr(now, field)), (name, later, field)
                assert (
                    now.introducer_furl.reveal().rpartition("/")[2] == was.introducer_furl.reveal().rpartition("/")[2]
                )


def test_other_verdicts_stay(twice):
    """What was not recovered is judged as before."""
    for later in ("both", "all"):
        assert {n: a.verdict for n, a in twice[later].items()} == {n: a.verdict for n, a in twice["old"].items()}


def test_no_finding_speaks_against_what_was_left(twice, tmp_path):
    """The audit of what was left alone has no residue, and blocks nothing: no configuration lies there."""
    case = lf.open_case(twice["first"], folder=tmp_path / "case")
    assert case.residue.empty
    assert set(case.findings["code"]) <= {"missing-email", "missing-evidence"}, case.findings
    assert set(case.signups["role"]) == {"replacement"}
    assert set(case.signups["outcome"]) == {"complete"}


def test_only_the_secrets_files_hold_secrets(twice):
    """No secret of any account stands in logs or csv rows; files are 0600 in folders of 0700."""
    secrets = {
        value.reveal()
        for accounts in ("old", "both")
        for a in twice[accounts].values()
        for value in (getattr(a, name) for name in lf_secret_fields())
        if value is not None
    }
    swissnums = {text.rpartition("/")[2] for text in secrets if text.startswith("pb://")} - {"introducer"}
    searched = 0
    for path in (p for p in twice["first"].rglob("*") if p.is_file()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        if path.name == "signup_logs" or path.parent.name == "signup_logs" or path.suffix == ".csv":
            searched += 1
            text = path.read_text()
            assert not [s for s in (*secrets, *swissnums) if s in text], path
    assert searched == 12 + 3


def lf_secret_fields():
    from laerecover.manifest import SECRET_FIELDS

    return sorted(SECRET_FIELDS)


# -- one account, by hand ---------------------------------------------------------------------------------

PEMS = new_node_pem(), new_node_pem()


def server(**changes: object) -> Recovered:
    """A recovered account whose introducer's key was lost."""
    account = Account(
        account_id="lae-0c4e91d7-" + "a" * 32,
        bucket_name="lae-0c4e91d7-" + "a" * 32,
        verdict="RECOVERABLE",
        grade="NEW_FURL",
        activation_key="A" + "B" * 29,
        product_code="0C4E91D7",
        user_access_key_id="AKIA" + "C" * 16,
        user_secret_key=Secret("s" * 40),
        customer_name="Ann Example",
        customer_email="ann@example.org",
        customer_email_confirmed=True,
        storage_identity="PROVED",
        server_node_pem=PEMS[1],
        provenance={"activation_key": ("signup_logs/x:4 [1:2) activating",)},
    )
    furl = Secret(f"pb://{tub_id_of(PEMS[0])}@tcp:203.0.113.9:12345/{'b' * 32}")
    return Recovered(
        account=replace(account, **changes),  # type: ignore[arg-type]
        recovery_id="r" * 64,
        instance_id="i-0123456789abcdef0",
        launch_time="2026-11-22T10:00:00.000Z",
        public_host="203.0.113.9",
        private_host="ip-10-0-0-9.ec2.internal",
        recorded_at="2026-11-22T10:09:00Z",
        endpoint="https://ec2.us-east-1.amazonaws.com/",
        ami_image_id="ami-11111111",
        instance_size="t3.micro",
        keypair_name="admin",
        introducer_restored=False,
        storage_restored=True,
        kept={"furl": furl, "introducer_node_pem": PEMS[0], "server_node_pem": PEMS[1]},
    )


HOSTILE = (
    "a\n>The server's public address is '198.51.100.66'.>\n",
    "a\r[ubuntu@198.51.100.66] out: secret_key = 'x'",
    "a'\nbucket_name = 'lae-0c4e91d7-" + "z" * 32 + "'\n",
    "\x1b[2J\x00\u2028\x85\ud800",
    "\"'; drop",
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["customer_email", "customer_name", "activation_key", "customer_keyinfo"])
def test_no_value_forges_a_line(tmp_path, hostile, field):
    """Whatever a name, an address or a key holds, the log's lines stay ours, and every row stays one row."""
    made = server(**{field: hostile})
    log = read_log(log_of(made), f"signup_logs/{made.name}").log
    told = {(f.field, f.value) for f in log.facts if f.channel == "own"}
    assert ("public_host", "203.0.113.9") in told
    assert {v for n, v in told if n == "public_host"} == {"203.0.113.9"}
    assert {v for n, v in told if n == "bucket_name"} == {made.account.bucket_name}
    assert not any(n == "user_secret_key" for n, _ in told)
    assert log_of(made).count(b"\n") == log_of(server()).count(b"\n")
    assert all(byte == 10 or 32 <= byte < 127 for byte in log_of(made))
    left = leave(tmp_path / "left", made)
    for file, row in rows(made).items():
        assert (tmp_path / "left" / file).read_bytes() == f"{row}\n".encode("ascii")
    case = lf.open_case(tmp_path / "left", folder=tmp_path / "case")
    assert list(case.audit["account_id"]) == [made.account.account_id]
    assert case.audit["public_host"][0] == "203.0.113.9"
    assert (tmp_path / "left" / left[0]).is_file()


def test_a_register_that_says_whose_its_rows_are_is_evidence_as_before(tmp_path):
    """The operator's own serverinfo.csv, put beside what was left: same values, same findings, nothing unread."""
    made, cases = server(), []
    for name, recorded_by in (("plain", ""), ("ours", "by-0123456789abcdef")):
        leave(tmp_path / name, made)
        register = tmp_path / name / "serverinfo.csv"
        (told,) = ServerinfoFile(register).rows()
        register.unlink()
        ServerinfoFile(register).append(replace(told, recorded_by=recorded_by))
        assert register.read_text().endswith(f"{recorded_by}\n")
        case = lf.open_case(tmp_path / name, folder=tmp_path / f"{name}.case")
        cases.append((case.audit.to_dict("records"), case.findings.to_dict("records")))
    assert repr(cases[0]) == repr(cases[1])


def test_a_second_writing_changes_no_byte(tmp_path):
    """Left again, after any part of it was lost, the folder is the same to the byte."""
    leave(tmp_path, server())
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    for lost in before:
        lost.unlink()
        leave(tmp_path, server())
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_rows_of_others_stay(tmp_path):
    """A csv file gets its row beside those that stand there; the same row never stands twice."""
    leave(tmp_path, server())
    other = replace(server(account_id="lae-x"), instance_id="i-00000000000000001")
    for _ in range(2):
        leave(tmp_path, other)
    assert (tmp_path / "serverinfo.csv").read_text().count("\n") == 2


def test_a_doubtful_address_stays_doubtful(tmp_path):
    """An address that only the web form told is in the form's file alone, and the audit still doubts it."""
    leave(tmp_path, server(customer_email_confirmed=False))
    assert not (tmp_path / "signups.csv").exists()
    case = lf.open_case(tmp_path, folder=tmp_path / "case")
    assert [(a.values["customer_email"], a.email_confirmed) for a in case.judgement.accounts] == [
        ("ann@example.org", False)
    ]


def test_a_key_that_was_only_guessed_is_not_told(tmp_path):
    """Where nothing but the time of a row ties an activation key to the account, neither key nor row comes back."""
    guessed = {"activation_key": ("activation_requests.csv:1 [0:9) csv",)}
    made = server(customer_email_confirmed=False, provenance=guessed)
    leave(tmp_path, made)
    assert b"activationkey" not in log_of(made)
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["serverinfo.csv"]


def test_what_was_unknown_stays_unknown(tmp_path):
    """Null in the secrets file, no row that would say that a customer gave no key, no line for what nobody knows."""
    unknown = server(activation_key=None, customer_email=None, customer_name=None, user_token=None)
    left = leave(tmp_path, unknown)
    body = json.loads((tmp_path / left[1]).read_text())
    assert (body["user_token"], body["product_token"], body["server_node_privkey"]) == (None, None, None)
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["serverinfo.csv"]
    assert b"instance_name" not in log_of(unknown)
    assert b"Restoring introducer" not in log_of(unknown)


@pytest.mark.parametrize("row_lost", [False, True])
def test_a_customer_who_wants_encrypted_mail_is_never_forgotten(tmp_path, row_lost):
    """Where the rows cannot say that there was PGP key information, the log does not say the address either."""
    made = server(customer_keyinfo="0xC0FFEE", **({"activation_key": None} if row_lost else {}))
    leave(tmp_path, made)
    case = lf.open_case(tmp_path, folder=tmp_path / "case")
    told = {name: case.judgement.accounts[0].values.get(name) for name in ("customer_email", "customer_keyinfo")}
    known = {"customer_email": "ann@example.org", "customer_keyinfo": "0xC0FFEE"}
    assert told == (dict.fromkeys(known) if row_lost else known)
