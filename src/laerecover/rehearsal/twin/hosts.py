"""The twin's hosts: files, users, services and a boot id, probed as those of a real host are."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Callable, Sequence

from laerecover.hosts.host_keys import HOST_KEY_FILE, foreign_key, public_of
from laerecover.hosts.identity import announced_key
from laerecover.hosts.recipes.debian import CLOUD_INIT, SERVICES
from laerecover.hosts.recipes.recipe import HOME, INTRODUCER, STORAGE
from laerecover.hosts.vault import Vault
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command, CommandResult, FileFact, unwatched
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.rehearsal.twin.nodes import start_node
from laerecover.rehearsal.twin.world import TwinFile, lose

_SSH = 22
_AT_WORK = 0.4
_SECONDS = {"packages": 60.0, "tahoe-lafs": 60.0}
_NEEDS = {
    "tahoe-lafs": ("packages", "user-customer"),
    "create-introducer": ("tahoe-lafs",),
    "create-node": ("tahoe-lafs",),
    "old-shares": ("tahoe-lafs",),
}
_USERS = {"customer": "user-customer", "monitor": "user-monitor"}
_FOLDERS = {f"{INTRODUCER}/": "create-introducer", f"{STORAGE}/": "create-node"}


class TwinHosts:
    """HostConnector over the twin's file."""

    def __init__(self, file: TwinFile, vault: Vault) -> None:
        self._file, self._vault = file, vault

    def connect(self, public_host: str, *, user: str, host_key: str) -> TwinHost:
        """Refused a few times after each boot; never for another host key than the pinned one."""
        self._file.spend(2)
        let_in = self._file.reachable(_SSH)
        with self._file.change() as db:
            row = db.execute("SELECT * FROM instances WHERE public_host = ?", (public_host,)).fetchone()
            if not let_in or row is None or row["state"] != "running" or row["refusals"] > 0:
                db.execute("UPDATE instances SET refusals = max(0, refusals - 1) WHERE public_host = ?", (public_host,))
                refused = True
            else:
                refused = False
        if refused:
            raise NotListening(f"{public_host} refuses connections")
        if row["host_key"] != host_key:
            raise foreign_key(public_host, pinned=host_key, answered=row["host_key"])
        host = TwinHost(self._file, self._vault, row["instance_id"], row["boots"])
        if user in _USERS and not host.done(_USERS[user]):
            raise Refusal(f"{user} is not let in", kind="authentication")
        return host


