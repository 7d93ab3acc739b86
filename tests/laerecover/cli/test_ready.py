"""`ready` with both programs as they are: what it says, what it leaves, and that it sees what would go wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTESTED = "signup_logs/2012-06-22T124506Z-ab7kmk3pdgsftjmluj23ahek4nj7u5k7"
MAIL = '[mail]\nhost = "smtp.example.org"\nsender = "support@example.org"\nstaff = "staff@example.org"\n'
CHECKS = ["custody", "audit", "diff", "drill", "settings", "cloud"]


class Desk:
    """Evidence with its case, manifest and key, as an audit left them."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "fixtures/evidence", folder / "evidence")
        self.laeforensics("audit", "evidence", "--output", "m/manifest.parquet", "--key-file", "key/k")

    def laeforensics(self, *words):
        program = [sys.executable, "-c", "from laeforensics.cli import main; main()"]
        return subprocess.run([*program, *words], cwd=self.folder, check=True, capture_output=True, text=True)

    def ready(self, *words):
        program = [sys.executable, "-c", "from laerecover.cli import main; main()", "ready"]
        given = ("m/manifest.parquet", "--key-file", "key/k", *words)
        return subprocess.run([*program, *given], cwd=self.folder, capture_output=True, text=True)

    @property
    def rows(self):
        lines = (self.folder / "m/manifest.parquet.ready/readiness.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def found(row):
    return {check["check"]: check["ok"] for check in row["checks"]}


def found_in(ended):
    return {check["check"]: check["ok"] for check in json.loads(ended.stdout)["checks"]}


def test_all_is_well_until_the_evidence_changes(desk):
    """One line a check, one conclusion, a row each time; nothing of the operator's own case or state is touched."""
    before = {p: p.read_bytes() for p in desk.folder.rglob("*") if p.is_file()}
    ended = desk.ready("--evidence", "evidence", "--offline")
    lines = ended.stdout.splitlines()
    assert (ended.returncode, [line.split()[0] for line in lines[:-1]]) == (0, CHECKS), ended.stdout + ended.stderr
    assert lines[-1].startswith("READY; not checked: settings, cloud  (m/manifest.parquet.ready/readiness.jsonl)")
    assert "12 of 12 accounts recovered in a world in one file" in lines[3]
    well = {"custody": True, "audit": True, "diff": True, "drill": True}
    assert found(desk.rows[0]) == {**well, "settings": None, "cloud": None}
    assert {p: p.read_bytes() for p in before} == before
    assert not (desk.folder / "m/manifest.parquet.drill").exists()
    left = [p for p in (desk.folder / "m").rglob("*") if p.is_file()]
    assert any(p.name == "ledger.sqlite" for p in left), "the drill's state stays"
    secret = re.compile(rb'"(?:secret_key|user_token|product_token)": *"([^"]{20,})"')
    told = {
        x for p in (desk.folder / "evidence/secrets").iterdir() if p.is_file() for x in secret.findall(p.read_bytes())
    }
    assert len(told) > 10
    plain = [p for p in left if any(x in p.read_bytes() for x in (b"PRIVATE KEY", *told))]
    assert plain == [], "beside an encrypted manifest nothing lies in plain text"

    with (desk.folder / "evidence/signups.csv").open("ab") as file:
        file.write(b"\n")
    ended = desk.ready("--evidence", "evidence", "--offline", "--json")
    assert (ended.returncode, json.loads(ended.stdout)["ready"]) == (1, False)
    assert (len(desk.rows), found(desk.rows[1])["custody"], found(desk.rows[1])["drill"]) == (2, False, True)
    assert "signups.csv" in desk.rows[1]["checks"][0]["said"]
    assert found(desk.rows[1])["diff"] is None, "nothing is learned of the manifest, which may be the good part"


def test_a_manifest_that_is_not_what_the_evidence_says(desk):
    """Somebody decided since, and did not audit again: a recovery would leave that account behind."""
    desk.laeforensics("decide", "evidence", CONTESTED, "product_token", "--witness", "1", "--because", "asked them")
    ended = desk.ready("--evidence", "evidence", "--offline")
    assert (ended.returncode, found(desk.rows[0])["diff"]) == (1, False)
    account = "lae-0c4e91d7-ab7kmk3pdgsftjmluj23ahek4nj7u5k7"
    assert f"the evidence says something else than the manifest: 1 changed: {account}" in ended.stdout
    command = "laeforensics diff m/manifest.parquet.ready/planned.audit.parquet m/manifest.parquet.ready/today.audit"
    assert f"next: {command}.parquet, then audit again" in ended.stdout
    assert (
        "verdict  CONTESTED -> RECOVERABLE"
        in desk.laeforensics(*command.split()[1:-1], f"{command.split()[-1]}.parquet").stdout
    )
    assert ended.stdout.splitlines()[-1].startswith("NOT READY: diff failed")


def test_it_is_the_manifest_that_is_held_against_the_evidence(desk):
    """Not the audit beside it, which may be of another day, or kept elsewhere."""
    older = (desk.folder / "m/manifest.parquet").read_bytes()
    desk.laeforensics("decide", "evidence", CONTESTED, "product_token", "--witness", "1", "--because", "asked them")
    desk.laeforensics("audit", "evidence", "--output", "m/manifest.parquet", "--key-file", "key/k")
    (desk.folder / "m/audit.parquet").unlink()
    assert found_in(desk.ready("--evidence", "evidence", "--offline", "--json"))["diff"] is True
    (desk.folder / "m/manifest.parquet").write_bytes(older)
    ended = desk.ready("--evidence", "evidence", "--offline", "--json")
    assert (ended.returncode, found_in(ended)["diff"]) == (1, False)


def test_another_manifest_in_its_place_is_told_by_its_accounts(desk):
    """How many there are in one alone, the first of them, and the command that shows each: whatever lies beside it."""
    logs = sorted((desk.folder / "evidence/signup_logs").iterdir())
    for log in logs[::3]:
        log.unlink()
    desk.laeforensics("audit", "evidence", "--case", "c", "--output", "m/other.parquet", "--key-file", "key/k")
    shutil.rmtree(desk.folder / "evidence")
    shutil.copytree(ROOT / "fixtures/evidence", desk.folder / "evidence")
    (desk.folder / "m/other.parquet").replace(desk.folder / "m/manifest.parquet")
    check = json.loads(desk.ready("--evidence", "evidence", "--offline", "--json").stdout)["checks"][2]
    names = re.findall(r"lae-[0-9a-f]{8}-[a-z2-7]{32}", check["said"])
    assert (check["ok"], len(names), " appeared" in check["said"], " more" in check["said"]) == (False, 3, True, True)
    command = check["next"].partition(", then ")[0].split()
    shown = desk.laeforensics(*command[1:]).stdout
    assert all(name in shown for name in names)


def test_the_manifest_and_its_key_alone(desk):
    """As on the second place where they are kept: no evidence, no cloud. Another key opens nothing."""
    shutil.rmtree(desk.folder / "evidence")
    ended = desk.ready("--offline")
    assert (ended.returncode, found(desk.rows[0])["drill"], found(desk.rows[0])["audit"]) == (0, True, None)
    (desk.folder / "key/k").write_bytes(b"K" * 32)
    ended = desk.ready()
    assert (ended.returncode, found(desk.rows[1])["drill"], found(desk.rows[1])["cloud"]) == (1, False, False)
    assert "last time, " in ended.stdout.splitlines()[-1]
    assert ended.stdout.splitlines()[-1].startswith("NOT READY: drill, cloud failed; not checked: custody, audit, diff")


def test_settings_that_are_not_whole_are_not_ready(desk):
    """The cloud need not be asked to see that a run would be refused; whole ones are."""
    shutil.rmtree(desk.folder / "evidence")
    folder = desk.folder / "m"
    (folder / "laerecover.toml").write_text(MAIL)
    (folder / "ec2secret").write_text("canary-ec2-secret\n")
    files = {"admin_privkey_path": "admin.pem", "monitor_privkey_path": "monitor.pem", "monitor_pubkey_path": "m.pub"}
    config = {"ec2_access_key_id": "AKIAOPERATOR", "admin_keypair_name": "pair", **files}
    (folder / "lae_automation_config.json").write_text(json.dumps(config))
    for file in ("admin.pem", "monitor.pem"):
        (folder / file).write_text("canary-private")
    ended = desk.ready("--offline")
    assert (ended.returncode, found(desk.rows[0])["settings"], found(desk.rows[0])["drill"]) == (1, False, True)
    assert "monitor_pubkey_path names a file that cannot be read" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("NOT READY: settings failed; not checked: custody")
    (folder / "m.pub").write_text("ssh-ed25519 INVENTED")
    (folder / "monitor.pem").unlink()
    ended = desk.ready("--offline")
    assert (ended.returncode, "monitor_privkey_path names a file that is not there" in ended.stdout) == (1, True)
    (folder / "monitor.pem").write_text("canary-private")
    ended = desk.ready("--offline")
    assert (ended.returncode, found(desk.rows[2])["settings"]) == (1, False)
    for line, name in enumerate(("host", "sender", "staff"), start=2):
        assert f"mail.{name} is still the example's · m/laerecover.toml, line {line}" in ended.stdout
    (folder / "laerecover.toml").write_text(MAIL.replace("example.org", "storage.localhost"))
    ended = desk.ready("--offline")
    assert (ended.returncode, found(desk.rows[3])["settings"]) == (0, True), ended.stdout
