"""`laerecover verify` on a recovered host: all is well, then one thing after another is not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from recovery import Recovery, account
from rig_hands import Shell

from laerecover.hosts.identity import new_node_privkey
from laerecover.hosts.recipes.recipe import HOME, REINSTALL
from laerecover.rehearsal.rig.client import Rig

CHECKS = {"introducer", "storage node", "announcement", "bucket", "store", "share", "old shares", "services"}
CHECKS |= {"other servers"}
SHARES = [f"shares/{prefix}/{prefix}inventedstorageindexaaaa/0" for prefix in ("aa", "mm", "zz")]
MUTABLE = f"{HOME}/venv/lib/python3*/site-packages/allmydata/storage/mutable.py"


@pytest.fixture(scope="module")
def recovery(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recovery]:
    """An account whose bucket holds shares, recovered once for all tests; its instance is gone at the end."""
    made = Recovery(rig, tmp_path_factory.mktemp("recovery"), [account()])
    try:
        with rig.inside():
            for share in SHARES:
                s3(rig).put_object(Bucket=made.accounts[0].bucket_name, Key=share, Body=share.encode())
        done = made.command("run", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        made.end()


def s3(rig: Rig) -> Any:
    """The operator's client of the rig's S3; call it inside the rig's network."""
    operator = rig.facts["operator"]
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=rig.facts["endpoint"],
        aws_access_key_id=operator["access_key_id"],
        aws_secret_access_key=operator["secret_key"],
    )


def failed(checks: dict[str, dict[str, Any]]) -> set[str]:
    """What is not well."""
    assert set(checks) == CHECKS
    return {what for what, check in checks.items() if check["ok"] is not True}


def start(shell: Shell, *services: str) -> None:
    """These services run, and the storage node listens."""
    shell(" && ".join(f"sudo sv -w 60 start lae-{service}" for service in services))
    shell("for i in $(seq 60); do busybox nc -w 1 127.0.0.1 12346 </dev/null && break; sleep 0.5; done")


def written(recovery: Recovery) -> dict[str, int]:
    """How often anything was asked of S3 that is no reading."""
    calls = recovery.rig.ask("calls")
    return {call: n for call, n in calls.items() if call.startswith("s3:") and call not in ("s3:GET", "s3:HEAD")}


# The first of the two: what was read through the mount before would come out of its cache.
def test_verify_asks_the_host_whether_it_gets_at_shares(recovery: Recovery) -> None:
    """What the store gives the operator and refuses the host, a mount that hangs, one that is gone.

    No server is well then.
    """
    customer, host = recovery.accounts[0], {"store", "share"}
    shell = recovery.shell(customer)
    recovery.let_in(customer, objects_from="198.51.100.0/24")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, host), checks
    assert checks["store"]["said"] == "it refuses the host: AccessDenied (403)"
    assert checks["bucket"]["said"] == "can be listed from here"

    recovery.let_in(customer)
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks

    shell("sudo pkill -STOP -x rclone")
    code, checks = recovery.verify()
    shell("sudo pkill -CONT -x rclone")
    assert (code, failed(checks)) == (1, {"share"}), checks
    assert checks["share"]["said"] == "nothing comes within 20 s: the mount hangs"
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks

    shell(
        "sudo sv -w 60 down lae-bucket; until ! pgrep -x rclone; do sleep 0.2; done; sudo fusermount3 -uz "
        "/home/customer/bucket || true"
    )
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"storage node", "share", "services"}), checks
    assert checks["share"]["said"] == "the bucket is not mounted"
    start(shell, "bucket", "storageserver")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks


