"""Accounts and manifests for the tests of laerecover; every name and secret in them is invented."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import laerecover.evidence_out
import laerecover.hosts.vault
from calm_twin import NO_FAULTS
from laerecover.adapters.clock import SystemClock
from laerecover.cli._display import PlainWatcher
from laerecover.hosts.identity import new_node_pem, tub_id_of
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import Outbox
from laerecover.manifest import Account, Manifest, Secret, write_manifest
from laerecover.options import Options, make_options
from laerecover.ports.world import OpenWorld
from laerecover.recovery import run
from laerecover.rehearsal.twin.assemble import twin_world
from laerecover.rehearsal.twin.world import TwinFaults, TwinFile
from laerecover.runbook.runbook import execute, recover
from laerecover.runbook.values import Effect, Step
from laerecover.runbook.work import Work
from laerecover.settings import drill_settings
from laerecover.settings_reader import example
from recoveries.vintages import OneWorld

PACE = 0.003

MakeAccount = Callable[..., Account]
MakeManifest = Callable[..., Path]


@functools.cache
def node_pem(number: int) -> Secret:
    """A real certificate with its key, the same one for the same number within a test session."""
    return new_node_pem()


def build_account(number: int = 0, **changes: object) -> Account:
    """A recoverable account with both identities proved, unless `changes` say otherwise."""
    seed = hashlib.sha256(f"account {number}".encode()).hexdigest()[:32]
    introducer, storage = node_pem(2 * (number % 3)), node_pem(2 * (number % 3) + 1)
    values: dict[str, object] = {
        "account_id": f"lae-7a3c2f01-{seed}",
        "verdict": "RECOVERABLE",
        "grade": "IDENTITY_KEPT",
        "server": "UNKNOWN",
        "introducer_identity": "PROVED",
        "storage_identity": "PROVED",
        "log_file": f"signup_logs/2012-03-20T1015{number:02d}Z-{seed}",
        "product_code": "7A3C2F01",
        "bucket_name": f"lae-7a3c2f01-{seed}",
        "user_access_key_id": f"AKIA{seed[:16].upper()}",
        "user_secret_key": Secret(f"canary-secret-key-{seed}"),
        "user_token": Secret(f"{{UserToken}}canary-user-token-{seed}"),
        "product_token": Secret(f"{{ProductToken}}canary-product-token-{seed}"),
        "customer_email": f"customer{number}@example.org",
        "customer_email_confirmed": True,
        "customer_name": f"Customer {number}",
        "introducer_furl": Secret(f"pb://{tub_id_of(introducer)}@203.0.113.{number + 1}:12345/canaryswissnum{seed}"),
        "introducer_node_pem": introducer,
        "introducer_nodeid": tub_id_of(introducer),
        "server_node_pem": storage,
        "server_nodeid": tub_id_of(storage),
        "ami_image_id": "ami-11111111",
        "instance_size": "t1.micro",
        "old_instance_id": f"i-{number:08x}",
        "old_public_host": f"203.0.113.{number + 1}",
        "old_private_host": f"ip-10-0-0-{number + 1}.ec2.internal",
    }
    values.update(changes)
    if "account_id" in changes and "bucket_name" not in changes:
        values["bucket_name"] = changes["account_id"]
    return Account(**values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_account() -> MakeAccount:
    """Builds accounts; see build_account."""
    return build_account


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key file's place, away from the manifest."""
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "manifest.key"


@pytest.fixture
def make_manifest(tmp_path: Path, key_file: Path) -> Callable[..., Path]:
    """Writes a manifest of these accounts (or of that many ordinary ones); gives its path."""

    def make(*accounts: Account, count: int = 0) -> Path:
        folder = tmp_path / "case"
        folder.mkdir(exist_ok=True)
        chosen = accounts or tuple(build_account(n) for n in range(count))
        made: Manifest = write_manifest(
            folder / "manifest.parquet", chosen, evidence_digest="e" * 64, key_file=key_file
        )
        assert len(made.accounts) == len(chosen)
        return folder / "manifest.parquet"

    return make


