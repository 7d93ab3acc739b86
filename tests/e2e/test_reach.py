"""Nobody is mailed a dead address.

The rig's hosts really keep out whom their security group does, and impostors answer.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from recovery import Recovery, account
from rig_hands import ec2

from laerecover.manifest import Account
from laerecover.rehearsal.rig.client import Rig

EVERYBODY = [{"CidrIp": "0.0.0.0/0"}]
NODES = {"IpProtocol": "tcp", "FromPort": 12345, "ToPort": 12346, "IpRanges": EVERYBODY}


@pytest.fixture
def recovery(rig: Rig, tmp_path: Path) -> Iterator[Recovery]:
    """Two accounts; their instances are gone at the end."""
    made = Recovery(rig, tmp_path, [account("ada"), account("ben")])
    yield made
    made.end()


@contextmanager
def shut(rig: Rig) -> Iterator[None]:
    """As long as the block lasts the security group lets in 22 alone."""
    with rig.inside():
        cloud = ec2(rig)
        cloud.revoke_security_group_ingress(GroupName="CustomerDefault", IpPermissions=[NODES])
    try:
        yield
    finally:
        with rig.inside():
            cloud.authorize_security_group_ingress(GroupName="CustomerDefault", IpPermissions=[NODES])


@contextmanager
def in_between(rig: Rig, address: str, impostor: str) -> Iterator[None]:
    """As long as the block lasts whoever calls the introducer at `address` from the provider's office gets the
    `impostor`'s.
    """
    rule = f"ip daddr {address} tcp dport 12345 dnat to {impostor}:12345"
    table = f"table ip in_between {{\nchain out {{\ntype nat hook output priority -100;\n{rule}\n}}\n}}\n"

    def nft(script: str) -> None:
        with rig.inside():
            subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True, timeout=30)

    nft(table)
    try:
        yield
    finally:
        nft("delete table ip in_between\n")


def wait_for(recovery: Recovery, account: Account, step: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    """The values of the step, as soon as the account has come so far."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        if step in (told := recovery.told(account)):
            return told[step]
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    raise AssertionError(f"{step} was not reached within five minutes")


def mails(recovery: Recovery) -> list[str]:
    """Which of the customers the mail server has a mail for."""
    told = (mail.partition("\n")[0] for mail in recovery.rig.ask("mails"))
    return sorted(line.split()[-1] for line in told if any(a.customer_email in line for a in recovery.accounts))


def report(recovery: Recovery) -> tuple[int, dict[str, Any]]:
    """Exit code and body of the report."""
    done = recovery.command("report", "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_group_that_lets_in_22_alone_is_found_before_anything_is_launched(recovery: Recovery) -> None:
    """plan --check names group, ports and remedy; a run starts nothing."""
    hosts = recovery.rig.ask("hosts")
    with shut(recovery.rig):
        planned = recovery.command("plan", "--check")
        ran = recovery.command("run", "--yes")
    assert (planned.returncode, ran.returncode) == (3, 3), planned.stdout + ran.stderr
    for text in (planned.stdout, ran.stderr):
        assert "CustomerDefault lets nobody in at 12345 and 12346" in text
        assert "let in TCP 12345 and 12346 from 0.0.0.0/0" in text
    assert recovery.rig.ask("hosts") == hosts
    planned = recovery.command("plan", "--check")
    assert "check: nothing stands in the way" in planned.stdout, planned.stdout


def test_nobody_is_told_of_a_server_that_is_not_reached(recovery: Recovery) -> None:
    """Ports shut while the first server is installed, another node in place of the second's: held, halted, told.

    Mended: sent.

    Both servers are proved on the host itself all the while.
    """
    ada, ben = recovery.accounts
    running = recovery.start("run", "--yes", "--mail", "send")
    first = wait_for(recovery, ada, "wait_for_ec2_addresses", running)["public_host"]
    with shut(recovery.rig):
        said = running.communicate(timeout=300)[0]
        assert running.returncode == 3, said
        code, body = report(recovery)
    outcomes = {row["account_id"]: row["outcome"] for row in body["accounts"]}
    assert (code, outcomes) == (3, {ada.account_id: "recovered", ben.account_id: "not started"}), said
    assert f"{first}:12345 does not answer: timed out" in body["stopped"]
    assert recovery.told(ada)["bounce_server"]["server_nodeid"] == ada.server_nodeid
    (left,) = [f for row in body["accounts"] for f in row["follow_ups"] if "not reached" in f["do"]]
    assert "laerecover notify" in left["command"]
    assert mails(recovery) == []

    running = recovery.start("run", "--yes", "--mail", "send")
    second = wait_for(recovery, ben, "wait_for_ec2_addresses", running)["public_host"]
    with in_between(recovery.rig, second, first):
        said = running.communicate(timeout=300)[0]
        assert running.returncode == 3, said
        assert f"{second}:12345 does not know that tub" in said
        assert recovery.command("notify", "--yes").returncode == 1, "one was reached by now, the other was not"
        assert mails(recovery) == [ada.customer_email]

    told = recovery.command("notify", "--yes")
    assert told.returncode == 0, told.stdout + told.stderr
    assert mails(recovery) == [ada.customer_email, ben.customer_email]
    assert report(recovery)[0] == 0
