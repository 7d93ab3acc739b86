"""Proof by a canary: a file that a real client stored before the disaster comes back to its old caps."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from email import message_from_string, policy
from pathlib import Path
from urllib.parse import quote

from laerecover.errors import LaeRecoverError
from laerecover.hosts.identity import new_node_pem, restored_storage, tub_id_of, weak_key
from laerecover.hosts.recipes.tahoe_files import LOWERED
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import FAILURE, Outbox
from laerecover.manifest import Account, Secret
from laerecover.rehearsal.rig.buckets import copy_shares
from laerecover.rehearsal.rig.cache import client_program
from laerecover.rehearsal.rig.client import Rig
from laerecover.state.state import State
from laerecover.text import clean, clean_end, reason_of
from laerecover.writing import write_atomically

_SIZE, _LARGE = 8000, 1_200_000
"""Bytes of a canary; of one whose share lies in pieces."""
_CONNECT_SECONDS, _ANSWER_SECONDS, _END_SECONDS = 90.0, 60.0, 10.0
_AT_A_TIME = 2
_REFUSED = "BadWriteEnablerError"
"""So says a storage node that is not the one whom a directory's write enabler was made for."""
_PLACE = "run/canaries"


class _NotProved(Exception):
    """Why the customer would be disappointed."""


class _Node:
    """A node of Tahoe-LAFS, spoken to as the command `tahoe` does it: over its web port. `folder` is its own."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self._port, self._process = folder, port, process

    def answer(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body. Raises OSError, HTTPException."""
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)
        try:
            line.request(method, path, body=body)
            response = line.getresponse()
            return response.status, response.read()
        finally:
            line.close()

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """As `answer`, but raises _NotProved for all but success."""
        status, answer = self.answer(method, path, body)
        if status not in (200, 201):
            raise _NotProved(f"the client answers {_masked(status, answer)}")
        return answer

    def wait_for_storage(self) -> None:
        """Until it is connected to a storage node. Raises _NotProved."""
        until = time.monotonic() + _CONNECT_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                servers = json.loads(self.ask("GET", "/?t=json"))["servers"]
                if any(server["connection_status"].startswith("Connected") for server in servers):
                    return
            time.sleep(0.2)
        said = (self.folder / "log").read_bytes()
        raise _NotProved(f"the client is connected to no storage node: {_masked('its log ends', said)}")


def store(rig: Rig, accounts: Sequence[Account], vault: Vault, stop: threading.Event) -> None:
    """A directory with a file in it lies in each account's bucket, stored by its old storage node; the caps are in the
    vault.

    That node has the account's own key; where no evidence holds it, one that nobody will have again.
    Raises LaeRecoverError where it cannot be done, KeyboardInterrupt if somebody asks to stop.
    """

    def one(account: Account) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        if vault.load(_name(account)):
            return
        try:
            with rig.inside(), _old_node(rig, account) as node:
                node.wait_for_storage()
                directory = Secret(node.ask("POST", "/uri?t=mkdir").decode("ascii"))
                file = Secret(node.ask("PUT", _path(directory, "canary"), _canary(account, vault)).decode("ascii"))
                copy_shares(node.folder / "storage" / "shares", account, str(rig.facts["endpoint"]))
        except (_NotProved, OSError, http.client.HTTPException) as error:
            raise LaeRecoverError(
                f"no canary could be stored: {clean(error)}",
                where=account.account_id,
                next_step="run the same command again",
            ) from None
        vault.save(_name(account), {"directory": directory, "file": file})

    client_program(_say)
    with ThreadPoolExecutor(_AT_A_TIME) as several:
        list(several.map(one, accounts))


def prove(state: State, rig: Rig, accounts: Sequence[Account], vault: Vault, stop: threading.Event) -> None:
    """A client with the old caps and what the mail says tries each canary; what came of it goes to `state.proofs`."""

    def one(account: Account) -> Mapping[str, object] | None:
        if stop.is_set():
            return None
        began, ok = time.monotonic(), False
        try:
            furl = _furl_in_mail(state, rig, account, vault)
            with (
                rig.inside(),
                _node(rig, account, {"introducers.yaml": {"introducers": {"mail": {"furl": furl}}}}) as node,
            ):
                node.wait_for_storage()
                ok, said = True, _try(node, account, vault)
        except (_NotProved, LaeRecoverError, OSError, http.client.HTTPException) as error:
            said = str(error) or reason_of(error)
        return {"ok": ok, "said": clean(said), "seconds": round(time.monotonic() - began, 3)}

    with ThreadPoolExecutor(_AT_A_TIME) as several:
        for account, outcome in zip(accounts, several.map(one, accounts), strict=True):
            if outcome is not None:
                told = {**state.proved, account.account_id: outcome}
                write_atomically(state.proofs, json.dumps(told, indent=1).encode())


