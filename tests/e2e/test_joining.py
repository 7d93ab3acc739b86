"""A bucket of shares in pieces, recovered by the real commands: joined once, whoever is killed; then served."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from recovery import Recovery, account
from rig_hands import Shell

from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, PIECE
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account
from laerecover.rehearsal.rig.client import Rig
from laerecover.state.opening import read_state

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from old_buckets import CASES, immutable, index, place
from old_shares import objects, pieces

LARGE = {place(f"large {n}"): immutable(4 * PIECE + 1_000 * n) for n in range(80)}
LOST = place("broke off")


def bucket_of_2014() -> dict[str, bytes]:
    """Whole shares, cut ones, eighty large ones, one whose upload broke off, an object that is no share."""
    found = {**CASES["both kinds"]().objects, "notes.txt": b"the customer's own"}
    for name, whole in LARGE.items():
        found.update(objects(name, pieces(whole)))
    found.update(objects(LOST, pieces(immutable(3 * PIECE + 9))))
    del found[f"{LOST}.2"]
    return found


class Bucket:
    """The account's bucket, seen by the operator from inside the rig's network."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.rig, self.name = rig, name
        operator = rig.facts["operator"]
        self.client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=rig.facts["endpoint"],
            aws_access_key_id=operator["access_key_id"],
            aws_secret_access_key=operator["secret_key"],
        )

    def fill(self, content: Mapping[str, bytes]) -> None:
        with self.rig.inside():
            for name, body in content.items():
                self.client.put_object(Bucket=self.name, Key=name, Body=body)

    def listing(self) -> dict[str, Any]:
        with self.rig.inside():
            pages = list(self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name))
        rows = [row for page in pages for row in page.get("Contents", [])]
        return {row["Key"]: (row["Size"], row["ETag"], row["LastModified"]) for row in rows}

    def old(self) -> dict[str, Any]:
        return {name: about for name, about in self.listing().items() if not name.startswith("recovered/")}

    def joined(self) -> dict[str, Any]:
        return {name: about for name, about in self.listing().items() if name.startswith("recovered/shares/")}

    def body(self, name: str) -> bytes:
        with self.rig.inside():
            return bytes(self.client.get_object(Bucket=self.name, Key=name)["Body"].read())


def stop_in_the_midst(recovery: Recovery, customer: Account, bucket: Bucket) -> Shell:
    """Joining stands still, with some shares joined and some not, however fast it is; a way into its host."""
    until = time.monotonic() + 300
    while "install_server" not in recovery.told(customer):
        assert time.monotonic() < until
        time.sleep(0.5)
    shell = recovery.shell(customer)
    stop = "sudo pkill -STOP -u customer -f '[s]3_joining'"
    shell(f'timeout 200 sh -c "until {stop}; do sleep 0.1; done"')
    while not bucket.joined():
        shell(f"sudo pkill -CONT -u customer -f '[s]3_joining'; sleep 0.5; {stop}")
    assert len(bucket.joined()) < len(LARGE)
    return shell


@pytest.fixture
def recovery(rig: Rig, tmp_path: Path) -> Iterator[Recovery]:
    """One account with such a bucket; its instance is gone at the end."""
    made = Recovery(rig, tmp_path, [account("cora")])
    try:
        yield made
    finally:
        made.end()


def test_shares_in_pieces_are_joined_once_whoever_is_killed(recovery: Recovery, tmp_path: Path) -> None:
    """Runner and joining killed in its midst; the next run goes on; a second recovery finds it done.

    That one starts from the old evidence alone. What the customer changed since stays.
    """
    customer, content = recovery.accounts[0], bucket_of_2014()
    bucket = Bucket(recovery.rig, customer.bucket_name or "")
    bucket.fill(content)
    before = bucket.old()
    told = recovery.command("plan", "--check")
    assert "are joined, 1 copied, 1 cannot be and are left out: about" in told.stdout, told

    run = recovery.start("run", "--yes")
    shell = stop_in_the_midst(recovery, customer, bucket)
    run.kill()
    shell("sudo pkill -KILL -u customer -f '[s]3_joining'")
    run.communicate()
    assert JOINING in bucket.listing()
    time.sleep(1)
    assert COMPLETE not in bucket.listing()
    first = bucket.joined()
    done = recovery.command("run", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(done.stdout)["accounts"][0]
    assert row["outcome"] == "recovered"

    kept = {name: about for name, about in bucket.joined().items() if name in first}
    assert kept == first, "what was joined before the kill was joined again"
    assert bucket.old() == before
    assert {name: bucket.body(f"recovered/{name}") for name in LARGE} == LARGE
    for name, body in CASES["both kinds"]().joined.items():
        assert bucket.body(name) == body
    assert f"recovered/{LOST}" not in bucket.listing()
    assert row["joined"]["left_out_shares"].keys() == {f"{index('broke off')}/0"}
    assert recovery.verify()[0] == 0

    state = read_state(Path(f"{recovery.manifest}.state"))
    assert state is not None
    assert [mail.state for mail in Outbox(state.outbox).all()] == ["held"]
    letter = recovery.command("notify", "--json").stdout + recovery.command("notify").stdout
    assert f"aws s3 rm --recursive s3://{customer.bucket_name}/shares/" in letter
    assert index("broke off") in letter

    changed = {f"recovered/{place('large 3')}": b"changed by the customer"}
    bucket.fill(changed)
    recovery.end()
    everything = bucket.listing()
    again = tmp_path / "again"
    again.mkdir()
    second = Recovery(recovery.rig, again, recovery.accounts)
    assert "its shares were joined before" in second.command("plan", "--check").stdout
    done = second.command("run", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert second.verify()[0] == 0
    now = bucket.listing()
    assert {name: about for name, about in now.items() if name in everything} == everything
    assert bucket.body(f"recovered/{place('large 3')}") == b"changed by the customer"
    assert bucket.old() == before
    assert json.loads(done.stdout)["accounts"][0]["joined"]["left_out"] == 1
