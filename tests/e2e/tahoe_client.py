"""A customer's own Tahoe-LAFS client, kept over every disaster with its caps."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

WEAK_CONF = """openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = lowered
[lowered]
CipherString = DEFAULT@SECLEVEL=0
"""


class ClientError(Exception):
    """A tahoe command failed; the text is what it printed."""


class TahoeClient:
    """needed = happy = total = 1: one storage server is a whole grid.

    `enter` is put before every command (to reach the hosts' network); `weak` lowers OpenSSL's level, as a customer
    with a node key of 2012 must.
    """

    def __init__(self, folder: Path, *, tahoe: Path, enter: Sequence[str], weak: bool, webport: int) -> None:
        self.folder, self._tahoe, self._enter, self._port = folder, tahoe, list(enter), webport
        self._process: subprocess.Popen[bytes] | None = None
        # Nothing of this shell's settings may reach the client, a CA bundle least of all.
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LC_ALL": "C.UTF-8"}
        if weak:
            conf = folder.with_name(f"{folder.name}.openssl.cnf")
            conf.write_text(WEAK_CONF)
            self._environment["OPENSSL_CONF"] = str(conf)

    def create(self, furl: str) -> None:
        """Make the client's node folder."""
        shares = ["--shares-needed=1", "--shares-happy=1", "--shares-total=1"]
        self._do(
            "create-client",
            *shares,
            f"--introducer={furl}",
            f"--webport=tcp:{self._port}:interface=127.0.0.1",
            str(self.folder),
        )

    def use(self, furl: str) -> None:
        """What a customer does who was sent a furl: put it in place of the old one."""
        (self.folder / "private" / "introducers.yaml").write_text(f'introducers:\n  default:\n    furl: "{furl}"\n')
        (self.folder / "private" / "introducer_default_cache.yaml").unlink(missing_ok=True)

    @property
    def furl(self) -> str:
        """The introducer's furl that the client uses now."""
        text = (self.folder / "private" / "introducers.yaml").read_text()
        return next(word.strip("\"'") for word in text.split() if word.strip("\"'").startswith("pb://"))

    def start(self, *, within: float = 60.0) -> None:
        """Run the client until a storage server is connected."""
        log = self.folder.with_name(f"{self.folder.name}.log").open("ab")
        command = [*self._enter, str(self._tahoe), "run", "--allow-stdin-close", str(self.folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True
        )
        until = time.monotonic() + within
        while not self._connected():
            if time.monotonic() > until or self._process.poll() is not None:
                raise ClientError(f"{self.folder.name} is not connected to a storage server; see {log.name}")
            time.sleep(0.5)

    def stop(self) -> None:
        """End the client and whatever it started."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def mkdir(self, format: str = "SDMF") -> str:
        """A new directory's cap."""
        return self._do("-d", str(self.folder), "mkdir", f"--format={format}").strip()

    def add(self, directory: str, name: str, content: Path) -> str:
        """Upload a file into a directory; gives the file's cap."""
        return self._do("-d", str(self.folder), "put", str(content), f"{directory}/{name}").strip()

    def read(self, cap: str) -> bytes:
        """A file's bytes, by its own cap or as DIRECTORY/NAME."""
        target = self.folder.with_name(f"{self.folder.name}.got")
        target.unlink(missing_ok=True)
        self._do("-d", str(self.folder), "get", cap, str(target))
        return target.read_bytes()

    def names(self, directory: str) -> list[str]:
        """What the directory holds."""
        return self._do("-d", str(self.folder), "ls", directory).split()

    def _connected(self) -> bool:
        """Whether the client's own page names a connected storage server."""
        page = [*self._enter, "curl", "-sf", "--max-time", "5", f"http://127.0.0.1:{self._port}/?t=json"]
        answer = subprocess.run(page, capture_output=True, text=True, env=self._environment, check=False)
        servers = json.loads(answer.stdout or "{}").get("servers", [])
        # Over foolscap it is "Connected to …", over HTTPS "connected".
        return any(server["connection_status"].lower().startswith("connected") for server in servers)

    def _do(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._enter, str(self._tahoe), *arguments],
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise ClientError(f"tahoe {' '.join(arguments[:3])}: {done.stdout}{done.stderr}")
        return done.stdout


def forget(folder: Path) -> None:
    """Remove a client's folder."""
    shutil.rmtree(folder, ignore_errors=True)
