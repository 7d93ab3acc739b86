"""A drill whose rig has ended: what it says, and how it is begun anew."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from laerecover.manifest import read_manifest
from laerecover.rehearsal.rig import of_a_drill
from laerecover.rehearsal.rig.of_a_drill import RigEnded, watched
from laerecover.state.opening import open_state
from laerecover.state.terms import DrillTerms

DRILL = [sys.executable, "-c", "from laerecover.cli import main; main()", "drill"]
BEGUN = DrillTerms(prove=True, hosts="systemd", faults="seed:3")


@pytest.fixture
def begun(make_manifest, key_file, settings_file, tmp_path):
    """A drill that was begun on a rig, which has ended; gives the manifest and what was typed after it."""
    manifest, folder = make_manifest(count=1), tmp_path / "a drill"
    digest = read_manifest(manifest, key_file=key_file).digest
    state = open_state(folder, mode="drill", digest=digest, now=datetime.now(UTC), drill=BEGUN)
    replace(state, started_at=datetime.now(UTC).isoformat()).write()
    state.rehearsal.parent.mkdir()
    settings_file()
    for each in tmp_path.glob("*"):
        if each.is_file() and each.suffix in (".toml", ".json", ".pem", ".pub", ""):
            (state.rehearsal.parent / each.name).write_bytes(each.read_bytes())
    ended = subprocess.Popen(["true"])
    ended.wait()
    (folder / "rig").mkdir()
    (folder / "rig" / "rig.json").write_text(json.dumps({"pid": ended.pid}))
    return [str(word) for word in (manifest, "--key-file", key_file, "--state", folder, "--only", "@who")]


@pytest.mark.parametrize(
    ("typed", "lacking"),
    [
        (["--world", "rig", "--hosts", "systemd", "--prove", "--faults", "seed:3"], []),
        (["--world", "rig", "--evidence-out", "far/" * 200], ["--hosts", "systemd", "--faults", "seed:3", "--prove"]),
        (["--mail", "send"], ["--world", "rig", "--hosts", "systemd", "--faults", "seed:3", "--prove"]),
    ],
)
def test_a_drill_whose_rig_has_ended_says_the_whole_command(begun, tmp_path, typed, lacking):
    """What was typed, and with what the drill was begun: pasted as it stands it drills the same anew."""
    manifest = read_manifest(tmp_path / begun[0], key_file=tmp_path / begun[2])
    (tmp_path / "who").write_text(manifest.accounts[0].account_id)
    refused = subprocess.run([*DRILL, *begun, *typed], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2, refused.stderr
    assert "the rig of this drill has ended" in refused.stderr
    (said,) = [line for line in refused.stderr.splitlines() if "begin anew:" in line]
    assert shlex.split(said.partition("begin anew:")[2]) == ["laerecover", "drill", *begun, *typed, *lacking, "--again"]


class Keeper:
    """A rig whose daemon lives until it is told otherwise."""

    alive = True


@pytest.mark.parametrize("dies", [True, False])
def test_a_rig_that_ends_in_the_middle_stops_the_drill_and_is_told(dies, tmp_path, monkeypatch):
    """Nobody waits twenty minutes for hosts that went with it; one that lives stops nothing."""
    keeper, stop = Keeper(), threading.Event()
    monkeypatch.setattr(of_a_drill, "find", lambda folder: keeper)
    monkeypatch.setattr(of_a_drill, "_LOOK", 0.01)
    state = open_state(tmp_path / "drill", mode="drill", digest="d" * 64, now=datetime.now(UTC), drill=BEGUN)

    def work():
        with watched(state, stop):
            keeper.alive = not dies
            return stop.wait(30.0 if dies else 0.2)

    if dies:
        with pytest.raises(RigEnded, match="the rig of this drill has ended"):
            work()
    assert dies or work() is False
    assert stop.is_set() is dies
