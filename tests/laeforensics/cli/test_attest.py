"""An audit is repeated, signed and stamped; custody says who read what."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makings import AUDIT, EMAIL, LOG_FILE, log
from packings import write

import laeforensics as lf
from laeforensics.evidence import custody
from laeforensics.export.statement import differences, statement

STATEMENT = "out/statement.json"
CHECK = ("attest", "evidence", "--check", STATEMENT)


def run(*words: object, folder: Path, **more) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, **more)


def test_the_same_evidence_and_version_give_the_same_statement(folder, typed):
    """Byte for byte, if the clock says the same."""
    typed(*AUDIT)
    now = datetime(2014, 7, 1, tzinfo=UTC)
    one, other = (json.dumps(statement(lf.open_case("evidence").judgement, [], now=now)) for _ in range(2))
    assert one == other
    code, out, err = typed(*CHECK)
    assert (code, "the same" in out) == (0, True), out + err
    assert list(differences(json.loads(Path(STATEMENT).read_text()), json.loads(one))) == []


def test_a_statement_holds_no_secret(folder, typed):
    """Neither values nor what is near them."""
    typed(*AUDIT)
    told = Path(STATEMENT).read_text()
    assert not {word for word in ("UserToken", "PRIVATE KEY", EMAIL, "AKIA", "pb://") if word in told}
    assert {one["name"] for one in json.loads(told)["inputs"]} >= {
        LOG_FILE,
        "signups.csv",
        "lae_automation_config.json",
    }


def test_every_input_that_changed_is_named(folder, typed):
    """A file of the evidence, one that was added, one that is gone."""
    typed(*AUDIT)
    (folder / "evidence" / LOG_FILE).write_bytes(log() + b"\n")
    (folder / "evidence/serverinfo.csv").unlink()
    write(folder / "evidence", {"notes.txt": b"new"})
    code, out, _ = typed(*CHECK)
    assert code == 1
    for name in (LOG_FILE, "serverinfo.csv", "notes.txt", "evidence_digest"):
        assert f"differs    {name}" in out
    code, out, _ = typed(*CHECK, "--json")
    assert (code, json.loads(out)["same"]) == (1, False)


def test_side_files_and_decisions_are_inputs(folder, typed):
    """Without them, or with others, it is another audit."""
    (folder / "closed.csv").write_text(f"{EMAIL},2014-05-01,left\n")
    (folder / "tokens.csv").write_text("2012-03,ABCD0123,{ProductToken}AAAHUHJvZHVjdINVENTED==\n")
    beside = ("--closed", "closed.csv", "--product-tokens", "tokens.csv")
    typed(*AUDIT, *beside)
    assert typed(*CHECK, *beside)[0] == 0
    code, out, _ = typed(*CHECK)
    assert (code, "closed.csv: stated" in out, "tokens.csv: stated" in out) == (1, True, True)
    (folder / "closed.csv").write_text("")
    code, out, _ = typed(*CHECK, *beside)
    assert (code, "differs    closed.csv" in out, "manifest_digest" in out) == (1, True, True)
    write(folder, {"evidence/old.pdf": b"%PDF-1.4 lae-abcd0123-inventedseedinventedseedinvented"})
    typed(*AUDIT)
    typed("decide", "evidence", "--set-aside", "old.pdf", "--because", "a letter", "--who", "Ann")
    code, out, _ = typed(*CHECK)
    assert (code, "decisions.jsonl" in out) == (1, True)


def test_another_program_is_named(folder, typed):
    """Its version, commit and digest are stated."""
    typed(*AUDIT)
    told = json.loads(Path(STATEMENT).read_text())
    assert len(told["program"]["sha256"]) == 64
    told["program"]["commit"] = "0" * 40  # another, of which the program is the same
    Path(STATEMENT).write_text(json.dumps(told))
    assert typed(*CHECK)[0] == 0
    told["program"]["version"] = "9.9"
    Path(STATEMENT).write_text(json.dumps(told))
    code, out, _ = typed(*CHECK)
    assert (code, "program: stated" in out) == (1, True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"statement": "laeforensics audit", "version": 99}', "[" * 99999])
def test_what_is_no_statement_is_refused(text, folder, typed):
    """In three lines."""
    Path("x.json").write_text(text)
    code, _, err = typed("attest", "evidence", "--check", "x.json")
    assert (code, err.count("\n")) == (2, 3)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_a_statement_is_signed_as_the_page_says(folder, typed):
    """Signed, verified; changed by one character, refused."""
    typed(*AUDIT)
    assert run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "id", folder=folder).returncode == 0
    signed = run("ssh-keygen", "-Y", "sign", "-f", "id", "-n", "laeforensics", STATEMENT, folder=folder)
    assert signed.returncode == 0, signed.stderr
    public = (folder / "id.pub").read_text()
    (folder / "allowed_signers").write_text(f"auditor@example.org {public}")
    verify = ("ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "auditor@example.org", "-n", "laeforensics")
    text = (folder / STATEMENT).read_text()
    assert run(*verify, "-s", f"{STATEMENT}.sig", folder=folder, input=text).returncode == 0
    assert run(*verify, "-s", f"{STATEMENT}.sig", folder=folder, input=text.replace("1", "2", 1)).returncode != 0


AUTHORITY = """
[req]
distinguished_name = name
prompt = no
x509_extensions = stamping
[name]
CN = An invented authority
[stamping]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = own
[own]
serial = ./serial
signer_cert = ./authority.pem
signer_key = ./authority.key
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_a_statement_is_stamped_as_the_page_says(folder, typed):
    """By an authority of our own: asked, answered, verified; changed by one character, refused."""
    typed(*AUDIT)
    (folder / "authority.cnf").write_text(AUTHORITY)
    (folder / "serial").write_text("01\n")
    words = "req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.pem -days 2 -config authority.cnf"
    made = run("openssl", *words.split(), folder=folder)
    assert made.returncode == 0, made.stderr
    query = ("openssl", "ts", "-query", "-data", STATEMENT, "-sha256", "-cert", "-out", "statement.tsq")
    assert run(*query, folder=folder).returncode == 0
    reply = ["ts", "-reply", "-config", "authority.cnf", "-queryfile", "statement.tsq", "-out", "statement.tsr"]
    answered = run("openssl", *reply, folder=folder)
    assert answered.returncode == 0, answered.stderr
    verify = ("openssl", "ts", "-verify", "-data", STATEMENT, "-in", "statement.tsr", "-CAfile", "authority.pem")
    assert run(*verify, folder=folder).returncode == 0
    (folder / STATEMENT).write_text((folder / STATEMENT).read_text().replace("1", "2", 1))
    assert run(*verify, folder=folder).returncode != 0


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_custody_can_be_checked_by_sha256sum(folder, typed):
    """From above the evidence, odd names too; what changed is named."""
    write(folder / "evidence", {"odd\nname \\ of somebody": b"x", "b.tar": b"", "ünï": b"y"})
    typed(*AUDIT)
    checked = run("sha256sum", "-c", "--strict", "evidence.case/custody.sha256", folder=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("OK") == sum(path.is_file() for path in (folder / "evidence").rglob("*"))
    (folder / "evidence/signups.csv").write_bytes(b"")
    checked = run("sha256sum", "-c", "evidence.case/custody.sha256", folder=folder)
    assert "evidence/signups.csv: FAILED" in checked.stdout


def test_custody_knows_each_reader_and_the_files_beside(folder, typed, monkeypatch):
    """Once for each that differs; the register's entries stay what they are."""
    (folder / "closed.csv").write_text(f"{EMAIL},2014-05-01,left\n")
    typed(*AUDIT)
    typed(*AUDIT)
    assert len(custody.load_readers(folder / "evidence.case")) == 1
    entries = custody.load(folder / "evidence.case")
    monkeypatch.setenv("LOGNAME", "another")
    typed(*AUDIT, "--closed", "closed.csv")
    one, other = custody.load_readers(folder / "evidence.case")
    assert one["reader"] != other["reader"]
    assert other["reader"].startswith("another@")
    assert [side["name"] for side in other["beside"]] == ["closed.csv"]
    assert custody.load(folder / "evidence.case") == entries
