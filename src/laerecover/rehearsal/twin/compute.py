"""The twin's EC2: slow to start, late to know, true to client tokens."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence

from laerecover.ports.compute import Instance, Lack, LaunchRequest, folded
from laerecover.ports.ingress import Ingress
from laerecover.ports.refusals import NotFound, Refusal
from laerecover.rehearsal.twin.world import TwinFile, lose

_NETS = ("203.0.113", "198.51.100", "192.0.2")
_PER_NET = 200


class TwinCompute:
    """Compute over the twin's file."""

    def __init__(self, file: TwinFile) -> None:
        self._file = file

    def launch(self, request: LaunchRequest) -> Instance:
        """As EC2: the same token gives the same instance, or IdempotentParameterMismatch if anything else differs."""
        file, token = self._file, request.client_token
        file.throttle(f"launch {token}")
        file.spend(3)
        digest = _digest(request)
        with file.change() as db:
            row = db.execute("SELECT * FROM instances WHERE client_token = ?", (token,)).fetchone()
            if row is None:
                row = self._create(db, request, digest)
            elif row["request_digest"] != digest:
                raise Refusal("IdempotentParameterMismatch", kind="idempotent_mismatch")
            elif row["state"] == "terminated":
                raise Refusal("IdempotentInstanceTerminated", kind="token_spent")
            lost = file.mishap(db, f"launch {token}")
        lose(lost)
        return _instance(row, visible=False)

    def describe(self, instance_id: str, *, fresh: float = 0.0) -> Instance:
        """Unknown at first, then pending without addresses, then running; each poll brings it nearer."""
        del fresh
        self._file.throttle(f"describe {instance_id}")
        self._file.spend(0.5)
        with self._file.change() as db:
            row = db.execute("SELECT * FROM instances WHERE instance_id = ?", (instance_id,)).fetchone()
            if row is None:
                raise NotFound(f"no instance {instance_id}")
            column = "hidden" if row["hidden"] > 0 else "pending"
            if row["state"] == "pending" and row[column] > 0:
                less = f"UPDATE instances SET {column} = {column} - 1 WHERE instance_id = ?"  # noqa: S608  our names
                db.execute(less, (instance_id,))
            elif row["state"] == "pending":
                dies = self._file.roll(db, f"dies {instance_id}") < self._file.faults.instance_dies
                state = "terminated" if dies else "running"
                db.execute("UPDATE instances SET state = ? WHERE instance_id = ?", (state, instance_id))
                row = db.execute("SELECT * FROM instances WHERE instance_id = ?", (instance_id,)).fetchone()
        if row["hidden"] > 0:
            raise NotFound(f"no instance {instance_id}")
        return _instance(row, visible=row["state"] != "pending")

    def find(self, tags: Mapping[str, str]) -> Sequence[Instance]:
        """Those that are not hidden any more."""
        with self._file.change() as db:
            rows = db.execute(
                "SELECT * FROM instances WHERE hidden = 0 AND account_id = coalesce(?, account_id) ORDER BY "
                "instance_id",
                (tags.get("lae-account"),),
            ).fetchall()
        found = [_instance(row, visible=row["state"] != "pending") for row in rows]
        return [i for i in found if all(i.tags.get(key) == value for key, value in tags.items())]

    def tagged(self, key: str, values: Sequence[str]) -> Sequence[Instance]:
        """Those that are not hidden any more."""
        wanted = {folded(value) for value in values if value.strip()}
        return [i for i in self.find({}) if folded(i.tags.get(key, "")) in wanted]

    def known(self, instance_ids: Sequence[str]) -> Mapping[str, Instance]:
        """Those that are not hidden any more."""
        return {i.instance_id: i for i in self.find({}) if i.instance_id in instance_ids}

    def console(self, instance_id: str) -> str:
        """What a machine says that runs."""
        return "" if self.describe(instance_id).state == "pending" else f"{instance_id} login: "

    def terminate(self, instance_id: str) -> None:
        """End it for good."""
        with self._file.change() as db:
            ended = db.execute(
                "UPDATE instances SET state = 'terminated', hidden = 0 WHERE instance_id = ?", (instance_id,)
            )
            if ended.rowcount == 0:
                raise NotFound(f"no instance {instance_id}")
            self._file.note(db, "terminate", instance_id)

    def tag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Beside those of the launch, which alone count for its token."""
        with self._file.change() as db:
            row = db.execute("SELECT tags FROM instances WHERE instance_id = ?", (instance_id,)).fetchone()
            if row is None:
                raise NotFound(f"no instance {instance_id}")
            text = json.dumps({**json.loads(row["tags"]), **tags}, sort_keys=True)
            db.execute("UPDATE instances SET tags = ? WHERE instance_id = ?", (text, instance_id))

    def identity(self) -> str:
        """Nobody's account."""
        return "000000000000"

    def lacks(self, request: LaunchRequest) -> Sequence[Lack]:
        """The twin has everything."""
        del request
        return ()

    def ingress(self, request: LaunchRequest) -> Sequence[Ingress] | None:
        """Of the one group that there is."""
        del request
        return self._file.ingress

    def room(self, instance_size: str) -> int | None:
        """The twin does not count."""
        del instance_size
        return None

    def _create(self, db: sqlite3.Connection, request: LaunchRequest, digest: str) -> sqlite3.Row:
        file, token = self._file, request.client_token
        number = db.execute("SELECT count(*) FROM instances").fetchone()[0]
        instance_id = "i-" + hashlib.sha256(f"{file.seed} {token}".encode()).hexdigest()[:17]
        net, host = divmod(number, _PER_NET)
        # Documentation addresses while they last, then those set aside for benchmarks.
        public = f"{_NETS[net]}.{host + 20}" if net < len(_NETS) else f"198.18.{net}.{host + 20}"
        values = {
            "instance_id": instance_id,
            "client_token": token,
            "request_digest": digest,
            "account_id": request.tags.get("lae-account", ""),
            "tags": json.dumps(dict(request.tags), sort_keys=True),
            "state": "pending",
            "launch_time": file.now(),
            "hidden": int(file.roll(db, f"hidden {token}") * 3),
            "pending": 1 + int(file.roll(db, f"pending {token}") * 4),
            "public_host": public,
            "private_host": f"ip-10-{number >> 16}-{number >> 8 & 255}-{number & 255}.ec2.internal",
            "host_key": _host_key(request),
            "refusals": int(file.roll(db, f"refusals {token}") * 3),
        }
        marks = ", ".join(f":{name}" for name in values)
        db.execute(f"INSERT INTO instances ({', '.join(values)}) VALUES ({marks})", values)  # noqa: S608  our names
        file.note(db, "launch", instance_id)
        row: sqlite3.Row = db.execute("SELECT * FROM instances WHERE instance_id = ?", (instance_id,)).fetchone()
        return row


def _digest(request: LaunchRequest) -> str:
    parts = [request.client_token, json.dumps(dict(request.tags), sort_keys=True), request.ami_image_id]
    parts += [request.instance_size, request.admin_keypair_name, request.security_group]
    parts += [request.subnet or "", request.zone or ""]
    parts.append(request.user_data.reveal() if request.user_data else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _host_key(request: LaunchRequest) -> str:
    text = request.user_data.reveal() if request.user_data else ""
    return text.partition("ed25519_public: ")[2].partition("\n")[0]


def _instance(row: sqlite3.Row, *, visible: bool) -> Instance:
    return Instance(
        instance_id=row["instance_id"],
        state=row["state"],
        launch_time=row["launch_time"],
        public_host=row["public_host"] if visible else None,
        private_host=row["private_host"] if visible else None,
        tags=json.loads(row["tags"]),
    )
