"""A storage node with a Tahoe-LAFS of its own, and its client in the same process: real shares in a plain folder."""

from __future__ import annotations

import configparser
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from laerecover.hosts.identity import NodeKeys, new_node_pem, tub_id_of
from laerecover.hosts.recipes.recipe import HOME, STORAGE, Site
from laerecover.hosts.recipes.tahoe import Tahoe
from laerecover.manifest import Account, Secret

_RUN = """\
import sys
sys.argv[1:1] = ["run", "--allow-stdin-close"]
from allmydata.storage.expirer import LeaseCheckingCrawler
# It would wait six minutes after its start, and half a day after each round.
LeaseCheckingCrawler.slow_start, LeaseCheckingCrawler.minimum_cycle_time = 0, 1
from allmydata.scripts.runner import run
run()
"""

_CALL = """\
import json, os, sys
from allmydata.util.base32 import a2b
from foolscap.api import Tub
from twisted.internet import defer, reactor

async def main(furl, index, calls):
    tub = Tub()
    tub.startService()
    server = await tub.getReference(furl).addTimeout(20, reactor)
    for name, *arguments in calls:
        if name == "add_lease":
            asked = server.callRemote(name, a2b(index), os.urandom(32), os.urandom(32))
        else:
            enabler, writes, length = arguments
            secrets = bytes.fromhex(enabler), os.urandom(32), os.urandom(32)
            vectors = {0: ([], [(offset, bytes.fromhex(data)) for offset, data in writes], length)}
            asked = server.callRemote("slot_testv_and_readv_and_writev", a2b(index), secrets, vectors, [])
        failed = await asked.addCallbacks(lambda _: None, str)
        if failed:
            sys.exit(failed)

def ended(outcome):
    print(outcome and outcome.value, file=sys.stderr, flush=True)
    os._exit(0 if outcome is None else 1)

defer.ensureDeferred(main(sys.argv[1], sys.argv[2].encode(), json.loads(sys.argv[3]))).addBoth(ended)
reactor.run()
"""


class Refused(Exception):
    """The client answered with an error; its text."""