class Bench:
    """One account at work in a twin world of its own, without any engine."""

    def __init__(
        self, folder: Path, account: Account, *, faults: TwinFaults = NO_FAULTS, mail: str = "hold", seed: int = 1
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = TwinFile(folder / "world.sqlite", seed=seed, pace=PACE, faults=faults)
        self.vault = Vault(folder / "secrets", b"k" * 32)
        self.outbox = Outbox(folder / "outbox.sqlite")
        self.stop = threading.Event()
        self.work = Work(
            account=account,
            recovery_id="r" * 64,
            mode="drill",
            world=twin_world(self.file, self.vault, SystemClock(self.stop, pace=PACE)),
            settings=drill_settings(folder),
            vault=self.vault,
            outbox=self.outbox,
            mail=mail,
        )
        self.effects: list[Effect] = []

    def perform(self, step: Step[Any], attempt: int, known: Mapping[str, Any], failure: str) -> Effect:
        """Carry out one step, as the runner does."""
        effect = execute(step, replace(self.work, attempt=attempt, known=dict(known), failure=failure))
        self.effects.append(effect)
        return effect

    def recover(self) -> dict[str, Any]:
        """The whole runbook; its outcome."""
        return recover(self.perform, listen_tries=self.work.settings.waits.listen_tries).body

    def values(self, step: str) -> dict[str, Any]:
        """What the step told when it went well."""
        return next(e.values for e in self.effects if e.step.name == step and e.ok)

    def rows(self, table: str) -> list[sqlite3.Row]:
        """A table of the twin's own file."""
        with self.file.change() as db:
            return db.execute(f"SELECT * FROM {table}").fetchall()

    def host_file(self, path: str) -> str:
        """A file on the account's host."""
        instance_id = self.values("deploy_ec2_instance")["instance_id"]
        row = next(r for r in self.rows("files") if r["path"] == path)
        return self.vault.open(f"{instance_id} {path}", row["sealed"]).reveal()


@pytest.fixture
def make_bench(tmp_path: Path) -> Callable[..., Bench]:
    """Puts an account on a bench; the same `name` is the same world again."""

    def make(account: Account | None = None, *, name: str = "bench", **options: Any) -> Bench:
        return Bench(tmp_path / name, account or build_account(), **options)

    return make


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


_ZYGOTE = """
import json, os, sys
import jinja2, laerecover.runbook.engine, laerecover.cli, laerecover.cli._show, laerecover.cli._conclusion
import laerecover.cli._display, laerecover.cli._live
import laerecover.afterwards.notify, laerecover.rehearsal.twin.assemble
import cryptography.hazmat.primitives.ciphers.aead, cryptography.hazmat.primitives.kdf.hkdf
for line in sys.stdin:
    wanted = json.loads(line)
    if "wait" in wanted:
        answer = os.waitstatus_to_exitcode(os.waitpid(wanted["wait"], 0)[1])
    elif (answer := os.fork()) == 0:
        os.environ.update(wanted["environment"])
        sys.argv = wanted["arguments"]
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(wanted["folder"] + "/" + name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        code = 70
        try:
            laerecover.cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
    print(answer, flush=True)
"""


class Started:
    """A command at work in a process of its own."""

    def __init__(self, commands: Commands, pid: int, folder: Path) -> None:
        self.pid, self._commands, self._folder = pid, commands, folder
        self.stderr = (folder / "stderr").open("rb")

    def read_lines(self, count: int) -> None:
        """Wait until it has told that many lines of progress, or ended."""
        for _ in range(count):
            self.stderr.readline()

    def wait(self, *, signal: int | None = None) -> Ended:
        """Its end; with `signal` that is sent first."""
        if signal is not None:
            os.kill(self.pid, signal)
        told = self.stderr.read()
        self.stderr.close()
        code = self._commands.ask({"wait": self.pid})
        return Ended(code, (self._folder / "stdout").read_text(), told.decode())


class Commands:
    """Runs `laerecover` in processes forked from one that has loaded it, which spares a start of Python for each."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, itertools.count()
        self._zygote = subprocess.Popen([sys.executable, "-c", _ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, wanted: Mapping[str, Any]) -> int:
        """One question to the process that forks; its answer."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._zygote.stdin.flush()
        return int(self._zygote.stdout.readline())

    def start(self, *arguments: object, **environment: str) -> Started:
        """Begin a command; progress can be read while it works."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        os.mkfifo(folder / "stderr")
        argv = ["laerecover", *map(str, arguments)]
        pid = self.ask({"arguments": argv, "environment": environment, "folder": str(folder)})
        return Started(self, pid, folder)

    def __call__(self, *arguments: object, **environment: str) -> Ended:
        """Carry out a command to its end."""
        return self.start(*arguments, **environment).wait()

    def close(self) -> None:
        """End the process that forks."""
        self._zygote.communicate()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """The command line, cheaply."""
    made = Commands(tmp_path_factory.mktemp("commands"))
    yield made
    made.close()


class Killed(BaseException):
    """The process ends here: nothing that comes after it in the code happens."""


class Virtual:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Life:
    """One account's recovery by processes that are killed: effects that were recorded are replayed, as DBOS does."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.ledger, self.met, self.step = bench, [], [], ""
        self.work = replace(bench.work, world=replace(bench.work.world, clock=Virtual()), mail="send")

    def reach(self, point: str) -> None:
        self.met.append((self.step, point))
        if len(self.met) == self.crash_at:
            raise Killed

    def live(self, crash_at: int | None = None, *, number: int = 1) -> dict[str, Any] | None:
        """A process's life: the outcome, or None if it was killed at the `crash_at`-th point that it met."""
        self.crash_at, self.met, calls = crash_at, [], 0

        def perform(step: Step[Any], attempt: int, known: Any, failure: str) -> Any:
            nonlocal calls
            calls += 1
            if len(self.ledger) < calls:
                self.step = step.name
                told = {"round": number, "attempt": attempt, "known": dict(known), "failure": failure}
                work = replace(self.work, **told, point=self.reach)
                self.ledger.append(execute(step, work))
            return self.ledger[calls - 1]

        self.bench.outbox.doubt_interrupted(self.work.world.clock.now())
        try:
            return recover(perform, listen_tries=self.work.settings.waits.listen_tries)
        except Killed:
            return None

    def world(self) -> dict[str, Any]:
        """What is there at the end, of cloud, host, mail server, register, monitoring, evidence."""
        rows = {name: self.bench.rows(name) for name in ("instances", "files", "services", "serverinfo", "monitored")}
        evidence = self.work.settings.evidence_out
        return {
            "instances": [(r["instance_id"], r["state"], r["boots"], r["host_key"]) for r in rows["instances"]],
            "files": sorted((r["path"], r["owner"], r["mode"]) for r in rows["files"]),
            "nodes": sorted((r["name"], r["tub_id"]) for r in rows["services"]),
            "rows": [r["instance_id"] for r in rows["serverinfo"]],
            "monitored": [r["public_host"] for r in rows["monitored"]],
            "mails": sorted(Counter(r["message_id"] for r in self.bench.rows("mailbox")).values()),
            "evidence": sorted(
                (p.relative_to(evidence).with_name(p.name[-32:]), p.read_text().count("\n"))
                for p in evidence.rglob("*")
                if p.is_file() and not p.name.startswith(".")
            ),
        }


@pytest.fixture
def make_life(make_bench, monkeypatch):
    """Lives one after the other; every file that one writes on this machine has a point before and after it."""
    now: list[Life] = []

    def watched(write: Any) -> Any:
        def wrapped(path: Path, content: bytes) -> None:
            now[0].reach("before-file")
            write(path, content)
            now[0].reach("after-file")

        return wrapped

    for module in (laerecover.hosts.vault, laerecover.evidence_out):
        monkeypatch.setattr(module, "write_atomically", watched(module.write_atomically))

    def make(account: Any, name: str, **world: Any) -> Life:
        now[:] = [Life(make_bench(account, name=name, **world))]
        return now[0]

    return make


@pytest.fixture
def operator(make_manifest, key_file, tmp_path, monkeypatch):
    """Somebody who runs, over a world that this test can look into."""
    (tmp_path / "operator.pem").touch()
    keys = dict.fromkeys(("admin_privkey_path", "monitor_privkey_path"), tmp_path / "operator.pem")
    monkeypatch.setattr(Options, "read_settings", lambda self: drill_settings(tmp_path).changed(config=keys))

    monkeypatch.setattr(Options, "settings_to_plan", lambda self, folder: (self.settings_for("run", folder), ()))

    class Operator:
        def __init__(self, *accounts):
            self.manifest = make_manifest(*accounts)
            self.stop = threading.Event()
            self.file = TwinFile(tmp_path / "elsewhere.sqlite", seed=1, pace=0.002, faults=NO_FAULTS)
            self.world = OpenWorld(
                world=twin_world(self.file, Vault(tmp_path / "x", b"k" * 32), SystemClock(self.stop, pace=0.002)),
                point=lambda step, point: None,
            )

        @property
        def worlds(self):
            return OneWorld(self.world)

        def options(self, **more):
            return make_options(manifest=self.manifest, key_file=key_file, **more)

        @property
        def folder(self):
            return self.options().places.folder("run")

        def run(self, *, confirmed=True, asked=True, **more):
            with (tmp_path / "lines").open("a") as lines:
                return run(
                    self.options(**more),
                    watch=lambda planned: PlainWatcher(lines, planned.recover),
                    stop=self.stop,
                    confirm=lambda planned: confirmed,
                    worlds=self.worlds,
                    asked=asked,
                )[1]

        def rows(self, table):
            with self.file.change() as db:
                return db.execute(f"SELECT * FROM {table}").fetchall()

    return Operator


@pytest.fixture
def settings_file(tmp_path):
    """Writes the operator's files, with this text as settings and these values in the config; gives its path."""
    config = {
        "ec2_access_key_id": "AKIAEXAMPLE",
        "keypair_name": "old-name-of-the-key-pair",
        "key_filename": "admin.pem",
        "monitor_pubkey_path": "monitor.pub",
        "monitor_privkey_path": "monitor.pem",
        "zenoss_IP": "192.0.2.10",
        "zenoss_privkey_path": "zenoss.pem",
        "products": [{"product_code": "7a3c2f01", "ami_image_id": "ami-old", "instance_size": "t1.micro"}],
    }

    def make(text=None, **changed):
        (tmp_path / "lae_automation_config.json").write_text(json.dumps({**config, **changed}, indent=1))
        (tmp_path / "ec2secret").write_text("canary-ec2-secret\n")
        (tmp_path / "monitor.pub").write_text("ssh-ed25519 AAAA monitor\n")
        for key in ("admin.pem", "monitor.pem", "zenoss.pem"):
            (tmp_path / key).touch()
        path = tmp_path / "laerecover.toml"
        path.write_text(text if text is not None else example())
        return path

    return make
