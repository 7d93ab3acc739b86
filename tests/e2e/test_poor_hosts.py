"""Hosts and a bucket that cannot do it: each a clear failure of one account, with its remedy.

The others are recovered.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from laerecover.manifest import Account, read_manifest
from laerecover.rehearsal.rig.client import Rig
from laerecover.rehearsal.rig.operator import write_settings

WELL = "lae-0c4e91d7-absayacmshgzluurzahm4yncmahtfjxo"
PIECES = "lae-0c4e91d7-7ywnh2m7codjvyjuqh37mhwritnxg4k3"
SPACE = "lae-0c4e91d7-nydumhsczzkmh6wq4k34gdlgfcwyvrpk"
FUSE = "lae-0c4e91d7-rlr3qmyxi3f5s2xilsjpbzwmfnkdqsan"
PYTHON = "lae-0c4e91d7-wnk4rjk72z4ysvji2yqkxkx25txxd4ds"
POOR = {SPACE: {"disk": "200m"}, FUSE: {"without": ["fuse"]}, PYTHON: {"without": ["python"]}}
REMEDIES = {
    SPACE: ("disk_full", "too little disk space; choose a larger root volume"),
    FUSE: ("no_fuse", "no /dev/fuse, so no bucket can be mounted; choose a kernel or image with FUSE"),
    PYTHON: ("no_python", "no Python 3.9 or newer with venv; choose an image that has one"),
}


def cut_share(rig: Rig, account: Account) -> None:
    """Pieces of a share lie in the account's bucket, and not the first of them."""
    secret = account.user_secret_key
    assert secret is not None
    with rig.inside():
        keys = {"aws_access_key_id": account.user_access_key_id, "aws_secret_access_key": secret.reveal()}
        store = boto3.client("s3", region_name="us-east-1", endpoint_url=rig.facts["endpoint"], **keys)
        for name in ("0.1", "0.2"):
            key = f"shares/bv/bvj6fkjmxskbrbvj6fkjmxskbq/{name}"
            store.put_object(Bucket=account.bucket_name, Key=key, Body=b"a piece")


@pytest.fixture
def rows(manifest: Path, tmp_path: Path, another_rig: Callable[..., Rig]) -> dict[str, dict[str, Any]]:
    """Account -> its row in the report of one run for five accounts."""
    rig = another_rig(json.dumps({"hosts": POOR}))
    key_file = manifest.parent / "key/manifest.key"
    wanted = {WELL, PIECES, *POOR}
    accounts = [a for a in read_manifest(manifest, key_file=key_file).accounts if a.account_id in wanted]
    assert len(accounts) == len(wanted)
    for account in accounts:
        assert account.user_secret_key is not None
        rig.ask("customer", account.bucket_name, account.user_access_key_id, account.user_secret_key.reveal())
    cut_share(rig, next(a for a in accounts if a.account_id == PIECES))
    settings = write_settings(rig, tmp_path / "settings", accounts)
    command: list[Any] = [Path(sys.executable).with_name("laerecover"), "run", manifest, "--key-file", key_file]
    command += ["--settings", settings, "--yes", "--json", "--no-canary", "--max-failures", "9"]
    command += ["--accept", PIECES, "--because", "its server was in no region that anybody knows"]
    for account_id in sorted(wanted):
        command += ["--only", account_id]
    with rig.inside():
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 3, done.stdout + done.stderr  # nothing is launched for data that cannot be read
    return {row["account_id"]: row for row in json.loads(done.stdout)["accounts"]}


def test_each_poor_host_is_a_failure_with_its_remedy(rows: dict[str, dict[str, Any]]):
    """No space, no FUSE, no Python, no share that could be whole: what is wrong and what to do, per account.

    A fifth is recovered.
    """
    assert rows[WELL]["outcome"] == "recovered", rows[WELL]["why"]
    for account_id, (kind, remedy) in REMEDIES.items():
        row = rows[account_id]
        assert row["outcome"] == "failed"
        failed = [step for step in row["steps"] if not step["ok"]]
        assert [(step["step"], step["kind"]) for step in failed] == [("install_server", kind)]
        assert remedy in row["why"]
        assert row["follow_ups"][0]["do"] == "mend it and run again"
        assert remedy in row["follow_ups"][0]["about"]
    assert rows[PIECES]["outcome"] == "blocked"
    assert rows[PIECES]["instances_launched"] == 0
    assert rows[PIECES]["why"].startswith("DATA_UNREACHABLE: none of its 1 shares is whole, or has all its pieces")
