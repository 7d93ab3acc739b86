"""A provider's world on this machine: customers who sign up, disasters, recoveries, and what the customers see."""

from __future__ import annotations

import email
import email.policy
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from provider import RealServer, S4Papers, SignupPapers, write_config
from rig_hands import ec2
from tahoe_client import TahoeClient

from evidence_writer.certificates import default_pool, make_identity
from evidence_writer.people import Customer
from evidence_writer.products import PLAN_ID
from laerecover.adapters.world import open_real
from laerecover.hosts.identity import parse_furl, tub_id_of
from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, RECOVERED
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account, Secret
from laerecover.ports.endpoints import region_of
from laerecover.rehearsal.rig.cache import client_program
from laerecover.rehearsal.rig.client import Rig
from laerecover.rehearsal.rig.operator import write_settings
from laerecover.runbook.runbook import execute
from laerecover.runbook.values import BOUNCE, DEPLOY, INSTALL, WAIT, Known, Step, Values
from laerecover.runbook.work import Work
from laerecover.settings import read_settings
from old_shares import PIECE, is_mutable, objects, old_share, pieces

SIGNUP_STEPS = (DEPLOY, WAIT, INSTALL, BOUNCE)
BIN = Path(sys.executable).parent
WHEN = datetime(2012, 3, 20, 10, 15, tzinfo=UTC)
WHEN_S4 = datetime(2014, 6, 3, 10, 15, tzinfo=UTC)


@dataclass(kw_only=True, eq=False)
class Person:
    """A customer with what they hold, and how much of their papers will survive."""

    name: str
    old_keys: bool = False
    secrets_survive: bool = True
    cut_before_keys: bool = False
    s4: bool = False
    """Of the S4 era: papers of that kind, and shares that will lie in pieces."""
    papers: SignupPapers | S4Papers = field(init=False)
    client: TahoeClient = field(init=False)
    directory: str = ""
    mdmf: str = ""
    """A second directory, in the later of the two formats."""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{self.name}@example.org"

    @property
    def account_id(self) -> str:
        return self.papers.bucket_name


