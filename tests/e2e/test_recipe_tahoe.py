"""The recipe `tahoe` on hosts of the rig: a customer's file outlives the host, and a host tells what it lacks."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from rig_hands import connect
from tahoe_client import TahoeClient

from calm_twin import DEPLOYED
from evidence_writer.certificates import default_pool, make_identity
from laerecover.adapters.world import open_real
from laerecover.hosts.host_keys import HOST_KEY_PUBLIC, derive_host_key, fingerprint
from laerecover.hosts.identity import parse_furl, tub_id_of, weak_key
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import HOME, REINSTALL
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account, Secret
from laerecover.rehearsal.rig.cache import client_program
from laerecover.rehearsal.rig.client import Rig
from laerecover.rehearsal.rig.operator import write_settings
from laerecover.runbook.runbook import execute
from laerecover.runbook.values import BOUNCE, DEPLOY, INSTALL, WAIT, Effect, Step
from laerecover.runbook.work import Work
from laerecover.settings import read_settings

BUCKET = "lae-7a3c2f01-inventedseedinventedseedinvented"
# What an image's own cloud-init may do beside ours: still at work when sshd lets us in, and then it looks around.
SLOW = """#cloud-config
runcmd:
  - |
    sleep 6
    exec >/root/cloud-init-saw 2>&1
    cat /etc/ssh/ssh_host_ed25519_key.pub
    ls /var/lib/lae-recovery
    ls /home/ubuntu/.lae-recovery
"""
CANARIES = ("inventedsecretkey/+9", "inventedusertoken", "inventedproducttoken")


def _pem(number: int) -> Secret:
    """A node.pem of 2012: RSA of 1024 bits, signed with MD5 or SHA-1."""
    return Secret(
        make_identity(random.Random(number), default_pool().pem(number), datetime(2012, 3, 20, tzinfo=UTC)).pem
    )


def _account(**known: object) -> Account:
    introducer, storage = _pem(0), _pem(1)
    return Account(
        account_id=BUCKET,
        verdict="RECOVERABLE",
        grade="IDENTITY_KEPT",
        bucket_name=BUCKET,
        user_access_key_id="AKIAINVENTEDKEYID234",
        user_secret_key=Secret(CANARIES[0]),
        user_token=Secret(f"{{UserToken}}{CANARIES[1]}"),
        product_token=Secret(f"{{ProductToken}}{CANARIES[2]}"),
        introducer_identity="PROVED",
        storage_identity="PROVED",
        introducer_node_pem=introducer,
        introducer_furl=Secret(f"pb://{tub_id_of(introducer)}@192.0.2.9:12345/inventedswissnum"),
        server_node_pem=storage,
        server_nodeid=tub_id_of(storage),
        **known,  # type: ignore[arg-type]
    )


@dataclass
class Place:
    """One host that an account comes to; `folder` is the runner's state."""

    rig: Rig
    folder: Path
    number: int
    account: Account
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "secrets").mkdir()
        self.vault = Vault(self.folder / "secrets", b"k" * 32)
        written = read_settings(write_settings(self.rig, self.folder / "settings", [self.account]))
        self.settings = written.changed(recipe={"session_token": True})
        self.name, self.address = f"i-recipe{self.number}", f"203.0.113.{100 + self.number}"
        self.boot_key, self.key = (derive_host_key(self.vault, self.name, which) for which in ("boot", "final"))

    def boot(self, **lacking: object) -> None:
        self.rig.boot(self.name, self.address, user_data=self.boot_key.user_data.reveal(), **lacking)

    def work(self) -> Work:
        launched = {"host_key": self.key.public, "boot_host_key": self.boot_key.public}
        return Work(
            account=self.account,
            recovery_id="r" * 64,
            mode="run",
            world=open_real(self.settings, threading.Event()).world,
            settings=self.settings,
            vault=self.vault,
            outbox=Outbox(self.folder / "outbox"),
            known={
                DEPLOY: {**DEPLOYED, "instance_id": self.name, "client_token": self.name, **launched},
                WAIT: {"public_host": self.address, "private_host": f"ip-{self.name}"},
            },
        )

    def step(self, step: Step[Any]) -> Effect:
        """Carry out one step of the runbook, patiently."""
        with self.rig.inside():
            effect = execute(step, self.work())
            while effect.kind == "not_listening":
                effect = execute(step, self.work())
        return effect

    def must(self, step: Step[Any]) -> None:
        effect = self.step(step)
        assert effect.ok, f"{step.name}: {effect.kind}: {effect.message}"

    def shell(self, script: str) -> str:
        with self.rig.inside():
            return connect(self.rig, self.address, self.key.public)(script)

    def settle(self) -> None:
        """Wait until the bucket has been the same for longer than the mount holds anything back."""
        operator, seen, since = self.rig.facts["operator"], {}, time.monotonic()
        keys = {"aws_access_key_id": operator["access_key_id"], "aws_secret_access_key": operator["secret_key"]}
        until = since + 60
        while time.monotonic() < until and (time.monotonic() - since < 5 or not seen):
            with self.rig.inside():
                s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=self.rig.facts["endpoint"], **keys)
                listing = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
            now = {entry["Key"]: entry["ETag"] for entry in listing}
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.2)
        assert not [key for key in seen if "/incoming/" in key]

    def vanish(self) -> None:
        self.rig.ask("terminate", self.name)

    @property
    def furl(self) -> str:
        return self.vault.load(BUCKET)["furl"].reveal()


