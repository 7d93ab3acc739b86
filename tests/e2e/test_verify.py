"""`laerecover verify` on a recovered host: all is well, then one thing after another is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rig_hands import Shell, connect, ec2

from laerecover.hostkeys import derive_host_key
from laerecover.identity import new_node_pem, tub_id_of
from laerecover.manifest import Account, Secret, read_key, write_manifest
from laerecover.report import read_ledger
from laerecover.rig.client import Rig
from laerecover.rig.papers import write_settings
from laerecover.vault import Vault

BIN = Path(sys.executable).parent
BUCKET = "lae-5e1d20c4-inventedseedinventedseedinvented"
KEY_ID, SECRET, SWISSNUM = "AKIAINVENTEDKEYID567", "inventedsecretkey/+7", "inventedswissnum7"
CHECKS = {"introducer", "storage node", "announcement", "bucket"}


def account() -> Account:
    """A customer whose keys are all known."""
    introducer, storage = new_node_pem(), new_node_pem()
    return Account(
        account_id=BUCKET,
        verdict="RECOVERABLE",
        grade="IDENTITY_KEPT",
        server="GONE",
        bucket_name=BUCKET,
        user_access_key_id=KEY_ID,
        user_secret_key=Secret(SECRET),
        customer_email="vera@example.org",
        customer_email_confirmed=True,
        introducer_identity="PROVED",
        storage_identity="PROVED",
        introducer_node_pem=introducer,
        introducer_furl=Secret(f"pb://{tub_id_of(introducer)}@192.0.2.9:12345/{SWISSNUM}"),
        server_node_pem=storage,
        server_nodeid=tub_id_of(storage),
    )


@dataclass
class Recovery:
    """One account that `laerecover run` recovers on a rig."""

    rig: Rig
    folder: Path

    def __post_init__(self) -> None:
        self.account = account()
        self.manifest, self.key = self.folder / "manifest.parquet", self.folder / "key" / "manifest.key"
        self.key.parent.mkdir(mode=0o700)
        write_manifest(self.manifest, [self.account], evidence_digest="e" * 64, key_file=self.key)
        self.settings = write_settings(self.rig, self.folder / "settings", [self.account])
        self.rig.ask("customer", BUCKET, KEY_ID, SECRET)

    def command(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`laerecover NAME` inside the rig's network."""
        words = [BIN / "laerecover", name, self.manifest, "--key-file", self.key, "--settings", self.settings, *more]
        with self.rig.inside():
            return subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)

    def verify(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit code, what -> check. No secret is in what it tells."""
        done = self.command("verify", "--json")
        assert done.returncode in (0, 1), done.stdout + done.stderr
        assert SWISSNUM not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done.returncode, {check["what"]: check for check in json.loads(done.stdout)["checks"]}

    def shell(self) -> Shell:
        """A way into the host, by the key that only the vault knows."""
        state = Path(f"{self.manifest}.state")
        told = {step["step"]: step["values"] for step in read_ledger(state / "ledger.sqlite")[BUCKET].steps}
        vault = Vault(state / "secrets", read_key(self.key, manifest=self.manifest))
        key = derive_host_key(vault, told["deploy_ec2_instance"]["client_token"])
        return connect(self.rig, told["wait_for_ec2_addresses"]["public_host"], key.public)


@pytest.fixture
def recovery(rig: Rig, tmp_path: Path) -> Iterator[Recovery]:
    """The account, recovered; its instance is gone at the end."""
    made = Recovery(rig, tmp_path)
    try:
        done = made.command("run", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        with rig.inside():
            cloud = ec2(rig)
            found = [i for r in cloud.describe_instances()["Reservations"] for i in r["Instances"]]
            ours = [
                i["InstanceId"]
                for i in found
                if any(tag["Value"] == BUCKET for tag in i.get("Tags", [])) and i["State"]["Name"] == "running"
            ]
            if ours:
                cloud.terminate_instances(InstanceIds=ours)


def failed(checks: dict[str, dict[str, Any]]) -> set[str]:
    """What is not well."""
    assert set(checks) == CHECKS
    return {what for what, check in checks.items() if check["ok"] is not True}


def test_verify_tells_what_is_well_and_what_is_not(recovery: Recovery) -> None:
    """Nothing is wrong after a recovery, asking changes nothing.

    What stops, is forgotten or locked is told by name, exit 1.
    """
    shell = recovery.shell()
    shell("sudo touch /run/before")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks
    assert checks["announcement"]["said"] == f"the introducer tells clients of {recovery.account.server_nodeid}"
    places = "/etc /usr/local /var/lib/lae-recovery /home/ubuntu /home/customer/venv"
    assert shell(f"sudo find {places} -newer /run/before -type f") == "", "asking wrote to the host"

    shell("sudo sv -w 30 stop lae-storageserver")
    code, checks = recovery.verify()
    # An introducer remembers for as long as it runs: the node's own port tells that it is down.
    assert (code, failed(checks)) == (1, {"storage node"}), checks

    shell("sudo sv -w 30 restart lae-introducer")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"storage node", "announcement"}), checks
    assert "does not tell clients of" in checks["announcement"]["said"]
    assert "lae-storageserver" in checks["announcement"]["said"]

    shell("sudo sv -w 30 stop lae-introducer")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, CHECKS - {"bucket"}), checks
    assert "the introducer cannot be asked: " in checks["announcement"]["said"]

    shell("sudo sv -w 30 start lae-introducer && sudo sv -w 30 start lae-storageserver")
    shell("for i in $(seq 60); do busybox nc -w 1 127.0.0.1 12346 </dev/null && break; sleep 0.5; done")
    recovery.rig.ask("customer", BUCKET, KEY_ID, "another secret")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"bucket"}), checks
