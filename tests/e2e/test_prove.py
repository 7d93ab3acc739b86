"""`drill --world rig --prove`: a file that was stored before comes back, and a proof that must fail does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laerecover.rehearsal.rig.client import find

KEPT = "lae-0c4e91d7-absayacmshgzluurzahm4yncmahtfjxo"
LOST = "lae-0c4e91d7-7ywnh2m7codjvyjuqh37mhwritnxg4k3"
WHOLE = "from laerecover.cli import main; main()"
CUT = f"""
import laerecover.runbook.steps.bounce_server as step
node_keys = step.node_keys
step.node_keys = lambda account, kept, **how: node_keys(account, kept, **{{**how, "new_identity": True}})
step._promised = lambda work, keys: None
{WHOLE}
"""
"""The same command, but a recovery that restores no identity, and does not look whether it kept its promise."""


@pytest.fixture
def folder(manifest: Path) -> Iterator[Path]:
    """The drill's state folder, whose rig ends with the test."""
    yield Path(f"{manifest}.drill")
    left = find(Path(f"{manifest}.drill") / "rig")
    if left is not None:
        left.down()


def prove(
    manifest: Path, *accounts: str, program: str = WHOLE, crash_at: str = ""
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The drill's end, account -> its row in the report."""
    words = [arg for account in accounts for arg in ("--only", account)]
    command = [sys.executable, "-c", program, "drill", str(manifest), "--world", "rig", "--prove", "--json", *words]
    command += ["--key-file", str(manifest.parent / "key/manifest.key")]
    environment = {**os.environ, "LAERECOVER_CRASH_AT": crash_at}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    rows = json.loads(done.stdout)["accounts"] if done.returncode in (0, 1) else []
    return done, {row["account_id"]: row for row in rows}


def test_old_caps_read_their_file_after_a_drill(manifest: Path, folder: Path):
    """Killed and started again, a drill gives a client with old caps its file back, its directory as the grade says."""
    killed, _ = prove(manifest, KEPT, LOST, crash_at="deploy_ec2_instance:after-act")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    rig = find(folder / "rig")
    assert rig is not None
    nodes = Path(f"/proc/{rig.facts['pid']}/root/run/canaries")
    assert not list(nodes.iterdir()), "nothing of the nodes of before is left"
    canaries = {path: path.read_bytes() for path in (folder / "secrets").iterdir()}
    done, rows = prove(manifest, KEPT, LOST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in canaries] == list(canaries.values()), "the canaries are the same"
    assert (rows[KEPT]["grade"], rows[LOST]["grade"]) == ("IDENTITY_KEPT", "NEW_STORAGE_IDENTITY")
    assert [rows[account]["proof"]["ok"] for account in (KEPT, LOST)] == [True, True]
    assert [bool(rows[account]["joined"]) for account in (KEPT, LOST)] == [True, False], "both kinds of bucket"
    assert rows[KEPT]["joined"]["joined"] == 1
    assert rows[KEPT]["proof"]["said"].endswith("its directory took another one")
    assert rows[LOST]["proof"]["said"].endswith("its directory is read-only, as the grade says")
    assert not rig.alive, "nothing is left to look into"


def test_a_recovery_without_identity_is_found_out(manifest: Path, folder: Path):
    """An identity that is not restored though the grade says so fails the proof by the old directory, and the drill."""
    done, rows = prove(manifest, KEPT, program=CUT)
    assert done.returncode == 1, done.stderr
    assert rows[KEPT]["outcome"] == "recovered", rows[KEPT]["why"]
    assert not rows[KEPT]["proof"]["ok"]
    assert rows[KEPT]["proof"]["said"].startswith("the file came back, but the old directory can't be changed:")
    assert "not proved" in rows[KEPT]["follow_ups"][0]["do"]
    kept = [path for path in folder.rglob("*") if path.is_file() and (folder / "rig") not in path.parents]
    for text in (done.stdout.encode(), done.stderr.encode(), *(path.read_bytes() for path in kept)):
        assert b"URI:" not in text
    rig = find(folder / "rig")
    assert rig is not None
    assert rig.alive, "what was not proved can be looked into"


def test_nothing_can_be_proved_of_a_drill_that_has_begun(manifest: Path, folder: Path):
    """A drill that was begun without --prove refuses it, and so does the twin world: exit 2, nothing started."""
    command = [sys.executable, "-c", WHOLE, "drill", str(manifest), "--only", LOST]
    command += ["--key-file", str(manifest.parent / "key/manifest.key")]
    begun = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert begun.returncode == 0, begun.stderr
    refused, _ = prove(manifest, LOST)
    assert refused.returncode == 2
    assert "begun without --prove" in refused.stderr
    twin = subprocess.run([*command, "--prove"], capture_output=True, text=True, timeout=120, check=False)
    assert twin.returncode == 2
    assert "--world rig" in twin.stderr
    assert not (folder / "rig").exists()