@pytest.fixture
def places(rig: Rig, tmp_path: Path) -> Iterator[list[Place]]:
    """Two hosts for one account, one after the other; gone at the end."""
    tokens = f"{{UserToken}}{CANARIES[1]},{{ProductToken}}{CANARIES[2]}"
    rig.ask("customer", BUCKET, "AKIAINVENTEDKEYID234", CANARIES[0], tokens)
    made = [Place(rig, tmp_path / f"place{number}", number, _account()) for number in (1, 2)]
    yield made
    for place in made:
        place.vanish()


@pytest.fixture
def client(rig: Rig, tmp_path: Path) -> Iterator[TahoeClient]:
    """The customer's client, with OpenSSL lowered as the mail asks of customers with such keys."""
    made = TahoeClient(
        tmp_path / "client",
        tahoe=client_program(print),
        enter=["nsenter", f"--net=/proc/{rig.facts['pid']}/ns/net"],
        weak=weak_key(_account()),
        webport=34590,
    )
    yield made
    made.stop()


def test_a_file_outlives_its_host(places: list[Place], client: TahoeClient, tmp_path: Path) -> None:
    """An old client reads what it stored on a host that is gone, and adds to its old directory.

    A reboot changes nothing. The second host is an image of today, whose login user is another, whose cloud-init is
    slow, whose small programs are uutils'.
    """
    first, second = places
    first.boot()
    second.boot(image="today", vendor_data=SLOW)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda place: place.must(INSTALL), places))
    _cloud_init_was_waited_for(second)
    first.must(BOUNCE)
    files = {
        name: random.Random(name).randbytes(size)
        for name, size in (("small", 200), ("large", 1_500_000), ("last", 9000))
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    client.create(first.furl)
    client.start()
    directory = client.mkdir()
    for name in files:
        client.add(directory, name, tmp_path / name)
    first.settle()
    first.vanish()
    client.stop()

    _an_unknown_tahoe_starts_no_node(second)
    second.must(BOUNCE)
    assert parse_furl(Secret(second.furl)).same_capability(parse_furl(Secret(first.furl)))
    client.use(second.furl)
    client.start()
    assert {name: client.read(f"{directory}/{name}") for name in files} == files
    client.add(directory, "new", tmp_path / "small")
    client.stop()

    _commands_can_be_run_again(second)
    _no_secret_lies_about(second)
    _storage_stops_before_its_bucket(second)
    _reboot(second)
    client.start()
    assert client.read(f"{directory}/new") == files["small"]


def _an_unknown_tahoe_starts_no_node(place: Place) -> None:
    """Installed, but another than what may be patched: the account stops before any service runs.

    What it tells helps.
    """
    place.shell(
        f"echo '# another release' | sudo tee -a {HOME}/venv/lib/python3*/site-packages/allmydata/storage/mutable.py"
    )
    effect = place.step(BOUNCE)
    assert (effect.ok, effect.kind) == (False, "unknown_tahoe")
    assert place.shell("ls /etc/service | grep lae- || true; pgrep -f 'tahoe ru[n]' || true") == ""
    remedy = effect.message.split("`")[1]
    assert remedy == REINSTALL
    place.shell(remedy)


def _reboot(place: Place) -> None:
    def boot_id() -> str:
        with place.work().link(patient=True) as link:
            return link.ask(lambda host: host.boot_id(), "boot id")

    with place.rig.inside():
        before = boot_id()
        with place.work().link(patient=True) as link:
            link.host().reboot()
        while boot_id() == before:
            time.sleep(0.5)


def _cloud_init_was_waited_for(place: Place) -> None:
    """Until its end nothing of ours was there, not even our host key.

    So the console shows the boot key, and afterwards both halves on the host are the final one's. The user is
    cloud-init's work.
    """
    place.shell(f"sudo grep -q '{place.boot_key.public.split()[1]}' /root/cloud-init-saw")
    assert place.shell("sudo grep -c 'cannot access' /root/cloud-init-saw") == "2"
    console = place.rig.ask("console", place.name)
    assert place.boot_key.public.split()[1] in console
    assert place.key.public.split()[1] not in console
    shown = place.shell(f"ssh-keygen -lf {HOST_KEY_PUBLIC}; sudo ssh-keygen -lf {HOST_KEY_PUBLIC.removesuffix('.pub')}")
    assert [line.split()[1] for line in shown.splitlines()] == [fingerprint(place.key.public)] * 2
    assert place.shell("getent passwd debian || true; df --version") == "df 0.0.17"


def _commands_can_be_run_again(place: Place) -> None:
    """Markers forgotten, nodes running, bucket mounted: everything is done once more, nothing breaks.

    With busybox's programs this time.
    """
    place.shell("sudo rm -r /var/lib/lae-recovery")
    programs = "$(ls /usr/lib/cargo/bin/coreutils) awk flock grep sed setsid"
    place.shell(
        f"for p in {programs}; do ! busybox --list | grep -qx $p || sudo ln -s /usr/bin/busybox /usr/local/bin/$p; done"
    )
    assert "BusyBox" in place.shell("df --help 2>&1")
    recipe = recipe_named("tahoe")
    with place.rig.inside(), place.work().link(patient=True) as link:
        link.commands(
            [*recipe.before_reboot(), *recipe.after_reboot(place.settings.config.monitor_pubkey), *recipe.patches()]
        )
    place.must(BOUNCE)
    place.shell("sudo find /usr/local/bin -type l -delete")


def _no_secret_lies_about(place: Place) -> None:
    """One file holds the store's secrets, for its owner's eyes; no process carries them."""
    # Written so that the search does not find itself.
    patterns = " ".join(f"-e {canary[:-1]}[{canary[-1]}]" for canary in CANARIES)
    found = place.shell(
        f"sudo sh -c 'grep -rla -s {patterns} /etc /usr/local /var /home /tmp /run"
        " /proc/[0-9]*/cmdline /proc/[0-9]*/environ'"
        f" | grep -v {HOME}/bucket || true"
    )
    assert found.splitlines() == [f"{HOME}/rclone.conf"]
    assert place.shell(f"sudo stat -c '%a %U' {HOME}/rclone.conf") == "400 customer"


def _storage_stops_before_its_bucket(place: Place) -> None:
    """Taking the bucket down takes the storage node down first.

    Nothing hangs, nor does a mount stay behind though somebody is in there; without a bucket, or with a dead one, the
    storage node does not come up.
    """
    inside = f"sudo -u customer sh -c 'cd {HOME}/bucket && exec sleep 300' >/dev/null 2>&1 </dev/null &"
    standing = f"grep -c ' {HOME}/bucket ' /proc/mounts || true"
    place.shell(f"{inside} sleep 1")
    assert "down: " in place.shell("sudo sv -w 30 down lae-bucket; sudo sv status lae-storageserver")
    assert place.shell(standing) == "0"
    place.shell("sudo pkill sleep; sudo chmod -x /etc/sv/lae-bucket/finish; sudo sv -w 30 once lae-bucket")
    place.shell(f"until grep -q ' {HOME}/bucket ' /proc/mounts; do sleep 0.2; done; sudo pkill -KILL rclone; sleep 1")
    assert place.shell(standing) == "1", "a mount whose rclone is dead"
    # Written so that the search does not find the shell that makes it.
    node = "pgrep -f 'tahoe ru[n] .*storageserver' || true"
    assert place.shell(f"sudo sv start lae-storageserver >/dev/null || true; sleep 4; {node}") == ""
    place.shell("sudo chmod +x /etc/sv/lae-bucket/finish; sudo sv start lae-bucket; sudo sv start lae-storageserver")
    assert place.shell(f"for i in $(seq 60); do {node} | grep . && break; sleep 0.5; done") != ""


@pytest.mark.parametrize(
    ("lacking", "kind"),
    [({"without": ["fuse"]}, "no_fuse"), ({"without": ["python"]}, "no_python"), ({"disk": "400m"}, "disk_full")],
)
def test_a_host_tells_what_it_lacks(rig: Rig, tmp_path: Path, lacking: dict[str, object], kind: str) -> None:
    """No FUSE, no Python, no space: seen before anything is installed, with a remedy."""
    place = Place(rig, tmp_path / "place", 3, _account())
    try:
        place.boot(**lacking)
        effect = place.step(INSTALL)
        assert (effect.ok, effect.kind) == (False, kind)
        assert "choose" in effect.message
        assert place.shell("ls /var/lib/lae-recovery/packages 2>/dev/null || true") == ""
    finally:
        place.vanish()