@dataclass(kw_only=True, eq=False)
class LoneNode:
    """`folder` becomes a small host.

    `venv` in it is a copy of `program`'s, with every patch of the recipe if `patched`.
    """

    folder: Path
    program: Path
    patched: bool
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._port, self._web = _free_port(), _free_port()
        self.bucket, self.node = self.folder / "bucket", self.folder / "storageserver"
        shutil.copytree(self.program.parents[1], self.folder / "venv", symlinks=True, copy_function=_link)
        if self.patched:
            for command in Tahoe().patches():
                self.run(command.script)
        (self.node / "private").mkdir(parents=True)
        self.bucket.mkdir()
        (self.node / "tahoe-client.tac").touch()
        pem = new_node_pem()
        self.furl = f"pb://{tub_id_of(pem)}@tcp:127.0.0.1:{self._port}/inventedswissnuminventedswissnum"
        known = {"nickname": "lone", "anonymous-storage-FURL": self.furl}
        self._put("private/node.pem", pem.reveal())
        self._put("private/storage.furl", self.furl + "\n")
        self._put("private/servers.yaml", json.dumps({"storage": {"v0-lone": {"ann": known}}}))
        self._configure(pem)

    def _configure(self, pem: Secret) -> None:
        """The recipe's own tahoe.cfg, but for places; and the client's part."""
        site = Site(
            account=Account(account_id="lone", verdict="RECOVERABLE", bucket_name="lone"),
            public_host="127.0.0.1",
            private_host="127.0.0.1",
            keys=NodeKeys(
                introducer_node_pem=pem,
                introducer_furl=Secret(self.furl),
                server_node_pem=pem,
                server_node_privkey=Secret("priv-v0-invented"),
            ),
        )
        files = {file.path: file for service in Tahoe().services(site) for file in service.files}
        cfg = configparser.ConfigParser(interpolation=None)
        cfg.read_string(files[f"{STORAGE}/tahoe.cfg"].content.reveal())
        cfg["storage"]["storage_dir"] = cfg["storage"]["storage_dir"].replace(HOME, str(self.folder))
        places = {"tub.port": f"tcp:{self._port}:interface=127.0.0.1", "tub.location": f"tcp:127.0.0.1:{self._port}"}
        cfg["node"].update({**places, "web.port": f"tcp:{self._web}:interface=127.0.0.1"})
        cfg["client"] = {f"shares.{name}": "1" for name in ("needed", "happy", "total")}
        with (self.node / "tahoe.cfg").open("w") as file:
            cfg.write(file)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """What a recipe's script says here: the host's home is this folder."""
        here = script.replace(HOME, str(self.folder))
        return subprocess.run(["sh", "-eu"], input=here, capture_output=True, text=True, timeout=60, check=True)

    # --- the process -----------------------------------------------------------------------------

    def start(self, *, within: float = 60.0) -> None:
        """Run until the client is connected to its own storage."""
        command = [self.folder / "venv/bin/python", "-c", _RUN, self.node]
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        until = time.monotonic() + within
        while not self._connected():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.2)

    def _connected(self) -> bool:
        try:
            servers = json.loads(self.ask("GET", "/?t=json"))["servers"]
        except (OSError, http.client.HTTPException, Refused):
            return False
        return any(server["connection_status"].startswith("Connected") for server in servers)

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # --- what a client does ----------------------------------------------------------------------

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """An answer of the client's web port; Refused unless it is a success."""
        line = http.client.HTTPConnection("127.0.0.1", self._web, timeout=120)
        try:
            line.request(method, path, body=body)
            response = line.getresponse()
            answer = response.read()
        finally:
            line.close()
        if response.status not in (200, 201):
            raise Refused(answer.decode("utf-8", "replace"))
        return answer

    def add_leases(self, index: str, count: int) -> None:
        """So many leases as of different clients. Refused if the storage node says no."""
        self._call(index, *[["add_lease"]] * count)

    def write(self, index: str, writes: Sequence[tuple[int, bytes]], length: int | None) -> None:
        """What the protocol allows and no client does: write these pieces, then cut the data at `length`."""
        enabler = self.share(index).read_bytes()[52:84].hex()
        self._call(index, ["write", enabler, [(offset, data.hex()) for offset, data in writes], length])

    def _call(self, index: str, *calls: Sequence[Any]) -> None:
        arguments = [self.furl, index, json.dumps(calls)]
        command = [self.folder / "venv/bin/python", "-c", _CALL, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Refused(done.stderr)

    def index(self, cap: str) -> str:
        """The storage index of a mutable cap, as folders are called by it."""
        _, about = json.loads(self.ask("GET", f"{path(cap)}?t=json"))
        return about["verify_uri"].split(":")[2]

    def share(self, index: str) -> Path:
        """Where the share of that index lies."""
        return self.bucket / "shares" / index[:2] / index / "0"

    def leases(self, index: str) -> int:
        """How many leases the share has, as this node's own Tahoe-LAFS counts them."""
        count = "import sys; from allmydata.storage.shares import get_share_file as share; "
        count += "print(len(list(share(sys.argv[1]).get_leases())))"
        command = [self.folder / "venv/bin/python", "-c", count, self.share(index)]
        return int(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)

    def rounds(self) -> dict[int, Any]:
        """Number -> what the lease checker told of a round that it ended; of the last ten."""
        history = self.bucket / "lease_checker.history.json"
        while True:
            try:
                return {int(number): told for number, told in json.loads(history.read_bytes()).items()}
            except FileNotFoundError:
                return {}
            except ValueError:  # it is written in place
                time.sleep(0.01)

    def wait_for_round(self) -> dict[str, Any]:
        """What the lease checker tells of a round that it has begun from now on."""
        begins, until = max(self.rounds(), default=-1) + 2, time.monotonic() + 120
        while max(rounds := self.rounds(), default=-1) < begins:
            assert time.monotonic() < until, rounds.keys()
            time.sleep(0.2)
        return rounds[max(rounds)]

    def _put(self, name: str, text: str) -> None:
        (self.node / name).write_text(text)


def path(cap: str, name: str = "") -> str:
    """A cap's place at the web port; of a child if there is a name."""
    return f"/uri/{quote(cap, safe='')}" + (f"/{name}" if name else "")


def content(name: str, size: int) -> bytes:
    """Bytes that are the same for the same name."""
    return random.Random(name).randbytes(size)


def _link(source: str, target: str) -> None:
    """What is replaced, never written to, may be one file with another name."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