@dataclass(kw_only=True, eq=False)
class Story:
    """`folder` holds everything but the rig's caches; `minutes` tells how long each chapter took."""

    folder: Path
    rig: Rig
    people: list[Person]
    minutes: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.evidence = self.folder / "evidence"
        self.evidence.mkdir()
        write_config(self.evidence)
        self.tahoe = client_program(print)
        for number, person in enumerate(self.people):
            customer = Customer(name=person.name.title(), email=person.address, keyinfo="")
            kind, when = (S4Papers, WHEN_S4) if person.s4 else (SignupPapers, WHEN)
            person.papers = kind(number, customer, when.replace(minute=15 + number))
            access_key_id, secret, *_ = person.papers.credentials
            self.rig.ask("customer", person.papers.bucket_name, access_key_id, secret, None)

    # --- before ----------------------------------------------------------------------------------

    def sign_up(self, person: Person) -> None:
        """A real server for the person, their papers as far as they survive, their client with files."""
        number = self.people.index(person)
        account = _new_account(person, number)
        settings_file = write_settings(self.rig, self.folder / f"signup{number}", [account])
        settings = read_settings(settings_file)
        vault = Vault(self.folder / f"signup{number}" / "vault", b"k" * 32)
        Path(self.folder / f"signup{number}" / "vault").mkdir()
        self.rig.enter()
        world = open_real(settings, threading.Event()).world
        known: dict[Step[Any], Values] = {}
        for step in SIGNUP_STEPS:
            for attempt in range(1, 120):
                work = Work(
                    account=account,
                    recovery_id="signup",
                    mode="run",
                    world=world,
                    settings=settings,
                    vault=vault,
                    outbox=Outbox(self.folder / f"signup{number}" / "outbox"),
                    attempt=attempt,
                    known=known,
                )
                effect = execute(step, work)
                if effect.kind != "not_listening":
                    break
            assert effect.ok, f"{person.name}: {effect.step.name}: {effect.kind}: {effect.message}"
            known[step] = effect.values
        person.papers.write(
            self.evidence,
            _read_back(known, vault.load(account.account_id)),
            secrets=person.secrets_survive,
            cut_before_keys=person.cut_before_keys,
        )
        person.client = TahoeClient(
            self.folder / f"client-{person.name}",
            tahoe=self.tahoe,
            enter=self._enter,
            weak=person.old_keys,
            webport=34560 + number,
        )
        person.client.create(vault.load(account.account_id)["furl"].reveal())

    def use_storage(self, person: Person) -> None:
        """Make a directory and put files into it, small and large; and one in MDMF."""
        person.client.start()
        person.directory = person.client.mkdir()
        for size in (200, 70_000, 1_500_000):
            self.add_file(person, person.directory, f"{size}.bin", size)
        if person.s4:
            self.add_file(person, person.directory, "6000000.bin", 6_000_000)
            self._add_of_whole_pieces(person)
        person.mdmf = person.client.mkdir("MDMF")
        self.add_file(person, person.mdmf, "mdmf.bin", 300)

    def _add_of_whole_pieces(self, person: Person) -> None:
        """A file whose container is exactly two pieces long; and those that were too long or too short."""
        self.settle(person)
        size, over, known = 2 * PIECE, 1, set[int]()
        while over != 0:
            known = self._lengths(person)
            self.add_file(person, person.directory, f"{size}.bin", size)
            self.settle(person)
            (length,) = self._lengths(person) - known
            over = length - 2 * PIECE
            size -= over

    def _lengths(self, person: Person) -> set[int]:
        """Of the files' shares as they will be."""
        return {len(old_share(share)) for share in self.shares(person) if not is_mutable(share)}

    def add_file(self, person: Person, directory: str, name: str, size: int) -> None:
        content = random.Random(f"{person.name} {name}").randbytes(size)
        path = self.folder / f"{person.name}-{name}"
        path.write_bytes(content)
        person.files[name] = (person.client.add(directory, name, path), content)

    def for_all(self, chapter: str, work: Any) -> None:
        """Do it for all people side by side; every failure is told."""
        began = time.monotonic()
        with ThreadPoolExecutor(len(self.people)) as pool:
            outcomes = [pool.submit(work, person) for person in self.people]
        self.minutes[chapter] = (time.monotonic() - began) / 60
        for outcome in outcomes:
            outcome.result()

    # --- disaster and recovery -------------------------------------------------------------------

    def destroy_all_hosts(self) -> None:
        """Every host is gone, root folder and all; the buckets stay."""
        for person in self.people:
            person.client.stop()
            self.settle(person)
        with self.rig.inside():
            cloud = ec2(self.rig)
            pages = cloud.get_paginator("describe_instances").paginate()
            alive = [
                i["InstanceId"]
                for page in pages
                for reservation in page["Reservations"]
                for i in reservation["Instances"]
                if i["State"]["Name"] in ("pending", "running")
            ]
            assert len(alive) == len(self.people)
            cloud.terminate_instances(InstanceIds=alive)
        assert not set(self.rig.ask("hosts")) & set(alive)

    def settle(self, person: Person) -> None:
        """Wait until the bucket stands still: a mounted bucket gets a share seconds after the client was told so."""
        before, still = self.objects(person), 0
        until = time.monotonic() + 60
        while still < 6 and time.monotonic() < until:
            time.sleep(1)
            now = self.objects(person)
            before, still = now, still + 1 if now == before else 0

    def reboot(self, person: Person) -> None:
        """Cut the power of the person's host; it comes up again by itself."""
        host = parse_furl(Secret(person.client.furl)).location.rpartition(":")[0].removeprefix("tcp:")
        with self.rig.inside():
            found = ec2(self.rig).describe_instances(Filters=[{"Name": "ip-address", "Values": [host]}])
        (instance,) = [i for r in found["Reservations"] for i in r["Instances"] if i["State"]["Name"] == "running"]
        self.rig.ask("reboot", instance["InstanceId"])

    def objects(self, person: Person) -> list[str]:
        """The shares in the person's bucket that a node serves, with their digests."""
        with self._bucket(person) as bucket:
            return [f"{told.key} {told.e_tag}" for told in bucket.objects.filter(Prefix=_served(bucket))]

    def untouched(self, person: Person) -> dict[str, tuple[int, str]]:
        """Name -> bytes and digest of the objects as the person's old servers left them."""
        with self._bucket(person) as bucket:
            return {told.key: (told.size, told.e_tag) for told in bucket.objects.filter(Prefix="shares/")}

    def age(self, person: Person) -> None:
        """While no server runs: every share in the person's bucket becomes what the S3 backend of 2014 would have
        left; in pieces, if that is how the person's lie, unless they were joined since.
        """
        with self._bucket(person) as bucket:
            place = _served(bucket)
            for told in list(bucket.objects.filter(Prefix=place)):
                share = old_share(told.get()["Body"].read())
                cut = pieces(share) if person.s4 and place == "shares/" else [share]
                for name, body in objects(told.key, cut).items():
                    bucket.put_object(Key=name, Body=body)

    def shares(self, person: Person) -> list[bytes]:
        """Every share in the person's bucket."""
        with self._bucket(person) as bucket:
            return [told.get()["Body"].read() for told in bucket.objects.filter(Prefix=_served(bucket))]

    @contextmanager
    def _bucket(self, person: Person) -> Iterator[Any]:
        access_key_id, secret, *_ = person.papers.credentials
        with self.rig.inside():
            store = boto3.resource(
                "s3",
                region_name="us-east-1",
                endpoint_url=self.rig.facts["endpoint"],
                aws_access_key_id=access_key_id,
                aws_secret_access_key=secret,
            )
            yield store.Bucket(person.papers.bucket_name)

    def evidence_of_the_second(self, left: Path) -> tuple[Path, Path]:
        """What the first recovery left of all but the S4 customer; of that one the old papers alone."""
        others, old = self.folder / "left-of-others", self.folder / "old-of-one"
        shutil.copytree(left, others)
        shutil.rmtree(others / "secrets" / PLAN_ID)
        shutil.copytree(self.evidence / "secrets" / PLAN_ID, old / "secrets" / PLAN_ID)
        return others, old

    def audit(self, name: str, *roots: Path) -> Path:
        """The manifest that `laeforensics audit` makes of these folders."""
        out = self.folder / name
        out.mkdir()
        manifest = out / "manifest.parquet"
        words = ["audit", *map(str, roots), "--output", str(manifest), "--case", str(out / "case"), *self._key]
        _run([str(BIN / "laeforensics"), *words])
        return manifest

    def recover(self, manifest: Path, accounts: list[Account], evidence_out: Path, *, kill: bool) -> dict[str, Any]:
        """The report of `laerecover run`; if `kill`, it is killed once, and the joining of shares in its midst, too."""
        began = time.monotonic()
        settings = write_settings(self.rig, manifest.parent / "settings", accounts)
        words = [str(manifest), *self._key]
        run = ["run", *words, "--settings", str(settings), "--yes", "--evidence-out", str(evidence_out)]
        if unplaced := [a.account_id for a in accounts if region_of(a.old_private_host) is None]:
            run += [word for account_id in unplaced for word in ("--accept", account_id)]
            run += ["--because", "we looked in every region"]  # the evidence does not tell where their servers ran
        if kill:
            process = subprocess.Popen(
                [*self._enter, str(BIN / "laerecover"), *run], env=_environment(), start_new_session=True
            )
            try:
                self._stop_joining(process)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                self._joining("KILL")
            self._is_half_joined()
        _run([*self._enter, str(BIN / "laerecover"), *run])
        self.minutes[f"recovery of {manifest.parent.name}"] = (time.monotonic() - began) / 60
        told = _run([*self._enter, str(BIN / "laerecover"), "report", *words, "--settings", str(settings), "--json"])
        return json.loads(told)

    def notify(self, manifest: Path) -> dict[str, str]:
        """Send what is held; recipient -> the text that the mail server got for it since."""
        before = len(self.rig.ask("mails"))
        settings = str(manifest.parent / "settings" / "laerecover.toml")
        _run(
            [
                *self._enter,
                str(BIN / "laerecover"),
                "notify",
                str(manifest),
                *self._key,
                "--settings",
                settings,
                "--yes",
            ]
        )
        mails = [
            email.message_from_string(text, policy=email.policy.default) for text in self.rig.ask("mails")[before:]
        ]
        return {mail["X-Envelope-To"]: mail.get_content() for mail in mails}

    def verify(self, manifest: Path) -> None:
        """`laerecover verify` finds nothing wrong."""
        settings = str(manifest.parent / "settings" / "laerecover.toml")
        _run([*self._enter, str(BIN / "laerecover"), "verify", str(manifest), *self._key, "--settings", settings])

    # --- what the customers see --------------------------------------------------------------------

    def read_everything(self, person: Person, mail: str) -> None:
        """The old client with its old caps, and the furl out of the mail, reads every file to the byte."""
        furl = re.search(r"pb://\S+", mail)
        assert furl is not None, mail
        person.client.use(furl[0])
        person.client.start()
        for name, (cap, content) in person.files.items():
            assert person.client.read(cap) == content, f"{person.name}: {name}"
        assert person.client.read(f"{person.directory}/200.bin") == person.files["200.bin"][1]

    def close(self) -> None:
        """End the clients."""
        for person in self.people:
            if hasattr(person, "client"):
                person.client.stop()

    @property
    def _enter(self) -> list[str]:
        """Into the rig's namespaces: what is started there sees the hosts, and ends with the keeper at the latest."""
        return ["nsenter", f"--target={self.rig.facts['pid']}", "--net", "--pid", "--mount"]

    @property
    def _key(self) -> list[str]:
        return ["--key-file", str(self.folder / "key" / "manifest.key")]

    def _joining(self, signal_name: str) -> bool:
        """Send the program that joins shares, on whichever host, a signal; whether there is one."""
        words = [*self._enter, "pkill", f"-{signal_name}", "-f", "[s]3_joining"]
        return subprocess.run(words, check=False).returncode == 0

    def _stop_joining(self, process: subprocess.Popen[bytes]) -> None:
        """It stands still, with a share joined already."""
        until = time.monotonic() + 480
        while not self._joining("STOP"):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < until, "no joining began within eight minutes"
            time.sleep(0.1)
        while not self._joined():
            self._joining("CONT")
            time.sleep(0.05)
            assert self._joining("STOP"), "joining ended before it could be killed"

    def _joined(self) -> list[str]:
        """What joining has put so far."""
        (person,) = (each for each in self.people if each.s4)
        with self._bucket(person) as bucket:
            return [told.key for told in bucket.objects.filter(Prefix=RECOVERED) if told.key != JOINING]

    def _is_half_joined(self) -> None:
        (person,) = (each for each in self.people if each.s4)
        shares = sum(re.search(r"[.][0-9]+$", name) is None for name in self.untouched(person))
        assert 0 < len(self._joined()) < shares
        assert COMPLETE not in self._joined()