class TwinHost:
    """One connection; it breaks when the host reboots."""

    def __init__(self, file: TwinFile, vault: Vault, instance_id: str, boots: int) -> None:
        self._file, self._vault, self._id, self._boots = file, vault, instance_id, boots

    def boot_id(self) -> str:
        self._check()
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._file.seed} {self._id} {self._boots}"))

    def stat(self, paths: Sequence[str]) -> dict[str, FileFact]:
        self._check()
        with self._file.change() as db:
            rows = [row for path in paths if (row := _file(db, self._id, path)) is not None]
        return {r["path"]: FileFact(sha256=r["sha256"], owner=r["owner"], mode=r["mode"]) for r in rows}

    def read(self, path: str) -> Secret:
        self._check()
        with self._file.change() as db:
            row = _file(db, self._id, path)
        if row is None:
            raise Refusal(f"no file {path}", kind="no_file")
        return self._vault.open(f"{self._id} {path}", row["sealed"])

    def write(self, path: str, content: Secret, *, owner: str, mode: int) -> None:
        self._check()
        self._file.spend(1)
        for folder, command in _FOLDERS.items():
            if path.startswith(folder) and not self.done(command):
                raise Refusal(f"no folder for {path}", kind="no_file")
        with self._file.change() as db:
            self._put(db, path, content, owner, mode)
            lost = self._file.mishap(db, f"write {self._id}")
        lose(lost)

    def run(self, commands: Sequence[Command], heard: Callable[[int, str], None] = unwatched) -> list[CommandResult]:
        results: list[CommandResult] = []
        for command in commands:
            self._check()
            heard(len(results), "")
            results.append(self._one(command))
            if results[-1].status != 0:
                break
        return results

    def _one(self, command: Command) -> CommandResult:
        with self._file.change() as db:
            held = _file(db, self._id, command.marker)
        if held is not None and held["sha256"] == hashlib.sha256(command.digest.encode()).hexdigest():
            return CommandResult(name=command.name, status=0, skipped=True)
        missing = [need for need in _NEEDS.get(command.name, ()) if not self.done(need)]
        if missing or (command.user in _USERS and not self.done(_USERS[command.user])):
            return CommandResult(name=command.name, status=1, tail=f"{', '.join(missing) or command.user} is missing")
        self._file.spend(_SECONDS.get(command.name, 5.0))
        with self._file.change() as db:
            self._put(db, command.marker, Secret(command.digest), "root", 0o644)
            lost = self._file.mishap(db, f"run {self._id}")
        lose(lost)
        return CommandResult(name=command.name, status=0)

    def done(self, command: str) -> bool:
        """Whether the command of that name left its marker."""
        with self._file.change() as db:
            return _file(db, self._id, Command(name=command, script="").marker) is not None

    def output(self, command: Command) -> str:
        """The twin understands a recipe's `announced`, for its introducer knows the storage node that was started here;
        `patched` and `patches`, of which a marker alone tells that a host is patched; `services`; and `cloud-init`,
        which is at work for a while.
        """
        self._check()
        if command.name == CLOUD_INIT.name:
            with self._file.change() as db:
                return "at work\n" if self._file.roll(db, f"cloud-init {self._id}") < _AT_WORK else "ended\n"
        if command.name == "patched":
            return "patched\n" if self.done("old-shares") else "stock\n"
        if command.name.startswith("old-shares"):
            self._one(command)
            return ""
        with self._file.change() as db:
            nodes = dict(db.execute("SELECT name, tub_id FROM services WHERE instance_id = ?", (self._id,)).fetchall())
        if command.name == SERVICES.name:
            return "".join(f"{name} ok it has run for 60 s\n" for name in nodes)
        if command.name != "announced" or "introducer" not in nodes:
            raise Refusal(f"{command.name}: exit status 1: nobody answers", kind="command_failed")
        if "storageserver" not in nodes:
            return "\n"
        privkey = f"{STORAGE}/private/node.privkey"
        signs = announced_key(self.read(privkey)) if self.stat([privkey]) else ""
        return f"{nodes['storageserver']} {signs}\n"

    def running(self, service: str) -> bool:
        self._check()
        with self._file.change() as db:
            found = db.execute("SELECT 1 FROM services WHERE instance_id = ? AND name = ?", (self._id, service))
            return found.fetchone() is not None

    def start(self, service: str) -> None:
        self._check()
        if self.running(service):
            return
        self._file.spend(5)
        folder = {"introducer": INTRODUCER, "storageserver": STORAGE, "bucket": HOME}[service]
        held = {path: self.read(path) for path in self._paths(folder)}
        tub_id, made = start_node(service, folder, held)
        with self._file.change() as db:
            for path, secret in made.items():
                self._put(db, path, secret, "customer", 0o600)
            db.execute("INSERT INTO services VALUES (?, ?, ?)", (self._id, service, tub_id))
            self._file.note(db, f"start {service}", self._id)
            lost = self._file.mishap(db, f"start {self._id}")
        lose(lost)

    def reload_sshd(self) -> None:
        self._check()
        with self._file.change() as db:
            self._answer_with_written_key(db)

    def reboot(self) -> None:
        self._check()
        self._file.spend(20)
        with self._file.change() as db:
            refusals = 1 + int(self._file.roll(db, f"reboot {self._id}") * 2)
            db.execute(
                "UPDATE instances SET boots = boots + 1, refusals = ? WHERE instance_id = ?", (refusals, self._id)
            )
            self._answer_with_written_key(db)
            self._file.note(db, "reboot", self._id)

    def _answer_with_written_key(self, db: sqlite3.Connection) -> None:
        """From now on the host answers with the key in HOST_KEY_FILE, if one was written."""
        row = _file(db, self._id, HOST_KEY_FILE)
        if row is not None:
            public = public_of(self._vault.open(f"{self._id} {HOST_KEY_FILE}", row["sealed"]))
            db.execute("UPDATE instances SET host_key = ? WHERE instance_id = ?", (public, self._id))

    def close(self) -> None:
        """Nothing stays open."""

    def _check(self) -> None:
        with self._file.change() as db:
            row = db.execute("SELECT state, boots FROM instances WHERE instance_id = ?", (self._id,)).fetchone()
        if row["state"] != "running" or row["boots"] != self._boots:
            raise Transient("connection lost")

    def _paths(self, folder: str) -> list[str]:
        with self._file.change() as db:
            rows = db.execute("SELECT path FROM files WHERE instance_id = ?", (self._id,)).fetchall()
        return [row["path"] for row in rows if row["path"].startswith(f"{folder}/")]

    def _put(self, db: sqlite3.Connection, path: str, content: Secret, owner: str, mode: int) -> None:
        digest = hashlib.sha256(content.reveal().encode("utf-8", "surrogatepass")).hexdigest()
        values = (self._id, path, self._vault.seal(f"{self._id} {path}", content), digest, owner, mode)
        db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", values)
        self._file.note(db, f"file {path}", self._id)


def _file(db: sqlite3.Connection, instance_id: str, path: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM files WHERE instance_id = ? AND path = ?", (instance_id, path)
    ).fetchone()
    return row
