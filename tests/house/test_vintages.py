"""The script beside the old recoveries can add to them: what it leaves is whole."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_present_code_can_leave_a_vintage(tmp_path):
    """A few recoveries, killed and ended, with case, hosts, recipes and list; the workspace must be new."""
    wanted = ("drill/append_record.after-act", "run/ended-in-doubt", "run/second-instance")
    script = [sys.executable, ROOT / "fixtures/recoveries/make.py", "--force"]
    script += ["--workspace", tmp_path / "work", "--output", tmp_path / "left"]
    script += [word for name in wanted for word in ("--only", name)]
    told = subprocess.run(script, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stderr
    (listed,) = (tmp_path / "left").glob("*.json")
    index = json.loads(listed.read_text("utf-8"))
    assert {left["name"]: left["ended"] for left in index["recoveries"]} == {
        "drill/append_record.after-act": "killed at append_record:after-act",
        "run/ended-in-doubt": "exit 4",
        "run/second-instance": "killed at install_server:before-record",
    }
    with tarfile.open(listed.with_suffix(".tar.xz")) as archive:
        members = archive.getmembers()
    names = {member.name for member in members}
    assert names > {f"recoveries/{name}/state/ledger.sqlite" for name in wanted}
    assert names > {f"recoveries/{name}/holds.json" for name in wanted}
    assert names > {"case/custody.jsonl", "case/decisions.jsonl", "hosts/interrupted", "recipes/tahoe.json"}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    again = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2
    assert "exists" in again.stderr
