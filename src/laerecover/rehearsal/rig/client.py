"""A rig as others see it: started, entered, asked, ended."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.rehearsal.rig import cache
from laerecover.rehearsal.rig.control_groups import remove_left
from laerecover.rehearsal.rig.faults import read_faults
from laerecover.rehearsal.rig.tools import need_tools

_NEW_NET = 0x40000000
_START_SECONDS = 90.0
_DAEMON = "laerecover.rehearsal.rig.daemon"
_DAEMONS = frozenset({_DAEMON.encode(), b"laerecover.rig.keeper"})
"""The process of a rig, as it is called, as it was before: a drill that an older version began goes on in its rig."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """`facts` is FOLDER/rig.json."""

    folder: Path
    facts: dict[str, Any]

    @property
    def alive(self) -> bool:
        """Whether its daemon runs: the process of that id is the daemon of this very folder."""
        try:
            words = Path(f"/proc/{self.facts['pid']}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return not _DAEMONS.isdisjoint(words) and os.fsencode(self.folder) in words

    def key(self, user: str) -> Path:
        """The private key that logs in as `user`: ubuntu, monitor, zenoss."""
        return self.folder / str(self.facts["keys"][user])

    def enter(self) -> None:
        """From now on this thread, and the threads that it starts, open their connections in the rig's network."""
        self._enter(f"/proc/{self.facts['pid']}/ns/net")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """As `enter`, until the end of the block."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            self.enter()
            try:
                yield
            finally:
                _set_network(before.fileno())

    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a function of the daemon's control port (see `laerecover.rehearsal.rig.daemon`)."""
        with self.inside(), xmlrpc.client.ServerProxy(self.facts["control"], allow_none=True) as daemon:
            try:
                return getattr(daemon, name)(*arguments)
            except xmlrpc.client.Fault as fault:
                raise LaeRecoverError(
                    fault.faultString, where=name, next_step=f"see {self.folder}/daemon.log"
                ) from None

    def boot(self, instance_id: str, public_host: str, **of_the_host: Any) -> None:
        """A host without any cloud around it: `of_the_host` as `NewHost` says."""
        wanted = {"instance_id": instance_id, "public_host": public_host, "private_host": f"ip-{instance_id}"}
        self.ask("boot", {**wanted, **of_the_host})

    def _enter(self, path: str) -> None:
        try:
            with Path(path).open("rb") as namespace:
                _set_network(namespace.fileno())
        except OSError:
            raise LaeRecoverError(
                "the rig does not run", where=str(self.folder), next_step=f"python -m laerecover.rig up {self.folder}"
            ) from None

    def down(self) -> None:
        """End the daemon with all that it holds, and delete the folder; of a killed one, what it could not remove."""
        pid, killed = int(self.facts["pid"]), not self.alive
        for number, seconds in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 20.0)):
            until = time.monotonic() + seconds
            if self.alive:
                os.kill(pid, number)
            while self.alive and time.monotonic() < until:
                time.sleep(0.05)
        if killed:
            remove_left()
        shutil.rmtree(self.folder)


def find(folder: Path) -> Rig | None:
    """The rig of that folder, alive or not; None if there is none."""
    folder = folder.resolve()
    try:
        return Rig(folder=folder, facts=json.loads((folder / "rig.json").read_text("utf-8")))
    except (OSError, ValueError):
        return None


def up(
    folder: Path, *, say: Callable[[str], None], faults: str = "", image: str = "", with_parent: bool = False
) -> Rig:
    """The folder's rig, started if it does not run.

    `faults`: as `laerecover.rehearsal.rig.faults.read_faults` takes them; `image`: of hosts for which these say no
    other (see `images.image_of`); `with_parent`: it dies with the calling process, however that ends.

    Raises LaeRecoverError where a tool or root is missing, or if the daemon does not come up.
    """
    found = find(folder)
    if found is not None and found.alive:
        return found
    need_tools(image)
    remove_left()
    place = cache.prepare(say, images={image, *read_faults(faults).images})
    if found is not None:
        shutil.rmtree(found.folder)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = ["setpriv", "--pdeathsig", "KILL"] if with_parent else []
    command += ["unshare", "--pid", "--mount", "--net", "--uts", "--ipc", "--fork", "--kill-child", sys.executable]
    command += ["-m", _DAEMON, str(folder), str(place), faults, image]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/root", "LANG": "C.UTF-8"}
    with (folder / "daemon.log").open("ab") as log:
        daemon = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and daemon.poll() is None:
        found = find(folder)
        if found is not None:
            return found
        time.sleep(0.05)
    daemon.kill()
    daemon.wait()
    last = (folder / "daemon.log").read_text("utf-8", "replace").strip().splitlines()[-1:]
    raise LaeRecoverError(
        f"the rig did not start: {' '.join(last)}", where=f"{folder}/daemon.log", next_step="mend it and run again"
    )


def _set_network(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