def _try(node: _Node, account: Account, vault: Vault) -> str:
    """What was proved. Raises _NotProved."""
    kept, content = vault.load(_name(account)), _canary(account, vault)
    for path in (_path(kept["file"]), _path(kept["directory"], "canary")):
        if node.ask("GET", path) != content:
            raise _NotProved("the file that came back is not the one that was stored")
    another, place = content[::-1], _path(kept["directory"], "another")
    promised = account.grade != "NEW_STORAGE_IDENTITY"
    status, answer = node.answer("PUT", place, another)
    if status in (200, 201) and node.ask("GET", place) == another:
        if promised:
            return "the file came back to the byte; its directory took another one"
        raise _NotProved("the old directory can be changed, though the grade says that it can't")
    if promised:
        raise _NotProved(f"the file came back, but the old directory can't be changed: {_masked(status, answer)}")
    if _REFUSED.encode() not in answer:
        raise _NotProved(f"the old directory fails otherwise than the grade says: {_masked(status, answer)}")
    return "the file came back to the byte; its directory is read-only, as the grade says"


def _furl_in_mail(state: State, rig: Rig, account: Account, vault: Vault) -> str:
    """As the customer was sent it; where the mail has none, as it is on the server, where the staff read it."""
    letters = {mail.message_id for mail in Outbox(state.outbox).of(account.account_id) if mail.kind != FAILURE}
    for mail in (message_from_string(text, policy=policy.default) for text in rig.ask("mails")):
        if mail["Message-ID"] in letters:
            found = re.search(r"pb://\S+", str(mail.get_content()))
            return found[0] if found else vault.load(account.account_id)["furl"].reveal()
    raise _NotProved("the mail about this account did not reach the mail server")


def _old_node(rig: Rig, account: Account) -> AbstractContextManager[_Node]:
    """The storage node of before the disaster: a client, too, that knows no storage node but itself."""
    key, port = restored_storage(account)[0] or new_node_pem(), _free_port()
    place = f"tcp:127.0.0.1:{port}"
    furl = f"pb://{tub_id_of(key)}@{place}/{os.urandom(16).hex()}"
    private = {
        "node.pem": key.reveal(),
        "storage.furl": furl,
        "servers.yaml": {"storage": {"v0-old": {"ann": {"nickname": "old", "anonymous-storage-FURL": furl}}}},
    }
    return _node(
        rig,
        account,
        private,
        node=f"tub.port = tcp:{port}:interface=127.0.0.1\ntub.location = {place}\n",
        more="[storage]\nenabled = true\nanonymous = true\nforce_foolscap = true\n",
    )


@contextmanager
def _node(
    rig: Rig, account: Account, private: Mapping[str, object], *, node: str = "", more: str = ""
) -> Iterator[_Node]:
    """A running node with these files in `private`: text as it is, else JSON. Call it inside the rig's network.

    Its folder is in the memory of the rig's daemon. It ends when this process does, by whatever cause: its stdin is a
    pipe.
    """
    outside = Path(f"/proc/{rig.facts['pid']}/root")
    (outside / _PLACE).mkdir(mode=0o700, exist_ok=True)
    folder, port = Path(tempfile.mkdtemp(dir=outside / _PLACE)), _free_port()
    (folder / "private").mkdir(mode=0o700)
    for name, content in private.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "private" / name).write_text(text.rstrip("\n") + "\n")
    (folder / "tahoe-client.tac").touch()
    (folder / "tahoe.cfg").write_text(
        f"[node]\nweb.port = tcp:{port}:interface=127.0.0.1\n{node}"
        f"[client]\nshares.needed = 1\nshares.happy = 1\nshares.total = 1\n{more}"
    )
    (folder / "openssl.cnf").write_text(LOWERED if weak_key(account) else "")
    inside = Path("/") / folder.relative_to(outside)
    # Nothing of this shell's settings may reach the node, a CA bundle least of all.
    environment = {
        "PATH": os.defpath,
        "HOME": str(inside),
        "LC_ALL": "C.UTF-8",
        "OPENSSL_CONF": f"{inside}/openssl.cnf",
    }
    command = ["nsenter", f"--target={rig.facts['pid']}", "--net", "--pid", "--mount", str(client_program(_say))]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "run", str(inside)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        yield _Node(folder, port, process)
    finally:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_END_SECONDS)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _canary(account: Account, vault: Vault) -> bytes:
    """The same bytes every time, which nobody else can make.

    Of about half the accounts so many that their share is cut.
    """
    some = vault.derive(f"canary {account.account_id}", _SIZE)
    cut = hashlib.sha256(account.account_id.encode()).digest()[0] % 2 == 0
    return some * (_LARGE // _SIZE) if cut else some


def _name(account: Account) -> str:
    """The canary's caps in the vault lie apart from what the recovery keeps there."""
    return f"canary {account.account_id}"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _path(cap: Secret, name: str = "") -> str:
    return f"/uri/{quote(cap.reveal(), safe='')}" + (f"/{name}" if name else "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _masked(what: object, said: bytes) -> str:
    """What Tahoe-LAFS said, at its end, without any cap or furl."""
    text = re.sub(r"(URI:|pb://)[^\s'\"]+", r"\1…", said.decode("utf-8", "replace"))
    return f"{what}: {clean_end(text, limit=200)}"