def test_a_host_recovered_earlier_is_named_and_mended(recovery: Recovery) -> None:
    """A host as the former recipe left it: verify names it, what it tells mends it and starts its node again, once."""
    shell, bucket = recovery.shell(recovery.accounts[0]), recovery.accounts[0].account_id

    def node() -> str:
        return shell("pgrep -u customer -f 'tahoe run .* storageserver'")

    def as_it_was() -> None:
        shell(f"sudo rm -f /var/lib/lae-recovery/old-shares*; {REINSTALL} --quiet")
        shell("sudo sv -w 60 restart lae-storageserver")
        shell("for i in $(seq 60); do busybox nc -w 1 127.0.0.1 12346 </dev/null && break; sleep 0.5; done")

    def named() -> list[str]:
        code, checks = recovery.verify()
        assert (code, failed(checks)) == (1, {"old shares"}), checks
        words = shlex.split(checks["old shares"]["next"].partition("laerecover ")[2])
        assert (words[0], words[-1]) == ("patch", bucket)
        return words

    before = node()
    as_it_was()
    words, restarted = named(), node()
    assert restarted != before
    unasked = recovery.typed(*words)
    assert (unasked.returncode, node()) == (3, restarted), unasked.stdout + unasked.stderr
    nodes = []
    for _ in range(2):
        done = recovery.typed(*words, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 of 1 recovered accounts are well" in done.stdout
        assert recovery.verify()[0] == 0
        nodes.append(node())
    mended, again = nodes
    assert mended != restarted, "old code still runs"
    assert again == mended, "it was started again though nothing was to be done"

    shell(f"echo '# another release' | sudo tee -a {MUTABLE} >/dev/null")
    words, sum_of_it = named(), shell(f"sha256sum {MUTABLE}")
    done = recovery.typed(*words, "--yes")
    assert (done.returncode, shell(f"sha256sum {MUTABLE}"), node()) == (1, sum_of_it, mended), done.stdout
    assert REINSTALL in done.stdout
    shell(REINSTALL)
    assert recovery.typed(*named(), "--yes").returncode == 0
    assert recovery.verify()[0] == 0
    assert node() != mended


def test_verify_tells_what_is_well_and_what_is_not(recovery: Recovery) -> None:
    """Nothing is wrong after a recovery, asking changes nothing.

    What stops, is forgotten or locked is told by name, exit 1.
    """
    customer = recovery.accounts[0]
    shell = recovery.shell(customer)
    shell("sudo touch /run/before")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks
    assert checks["announcement"]["said"] == f"the introducer tells clients of {customer.server_nodeid}"
    assert checks["share"]["said"] == "one was read through the mount"
    places = "/etc /usr/local /var/lib/lae-recovery /home/ubuntu /home/customer/venv"
    assert shell(f"sudo find {places} -newer /run/before -type f") == "", "asking wrote to the host"

    shell("sudo sv -w 30 stop lae-storageserver")
    code, checks = recovery.verify()
    # An introducer remembers for as long as it runs: the node's own port tells that it is down.
    assert (code, failed(checks)) == (1, {"storage node", "services"}), checks

    shell("sudo sv -w 30 restart lae-introducer")
    before = written(recovery)
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"storage node", "announcement", "services"}), checks
    assert written(recovery) == before, "asking wrote to the bucket"
    assert "does not tell clients of" in checks["announcement"]["said"]
    assert "lae-storageserver" in checks["announcement"]["said"]

    shell("sudo sv -w 30 stop lae-introducer")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"introducer", "storage node", "announcement", "services"}), checks
    assert "the introducer cannot be asked: " in checks["announcement"]["said"]

    privkey = f"{HOME}/storageserver/private/node.privkey"
    shell(f"sudo cp -p {privkey} /root/node.privkey")
    shell(f"echo {new_node_privkey().reveal().strip()} | sudo tee {privkey} >/dev/null")
    start(shell, "introducer", "storageserver")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"announcement"}), checks
    assert "signs what it announces with another node.privkey" in checks["announcement"]["said"]
    shell(f"sudo cp -p /root/node.privkey {privkey}; sudo sv -w 30 restart lae-introducer lae-storageserver")
    start(shell, "introducer", "storageserver")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (0, set()), checks

    recovery.let_in(customer, secret="another secret")
    code, checks = recovery.verify()
    assert (code, failed(checks)) == (1, {"bucket", "store", "share"}), checks
    assert checks["store"]["said"] == "it refuses the host: SignatureDoesNotMatch (403)"