def _served(bucket: Any) -> str:
    """Below which prefix a node serves the bucket."""
    return f"{RECOVERED}shares/" if list(bucket.objects.filter(Prefix=COMPLETE)) else "shares/"


def _new_account(person: Person, number: int) -> Account:
    """What a signup knows beforehand: no identity, or keys of 2012 if the person is to have such."""
    access_key_id, secret, user_token, product_token = person.papers.credentials
    old: dict[str, Any] = {}
    if person.old_keys:
        rng = random.Random(f"keys {number}")
        introducer, storage = (make_identity(rng, key, WHEN) for key in default_pool().pair(number))
        old = {
            "introducer_identity": "PROVED",
            "storage_identity": "PROVED",
            "introducer_node_pem": Secret(introducer.pem),
            "server_node_pem": Secret(storage.pem),
        }
    return Account(
        account_id=person.account_id,
        verdict="RECOVERABLE",
        bucket_name=person.papers.bucket_name,
        user_access_key_id=access_key_id,
        user_secret_key=Secret(secret),
        user_token=Secret(user_token) if user_token else None,
        product_token=Secret(product_token) if product_token else None,
        customer_email=person.address,
        customer_name=person.name,
        **old,
    )


def _read_back(known: Known, kept: dict[str, Secret]) -> RealServer:
    furl, addresses = parse_furl(kept["furl"]), known[WAIT]
    return RealServer(
        instance_id=known[DEPLOY]["instance_id"],
        public_host=addresses["public_host"],
        private_address=re.sub(r"\..*", "", addresses["private_host"]).removeprefix("ip-").replace("-", "."),
        introducer_pem=kept["introducer_node_pem"].reveal(),
        introducer_nodeid=tub_id_of(kept["introducer_node_pem"]),
        swissnum=furl.swissnum.reveal(),
        server_pem=kept["server_node_pem"].reveal(),
        server_nodeid=tub_id_of(kept["server_node_pem"]),
        node_privkey=kept["server_node_privkey"].reveal(),
    )


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "LC_ALL": "C.UTF-8"}


def _run(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, env=_environment(), timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
