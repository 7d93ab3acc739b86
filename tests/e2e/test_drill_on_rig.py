"""`drill --world rig`: the whole runbook over real protocols, killed in every step, and each effect exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from rig_hands import ec2

from laerecover.rehearsal.rig.client import find
from laerecover.runbook.values import STEPS

BIN = Path(sys.executable).parent
# Where an effect of the step is done and its record is not; steps without an act are killed before their record.
POINTS = {
    "wait_for_ec2_addresses": "before-record",
    "leave_evidence": "before-record",
    "send_signup_confirmation": "before-record",
}
KEPT = "lae-0c4e91d7-absayacmshgzluurzahm4yncmahtfjxo"


def drill(manifest: Path, *more: str, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    """One drill of one account, with its mail sent."""
    command = [BIN / "laerecover", "drill", manifest, "--key-file", manifest.parent / "key/manifest.key"]
    command += ["--world", "rig", "--only", KEPT, "--mail", "send", "--json", *more]
    environment = {**os.environ, "LAERECOVER_CRASH_AT": crash_at}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_killed_in_every_step_and_each_effect_once(manifest: Path):
    """Killed once in each step and started again, a drill leaves one instance, one row, one mail, one watched host."""
    folder = Path(f"{manifest}.drill")
    try:
        for step in [each.name for each in STEPS]:
            killed = drill(manifest, crash_at=f"{step}:{POINTS.get(step, 'after-act')}")
            assert killed.returncode == -signal.SIGKILL, (step, killed.stdout, killed.stderr)
        rig = find(folder / "rig")
        assert rig is not None
        assert len(rig.ask("hosts")) == 2, "the account's and the monitoring host"
        with rig.inside():
            launched = [i for r in ec2(rig).describe_instances()["Reservations"] for i in r["Instances"]]
        assert len(launched) == 1
        assert [mail.partition("\n")[0].strip() for mail in rig.ask("mails")] == [
            "X-Envelope-To: senobrien+tahoe-1@example.com"
        ]
        assert rig.ask("loaded").count("setManageIp") == 1
        finished = drill(manifest)
        body = json.loads(finished.stdout)
        account = next(a for a in body["accounts"] if a["account_id"] == KEPT)
        assert account["outcome"] == "recovered", finished.stderr
        assert (account["instances_launched"], account["serverinfo_rows"], account["mails_sent"]) == (1, 1, 1)
        assert not rig.alive
        assert not (folder / "rig").exists()
    finally:
        left = find(folder / "rig")
        if left is not None:
            left.down()


def test_a_drill_whose_rig_has_gone_says_so(manifest: Path):
    """Without its rig a begun drill cannot go on: exit 2 and the way to begin anew."""
    killed = drill(manifest, crash_at="deploy_ec2_instance:after-act")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    rig = find(Path(f"{manifest}.drill") / "rig")
    assert rig is not None
    rig.down()
    refused = drill(manifest)
    assert refused.returncode == 2
    assert refused.stderr.rstrip().endswith("--mail send --json --again")
