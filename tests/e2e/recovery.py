"""An operator who recovers accounts on a rig by the real commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig_hands import Shell, connect, ec2

from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import new_node_pem, tub_id_of
from laerecover.hosts.vault import Vault
from laerecover.manifest import Account, Secret, read_key, write_manifest
from laerecover.rehearsal.rig.client import Rig
from laerecover.rehearsal.rig.operator import write_settings
from laerecover.runbook.ledger import read_ledger

BIN = Path(sys.executable).parent
SECRET, SWISSNUM = "inventedsecretkey/+7", "inventedswissnum7"


def account(name: str = "vera") -> Account:
    """A customer whose keys are all known."""
    introducer, storage = new_node_pem(), new_node_pem()
    bucket = f"lae-5e1d20c4-{name}inventedseedinventedseedinvented"
    return Account(
        account_id=bucket,
        verdict="RECOVERABLE",
        grade="IDENTITY_KEPT",
        server="GONE",
        bucket_name=bucket,
        user_access_key_id=f"AKIAINVENTED{name.upper()}567",
        user_secret_key=Secret(SECRET),
        customer_email=f"{name}@example.org",
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
    """Accounts that `laerecover` recovers on a rig, with their buckets in it."""

    rig: Rig
    folder: Path
    accounts: list[Account]

    def __post_init__(self) -> None:
        self.manifest, self.key = self.folder / "manifest.parquet", self.folder / "key" / "manifest.key"
        self.key.parent.mkdir(mode=0o700)
        write_manifest(self.manifest, self.accounts, evidence_digest="e" * 64, key_file=self.key)
        self.settings = write_settings(self.rig, self.folder / "settings", self.accounts)
        for each in self.accounts:
            self.let_in(each)

    def let_in(self, account: Account, *, secret: str = SECRET, objects_from: str | None = None) -> None:
        """The account's key opens its bucket, with this secret; objects perhaps from some addresses alone."""
        self.rig.ask("customer", account.bucket_name, account.user_access_key_id, secret, None, objects_from)

    def words(self, name: str, *more: str) -> list[Any]:
        """A command line."""
        return [BIN / "laerecover", name, self.manifest, "--key-file", self.key, "--settings", self.settings, *more]

    def command(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`laerecover NAME` inside the rig's network. No secret is in what it tells."""
        return self._run(self.words(name, *more))

    def typed(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`laerecover WORDS` inside the rig's network, as it was proposed. No secret is in what it tells."""
        return self._run([BIN / "laerecover", *words])

    def _run(self, command: list[Any]) -> subprocess.CompletedProcess[str]:
        with self.rig.inside():
            done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
        assert SWISSNUM not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
        return done

    def start(self, name: str, *more: str) -> subprocess.Popen[str]:
        """As `command`, but not waited for."""
        with self.rig.inside():
            return subprocess.Popen(
                self.words(name, *more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

    def verify(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit code, what -> check; of one account."""
        done = self.command("verify", "--json")
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode, {check["what"]: check for check in json.loads(done.stdout)["checks"]}

    def told(self, account: Account) -> dict[str, Mapping[str, Any]]:
        """Step -> its values, of the account's latest round; empty before there is any."""
        rounds = read_ledger(Path(f"{self.manifest}.state") / "ledger.sqlite")
        steps = rounds[account.account_id].steps if account.account_id in rounds else ()
        return {step.step.name: step.values for step in steps}

    def shell(self, account: Account) -> Shell:
        """A way into the account's host, by the key that only the vault knows."""
        told = self.told(account)
        vault = Vault(Path(f"{self.manifest}.state") / "secrets", read_key(self.key, manifest=self.manifest))
        key = derive_host_key(vault, told["deploy_ec2_instance"]["client_token"])
        return connect(self.rig, told["wait_for_ec2_addresses"]["public_host"], key.public)

    def end(self) -> None:
        """The accounts' instances are gone."""
        ours = {each.account_id for each in self.accounts}
        with self.rig.inside():
            cloud = ec2(self.rig)
            found = [i for r in cloud.describe_instances()["Reservations"] for i in r["Instances"]]
            ids = [
                i["InstanceId"]
                for i in found
                if ours & {tag["Value"] for tag in i.get("Tags", [])} and i["State"]["Name"] == "running"
            ]
            if ids:
                cloud.terminate_instances(InstanceIds=ids)
